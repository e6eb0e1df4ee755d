"""``striate summary``: the layers of a network."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from striate.cli.configuration import option, read_option
from striate.cli.options import Json


def summary(
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL|NAME", help="A model file, the folder of a run, a network by name or a TOML file."
        ),
    ],
    classes: Annotated[
        int | None, typer.Option(metavar="K", help="Number of classes. (default: as published)")
    ] = None,
    input_shape: Annotated[
        str | None,
        typer.Option(
            "--input", metavar="CxHxW", help="Shape of a sample, such as 1x28x28. (default: as published)"
        ),
    ] = None,
    model_option: Annotated[list[str] | None, option("model_option")] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Draw the network: .svg, .png, .pdf.", show_default=False)
    ] = None,
    style: Annotated[
        str | None,
        typer.Option(
            metavar="STYLE",
            help="Style of the drawing: boxes, graph or units. (default: as fits)",
            show_default=False,
        ),
    ] = None,
    fold: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Draw layers whose names share the first N components as one block; 0 draws every layer.",
            show_default=False,
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Show the layers of a network: shapes, parameters, operations, receptive fields, memory.

    striate summary lenet5

    striate summary resnet18 --classes 10 --input 3x32x32 --model-option stem=small

    striate summary googlenet --fold 1 --out googlenet.svg

    striate summary runs/digits-lenet5 --out network.svg
    """
    import striate
    from striate.cli.files import write_figure
    from striate.cli.output import Output
    from striate.cli.parsing import sizes
    from striate.cli.sources import names_a_file
    from striate.errors import UsageError
    from striate.explain.diagram import draw_network
    from striate.models.registry import build
    from striate.summary import summarize

    options = read_option("model_option", model_option or [])
    if out is None and (style is not None or fold is not None):
        raise UsageError("summary: --style and --fold need a drawing to write. Add --out network.svg.")
    if names_a_file(model):
        if classes is not None or input_shape is not None or options:
            raise UsageError(f"{model}: --classes, --input and --model-option are for networks by name.")
        found: Any = striate.load(model)
    else:
        shape = None if input_shape is None else sizes(input_shape, "--input")
        found = build(model, classes, shape, **options)
    output = Output(json)
    result = summarize(getattr(found, "network", found))
    output.line(result)
    facts = result.to_dict()
    if out is not None:
        facts["picture"] = str(write_figure(draw_network(found, style, fold=fold), out))
        output.line(f"picture: {out}")
    output.result(facts)
