"""``striate summary``: what a network consists of."""

from __future__ import annotations

from typing import Annotated

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
    json: Json = False,
) -> None:
    """Show the layers of a network: shapes, parameters, operations, receptive fields, memory.

    striate summary lenet5

    striate summary resnet18 --classes 10 --input 3x32x32 --model-option stem=small

    striate summary runs/digits-lenet5
    """
    import striate
    from striate.cli.output import Output
    from striate.cli.parsing import sizes
    from striate.cli.sources import names_a_file
    from striate.errors import UsageError
    from striate.models.registry import build
    from striate.summary import summarize

    options = read_option("model_option", model_option or [])
    if names_a_file(model):
        if classes is not None or input_shape is not None or options:
            raise UsageError(f"{model}: --classes, --input and --model-option are for networks by name.")
        network = striate.load(model).network
    else:
        shape = None if input_shape is None else sizes(input_shape, "--input")
        network = build(model, classes, shape, **options)
    output = Output(json)
    result = summarize(network)
    output.line(result)
    output.result(result.to_dict())
