"""``striate sweep``: run a classifier over every part of a large picture."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from striate.cli.options import Json, ModelArgument, NoWinograd, Threads
from striate.cli.samples import Invert

if TYPE_CHECKING:
    from striate.cli.output import Output
    from striate.explain.score_map import ScoreMap
    from striate.model import Model


def sweep(
    model: ModelArgument,
    picture: Annotated[Path, typer.Argument(metavar="IMAGE", help="An image, as large as a window or larger.")],
    target: Annotated[
        str | None, typer.Option("--class", metavar="CLASS", help="Class to look for.", show_default=False)
    ] = None,
    stride: Annotated[
        int | None,
        typer.Option(
            metavar="N", help="Pixels from one window to the next. (default: a quarter)", show_default=False
        ),
    ] = None,
    window: Annotated[
        str | None,
        typer.Option(
            metavar="RxC", help="Size of a window in the image. (default: as in training)", show_default=False
        ),
    ] = None,
    best: Annotated[int, typer.Option(metavar="N", help="Number of places to report.")] = 5,
    at: Annotated[
        str | None,
        typer.Option(metavar="ROW,COLUMN", help="Explain the score at a pixel.", show_default=False),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Draw a heat map over the image.", show_default=False),
    ] = None,
    scores: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write every window's probabilities to a CSV file.", show_default=False),
    ] = None,
    invert: Invert = False,
    threads: Threads = None,
    no_winograd: NoWinograd = False,
    json: Json = False,
) -> None:
    """Sweep a classifier over a large image and draw where it sees a class.

    striate sweep runs/roads road.jpg --class crack --stride 8 --out cracks.png
    """
    import striate
    from striate.cli.files import write_figure
    from striate.cli.output import Output
    from striate.cli.parsing import pixel as read_pixel
    from striate.cli.parsing import sizes
    from striate.cli.tables import write_csv
    from striate.explain import sweep as swept
    from striate.explain.draw_sweep import full_size
    from striate.explain.sweep import check_target
    from striate.layers.arguments import integer

    loaded = striate.load(model, winograd=not no_winograd)
    loaded.threads = None if threads is None else integer(threads, "threads")
    name, count = _target(loaded, target), integer(best, "best")
    check_target(loaded, name)
    pixel = None if at is None else read_pixel(at)
    sides: Any = None if window is None else sizes(window, "--window")
    output = Output(json)
    with _progress(output) as report:
        found = swept(loaded, picture, stride, sides, invert, report)
    facts = _facts(found, name, count)
    output.line(_text(facts))
    if pixel is not None:
        why = found.why(*pixel, name)
        output.line(f"\n{why}")
        facts["why"] = why.to_dict()
    if out is not None:
        output.line(f"picture: {write_figure(found.draw(name, count), out, full_size(found))}")
    if scores is not None:
        output.line(f"written: {write_csv(scores, *_table(found))}")
    output.result({"model": str(model), "file": str(picture), **facts})


@contextmanager
def _progress(output: Output) -> Iterator[Callable[[int, int], object]]:
    """Show how much of the image is done, if the output is a terminal."""
    from rich.progress import Progress

    with Progress(console=output.console, transient=True, disable=not output.console.is_terminal) as bar:
        task = bar.add_task("sweeping")
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _target(model: Model, text: str | None) -> int | str:
    """Return a class by name or number."""
    from striate.cli.samples import class_of
    from striate.errors import UsageError
    from striate.explain.sweep import check_model

    if text is None:
        check_model(model)
        names = ", ".join(model.output_names)
        raise UsageError(f"--class: must name the class to look for; got none. Choose one of {names}.")
    found = class_of(model, text)
    return text if found is None else found


def _facts(found: ScoreMap, target: int | str, count: int) -> dict[str, Any]:
    return {
        "class": found.model.output_names[found.class_number(target)],
        "image": list(found.picture.shape[1:]),
        "window": list(found.window),
        "windows": [len(found.tops), len(found.lefts)],
        "mean": float(found.scores(target).mean()),
        "share": float((found.scores(target) >= 0.5).mean()),
        "strongest": [asdict(place) for place in found.strongest(target, count)],
    }


def _text(facts: dict[str, Any]) -> str:
    down, across = facts["windows"]
    image, window = (" x ".join(map(str, facts[key])) for key in ("image", "window"))
    count = "1 window" if down * across == 1 else f"{down * across:,} windows"
    lines = [
        f"{facts['class']} in an image of {image}: {count} of {window} ({down} x {across})",
        f"probability 0.5 or more in {100 * facts['share']:.1f} % of the windows; mean {facts['mean']:.4f}",
        "strongest (row, column of the upper left corner: probability)",
    ]
    lines += [f"  {p['row']:>5}, {p['column']:>5}: {p['probability']:.4f}" for p in facts["strongest"]]
    return "\n".join(lines)


def _table(found: ScoreMap) -> tuple[list[str], Iterator[list[Any]]]:
    """Return the columns of a table of windows, and a row for each of them."""
    rows = (
        [top, left, *found.window, *(f"{share:.6g}" for share in found.probabilities[:, r, s])]
        for r, top in enumerate(found.tops.tolist())
        for s, left in enumerate(found.lefts.tolist())
    )
    return ["row", "column", "rows", "columns", *found.model.output_names], rows
