"""``striate loss-slice``: the loss of a model around its parameters."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from striate.cli import samples as s
from striate.cli.options import Json, ModelArgument


def loss_slice(
    model: ModelArgument,
    data: Annotated[
        str, typer.Argument(metavar="DATASET", help="A data set by name (digits, mnist, ...), a folder or a file.")
    ],
    plane: Annotated[bool, typer.Option("--plane", help="Use two directions instead of one.")] = False,
    towards: Annotated[
        Path | None,
        typer.Option(
            metavar="MODEL", help="Follow the line to another model of the same network.", show_default=False
        ),
    ] = None,
    reach: Annotated[
        float, typer.Option(metavar="X", help="Length of the line; at 1 every filter moves by its own norm.")
    ] = 1.0,
    points: Annotated[
        int | None,
        typer.Option(metavar="N", help="Number of points. (default: 51, or 21 x 21)", show_default=False),
    ] = None,
    count: Annotated[int, typer.Option("--samples", metavar="N", help="Number of random test samples.")] = 500,
    seed: Annotated[int, typer.Option(metavar="S", help="Seed of the directions and samples.")] = 0,
    picture: Annotated[Path | None, typer.Option(metavar="FILE", help="Plot the loss.", show_default=False)] = None,
    data_dir: s.DataDir = None,
    json: Json = False,
) -> None:
    """Measure the loss along a line or over a plane in parameter space.

    striate loss-slice runs/digits-lenet5/model.safetensors digits --plane --picture surface.png
    """
    import numpy as np

    import striate
    from striate.cli.files import write_figure
    from striate.cli.output import Output
    from striate.errors import UsageError
    from striate.explain import loss_slices
    from striate.layers.arguments import integer

    if plane and towards is not None:
        raise UsageError("loss-slice: --towards gives a line; got --plane as well. Leave one of them out.")
    loaded = striate.load(model)
    samples = s.dataset(loaded, data, data_dir)
    drawn = np.random.default_rng(seed).permutation(len(samples))[: integer(count, "--samples")]
    samples = samples.take(np.sort(drawn))
    common: dict[str, Any] = {"reach": reach, "points": points or (21 if plane else 51), "seed": seed}
    output, axes = Output(json), None
    if plane:
        surface = loss_slices.loss_plane(loaded, samples, **common)
        output.line(surface)
        axes = loss_slices.draw_loss_plane(surface) if picture else None
        facts = {"steps": surface.steps.tolist(), "losses": surface.losses.tolist()}
    else:
        other = None if towards is None else striate.load(towards)
        line = loss_slices.loss_line(loaded, samples, towards=other, **common)
        output.line(line)
        axes = loss_slices.draw_loss_line(line) if picture else None
        facts = {"steps": line.steps.tolist(), "losses": line.losses.tolist()}
    if picture is not None:
        output.line(f"picture: {write_figure(axes, picture)}")
    output.result(facts)
