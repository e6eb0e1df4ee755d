"""``striate repair``: replace lost pixels of an image."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from striate.cli.options import Json

if TYPE_CHECKING:
    import numpy as np

MIDDLE = 127.5  # between black and white


def repair(
    source: Annotated[
        str, typer.Argument(metavar="IMAGE|CSV|[...]", help="An image, a CSV or NPY file, or numbers.")
    ],
    mask: Annotated[
        Path | None,
        typer.Option(
            metavar="IMAGE", help="An image of the same size, white where pixels are lost.", show_default=False
        ),
    ] = None,
    lost: Annotated[
        str | None,
        typer.Option(
            metavar="VALUE",
            help="Value of lost pixels: 0, or a colour such as 255,0,255. (default: NaN)",
            show_default=False,
        ),
    ] = None,
    drop: Annotated[
        float | None,
        typer.Option(
            metavar="SHARE",
            help="Drop this fraction of the pixels at random, to see how well they are restored.",
            show_default=False,
        ),
    ] = None,
    seed: Annotated[int, typer.Option(metavar="N", help="Seed that chooses the pixels of --drop.")] = 0,
    radius: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Distance in pixels over which known ones contribute. (default: twice the largest gap)",
            show_default=False,
        ),
    ] = None,
    at: Annotated[
        str | None, typer.Option(metavar="ROW,COLUMN", help="Explain a repaired pixel.", show_default=False)
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Output file: an image, .csv or .npy. (default: IMAGE-repaired.png)"),
    ] = None,
    json: Json = False,
) -> None:
    """Repair lost pixels of an image by normalised convolution.

    striate repair scan.png --mask scratches.png

    striate repair photo.jpg --drop 0.5 --at 120,80
    """
    import numpy as np

    from striate.cli.files import is_numbers, read_numbers, write_numbers
    from striate.cli.output import Output
    from striate.cli.parsing import pixel
    from striate.worksheets import repair as apply

    place = None if at is None else pixel(at)
    x = read_numbers(source)
    gone = _lost(x, mask, lost, drop, seed)
    found = apply(x, gone, radius)
    output = Output(json)
    output.line(found)
    facts: dict[str, Any] = {"lost": int(found.lost.sum()), "pixels": found.lost.size}
    if drop is not None:
        error = float(np.sqrt(np.mean((found.values - x)[..., found.lost] ** 2)))
        output.line(f"error of the dropped pixels: {error:.4g} (root mean square)")
        facts["error"] = error
    if place is not None:
        output.line(found.why(*place))
    if out is None and not is_numbers(source):
        out = Path(f"{Path(source).stem}-repaired.png")
    if out is not None:
        output.line(f"written: {write_numbers(found.values, out)}")
        facts["file"] = str(out)
    elif not json:
        from striate.numbers import format_array

        output.line(f"result {format_array(found.values)}")
    output.result({**facts, **({} if out else {"values": found.values.tolist()})})


def _lost(x: np.ndarray, mask: Path | None, lost: str | None, drop: float | None, seed: int) -> np.ndarray | None:
    """Return which pixels are lost, None for those that are NaN."""
    import numpy as np

    from striate.cli.files import read_numbers
    from striate.errors import UsageError
    from striate.numbers import parse_numbers

    ways = {"--mask": mask, "--lost": lost, "--drop": drop}
    given = [name for name, value in ways.items() if value is not None]
    if len(given) > 1:
        raise UsageError(f"repair: needs one way to mark lost pixels; got {' and '.join(given)}. Leave one out.")
    if mask is not None:
        marks = read_numbers(str(mask))
        return np.asarray((marks.mean(axis=0) if marks.ndim == 3 else marks) > MIDDLE)
    if lost is not None:
        value = np.atleast_1d(parse_numbers(f"[{lost}]", "--lost"))
        channels = x if x.ndim == 3 else x[None]
        if len(value) not in (1, len(channels)):
            raise UsageError(f"--lost: an image of {len(channels)} channels needs as many numbers; got {lost!r}.")
        return np.asarray((channels == value[:, None, None]).all(axis=0))
    if drop is not None:
        if not 0 < drop < 1:
            raise UsageError(f"--drop: must be above 0 and below 1; got {drop:g}.")
        return np.asarray(np.random.default_rng(seed).random(x.shape[-2:]) < drop)
    return None
