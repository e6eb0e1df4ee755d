"""``striate invariance``: how a model responds to shifts, rotations and changes of scale."""

from __future__ import annotations

from math import isnan
from pathlib import Path
from typing import Annotated

import typer

from striate.cli import samples as s
from striate.cli.options import Json, ModelArgument


def invariance(
    model: ModelArgument,
    image: s.Image,
    change: Annotated[
        str, typer.Option(metavar="KIND", help="Transformation: shift, rotation or scale.")
    ] = "shift",
    amounts: Annotated[
        str | None,
        typer.Option(metavar="A,B,...", help="Amounts, in pixels, degrees or factors.", show_default=False),
    ] = None,
    show: Annotated[
        str, typer.Option(metavar="WHAT", help="What --picture draws: changes, equivariance or probabilities.")
    ] = "changes",
    picture: Annotated[
        Path | None, typer.Option(metavar="FILE", show_default=False, help="Image to write.")
    ] = None,
    invert: s.Invert = False,
    fit: s.Fit = None,
    data_dir: s.DataDir = None,
    json: Json = False,
) -> None:
    """Measure how scores and features change when the image is shifted, rotated or scaled.

    striate invariance runs/digits-lenet5/model.safetensors digits:7 --change rotation --picture turned.png
    """
    import striate
    from striate.cli.files import write_figure
    from striate.cli.output import Output
    from striate.explain.invariance_measure import draw_invariance
    from striate.explain.invariance_measure import invariance as measure
    from striate.numbers import parse_numbers

    output = Output(json)
    loaded = striate.load(model)
    sample = s.read(loaded, image, fit, invert, data_dir)
    wanted = None if amounts is None else parse_numbers(f"[{amounts.strip('[] ')}]", "--amounts").tolist()
    found = measure(loaded, sample, change, wanted)
    output.line(found)
    if picture is not None:
        output.line(f"picture: {write_figure(draw_invariance(found, what=show), picture)}")
    output.result(
        {
            "change": found.kind,
            "amounts": found.amounts.tolist(),
            "class": s.class_name(loaded, found.target),
            "probabilities": found.probabilities[:, found.target].tolist(),
            "changes": {name: values.tolist() for name, values in found.changes.items()},
            "equivariance": {
                name: [None if isnan(value) else value for value in values.tolist()]
                for name, values in found.equivariance.items()
            },
        }
    )
