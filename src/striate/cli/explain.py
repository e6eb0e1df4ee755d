"""``striate explain``: why a model sees in an image what it sees."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from striate.cli.options import Json, ModelArgument


def explain(
    model: ModelArgument,
    image: Annotated[Path, typer.Argument(metavar="IMAGE", help="An image of any size, a WAV file or an array.")],
    out: Annotated[Path, typer.Option("--out", metavar="PAGE", help="The HTML page to write.")] = Path(
        "explain.html"
    ),
    target: Annotated[
        str | None, typer.Option("--class", metavar="CLASS", help="Ask about this class; else the one chosen.")
    ] = None,
    invert: Annotated[
        bool, typer.Option("--invert", help="Swap light and dark: for dark strokes on paper and a model of digits.")
    ] = False,
    fit: Annotated[str, typer.Option(metavar="HOW", help="Other proportions: stretch, crop or pad.")] = "stretch",
    json: Json = False,
) -> None:
    """Write one page with every number of the network for an image: feature maps, scores, attribution.

    striate explain runs/digits-lenet5/model.safetensors digit.png --out page.html
    """
    import striate
    from striate.cli.output import Output
    from striate.explain.page import explain_page
    from striate.explain.samples import read_sample
    from striate.explain.tracing import trace
    from striate.storage.atomic import write_atomically

    output = Output(json)
    loaded = striate.load(model)
    sample = read_sample(loaded, image, fit, invert)
    wanted: int | str | None = target
    if target is not None and target not in loaded.classes and target.isdecimal():
        wanted = int(target)
    page = explain_page(loaded, sample, target=wanted, name=image.name).encode()
    write_atomically(out, page)
    scores = trace(loaded, sample).scores
    chosen = int(scores.argmax())
    name = loaded.classes[chosen] if loaded.classes else str(chosen)
    output.line(f"{image}: {name}. The page is {out} ({len(page) / 1e6:.1f} MB).")
    output.result({"file": str(image), "class": name, "page": str(out), "bytes": len(page)})
