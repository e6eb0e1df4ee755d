"""``striate explain``: why a model predicts what it does for an image."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from striate.cli import samples as s
from striate.cli.options import Json, ModelArgument


def explain(
    model: ModelArgument,
    image: s.Image,
    out: Annotated[Path, typer.Option("--out", metavar="PAGE", help="The HTML page to write.")] = Path(
        "explain.html"
    ),
    target: s.Class = None,
    invert: s.Invert = False,
    fit: s.Fit = None,
    data_dir: s.DataDir = None,
    json: Json = False,
) -> None:
    """Write a page with every number of the network for an image: feature maps, scores, attributions.

    striate explain runs/digits-lenet5/model.safetensors digit.png --out page.html
    """
    import striate
    from striate.cli.output import Output
    from striate.explain.class_maps import with_mean_scores
    from striate.explain.tracing import trace
    from striate.losses import labels_on
    from striate.report.explanation import page_of
    from striate.storage.atomic import write_atomically
    from striate.wording import plain

    output = Output(json)
    loaded = striate.load(model)
    title, sample = s.read_named(loaded, image, fit, invert, data_dir)
    with output.console.status("computing every value and six attributions"):
        found = trace(with_mean_scores(loaded), sample)
        page = page_of(found, target=s.class_of(loaded, target), name=Path(title).name).encode()
    write_atomically(out, page)
    values = loaded.interpret(found.output[None]).values[0]
    if loaded.kind == "numbers":
        name = ", ".join(plain(value, 6) for value in values.ravel())
    elif loaded.kind == "labels":
        name = ", ".join(labels_on(loaded.output_names, values)) or "no label"
    else:
        name = s.class_name(loaded, int(found.scores.argmax()))
    output.line(f"{title}: {name}. The page is {out} ({len(page) / 1e6:.1f} MB).")
    output.result({"file": title, "class": name, "page": str(out), "bytes": len(page)})
