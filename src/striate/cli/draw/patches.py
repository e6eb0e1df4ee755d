"""``striate draw`` what activates a network most in a data set: patches, and features layer by layer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from striate.cli import samples as s
from striate.cli.draw.common import ChannelNeeded, DataNeeded, Layer, Out, chosen, draw, load, write
from striate.cli.options import Json, ModelArgument

if TYPE_CHECKING:
    pass


@draw.command()
def patches(
    model: ModelArgument,
    data: DataNeeded,
    layer: Layer = None,
    channel: ChannelNeeded = 0,
    count: Annotated[int, typer.Option(metavar="N", help="Number of patches.")] = 9,
    out: Out = Path("patches.png"),
    data_dir: s.DataDir = None,
    json: Json = False,
) -> None:
    """Draw the image patches that activate a channel most."""
    from striate.explain import draw_patches, top_patches

    loaded = load(model)
    name = chosen(loaded.network, layer)
    found = top_patches(loaded, s.dataset(loaded, data, data_dir), name, channel, count)
    facts = [{"sample": one.sample, "span": one.span, "value": one.value} for one in found]
    write(draw_patches(found, f"{name}, channel {channel}"), out, json, {"patches": facts})


@draw.command()
def features(
    model: ModelArgument,
    data: DataNeeded,
    layer: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help="Layer; can be repeated. (default: up to 5 convolutions)", show_default=False
        ),
    ] = None,
    channels: Annotated[int, typer.Option(metavar="N", help="Channels of each layer, the strongest.")] = 4,
    count: Annotated[int, typer.Option(metavar="N", help="Patches of each channel.")] = 9,
    guided: Annotated[bool, typer.Option("--guided", help="Use guided back-propagation.")] = False,
    out: Out = Path("features.png"),
    data_dir: s.DataDir = None,
    json: Json = False,
) -> None:
    """Draw layer by layer the strongest image patches beside their deconvolutions (Zeiler and Fergus)."""
    from striate.explain import draw_feature_grid, feature_grid

    loaded = load(model)
    samples = s.dataset(loaded, data, data_dir)
    found = feature_grid(loaded, samples, layer, channels=channels, count=count, guided=guided)
    facts = [
        {"layer": one.layer, "channel": one.channel, "samples": [patch.sample for patch in one.patches]}
        for row in found
        for one in row
    ]
    write(draw_feature_grid(found), out, json, {"features": facts})
