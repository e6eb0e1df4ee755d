"""``striate gradient``: how the gradient of one weight is computed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from striate.cli import samples as s
from striate.cli.options import Json, ModelArgument


def gradient(
    model: ModelArgument,
    image: s.Image,
    parameter: Annotated[str, typer.Option(metavar="NAME", help="Parameter, such as conv1.weight.")],
    index: Annotated[str, typer.Option(metavar="I,J,...", help="Index of the weight, such as 0,0,2,3.")],
    target: Annotated[
        str | None,
        typer.Option(
            "--class", metavar="CLASS", help="True class. (default: the predicted one)", show_default=False
        ),
    ] = None,
    invert: s.Invert = False,
    fit: s.Fit = None,
    data_dir: s.DataDir = None,
    picture: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Draw values, error signals and products.", show_default=False),
    ] = None,
    json: Json = False,
) -> None:
    """Show how the gradient of one weight follows from the loss.

    striate gradient runs/digits-lenet5/model.safetensors digits:7 --parameter conv1.weight --index 0,0,2,3
    """
    import striate
    from striate.cli.files import write_figure
    from striate.cli.output import Output
    from striate.explain.draw_terms import draw_gradient_path
    from striate.explain.gradient_path import gradient_path
    from striate.explain.tracing import trace

    output = Output(json)
    loaded = striate.load(model)
    found = trace(loaded, s.read(loaded, image, fit, invert, data_dir))
    true = s.class_of(loaded, target)
    path = gradient_path(
        found,
        parameter,
        _numbers(index),
        s.class_name(loaded, int(found.scores.argmax())) if true is None else true,
    )
    output.line(path)
    if picture is not None:
        output.line(f"picture: {write_figure(draw_gradient_path(path), picture)}")
    output.result(
        {
            "parameter": path.parameter,
            "index": path.index,
            "loss": path.loss,
            "gradient": path.gradient,
            "sum": path.sum,
            "values": path.values.tolist(),
            "errors": path.errors.tolist(),
        }
    )


def _numbers(text: str) -> list[int]:
    from striate.errors import UsageError

    try:
        return [int(part) for part in text.strip("[] ").split(",")]
    except ValueError:
        raise UsageError(f"--index: must be numbers separated by commas, such as 0,0,2,3; got {text!r}.") from None
