"""``striate summary``: what a network consists of."""

from __future__ import annotations

from typing import Annotated

import typer

from striate.cli.options import Json


def summary(
    model: Annotated[str, typer.Argument(metavar="MODEL|NAME", help="A model file, or the name of a network.")],
    classes: Annotated[int, typer.Option(metavar="K", help="Classes of a network by name.")] = 10,
    input_shape: Annotated[
        str, typer.Option("--input", metavar="CxHxW", help="Samples of a network by name, such as 1x28x28.")
    ] = "1x28x28",
    json: Json = False,
) -> None:
    """Show the layers of a network: shapes, parameters, work, receptive fields, memory.

    striate summary lenet5

    striate summary runs/digits-lenet5/model.safetensors
    """
    import striate
    from striate.cli.output import Output
    from striate.cli.parsing import sizes
    from striate.cli.sources import names_a_file
    from striate.models.registry import build
    from striate.summary import summarize

    network = (
        striate.load(model).network if names_a_file(model) else build(model, classes, sizes(input_shape, "--input"))
    )
    output = Output(json)
    result = summarize(network)
    output.line(result)
    output.result(result.to_dict())
