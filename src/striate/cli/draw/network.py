"""``striate draw`` what a network is and learnt: filters, connections, ideal images."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from striate.cli import samples as s
from striate.cli.draw.common import ChannelNeeded, Layer, Out, chosen, draw, load, write
from striate.cli.options import Json, ModelArgument


@draw.command()
def filters(
    model: ModelArgument,
    layer: Layer = None,
    channel: s.Channel = None,
    out: Out = Path("filters.png"),
    json: Json = False,
) -> None:
    """Draw the filters of a layer; with --channel, only their weights for one input channel."""
    from striate.explain import draw_filters

    loaded = load(model)
    name = chosen(loaded.network, layer)
    write(draw_filters(loaded, name, channel), out, json, {"layer": name})


@draw.command()
def connections(
    model: Annotated[str, typer.Argument(metavar="MODEL|NAME", help="A model file, a run, or a network by name.")],
    layer: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Highest layer. (default: the last with space that fits)", show_default=False
        ),
    ] = None,
    position: Annotated[
        int | None,
        typer.Option(metavar="N", help="Position of the unit. (default: the middle)", show_default=False),
    ] = None,
    out: Out = Path("connections.png"),
    json: Json = False,
) -> None:
    """Draw along one axis what a unit sees: sparse connections, shared weights, the receptive field."""
    from striate.cli.sources import names_a_file
    from striate.explain import draw_connections
    from striate.models.registry import build

    network = load(Path(model)).network if names_a_file(model) else build(model)
    write(draw_connections(network, layer, position), out, json)


@draw.command()
def ideal(
    model: ModelArgument,
    layer: Layer = None,
    channel: ChannelNeeded = 0,
    target: Annotated[
        str | None,
        typer.Option(
            "--class", metavar="CLASS", help="Class to maximise instead of a channel.", show_default=False
        ),
    ] = None,
    steps: Annotated[int, typer.Option(metavar="N", help="Number of steps of gradient ascent.")] = 60,
    seed: Annotated[int, typer.Option(metavar="S", help="Seed of the first image.")] = 0,
    out: Out = Path("ideal.png"),
    json: Json = False,
) -> None:
    """Generate an image that maximises a channel or class (activation maximisation)."""
    import numpy as np

    from striate.explain import draw_sample, maximise_activation
    from striate.explain.samples import class_number
    from striate.explain.tracing import score_step

    loaded = load(model)
    if target is None:
        name = chosen(loaded.network, layer)
        what = f"{name}, channel {channel}"
    else:
        name = score_step(loaded.network)
        channel = class_number(loaded, s.class_of(loaded, target), np.zeros(loaded.network.step(name).shape[0]))
        what = f"class {s.class_name(loaded, channel)}"
    found = maximise_activation(loaded, name, channel, steps=steps, seed=seed)
    title = f"{what}: from {found.values[0]:.3g} to {found.values[-1]:.3g}"
    facts = {"layer": name, "channel": channel, "values": [float(value) for value in found.values]}
    write(draw_sample(found.picture, title), out, json, facts)
