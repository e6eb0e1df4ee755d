"""``striate draw``: pictures of what a network learnt and of what it makes of an image."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from striate.cli import samples as s
from striate.cli.options import Json, ModelArgument

if TYPE_CHECKING:
    from striate.explain.tracing import Trace
    from striate.model import Model

draw = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

Out = Annotated[Path, typer.Option("--out", metavar="FILE", help="Image to write: .png, .svg, .pdf, ...")]
LayerNeeded = Annotated[
    str, typer.Option("--layer", metavar="NAME", help="Layer, such as conv1; striate summary lists them.")
]
ChannelNeeded = Annotated[int, typer.Option("--channel", metavar="C", help="Channel or feature, from 0.")]
DataNeeded = Annotated[
    str, typer.Argument(metavar="DATASET", help="A data set by name (digits, mnist, ...), a folder or a file.")
]


@draw.callback()
def _about() -> None:
    """Draw filters, feature maps, attributions and receptive fields of a model."""


@draw.command()
def filters(
    model: ModelArgument, layer: LayerNeeded = "conv1", channel: s.Channel = None, out: Out = Path("filters.png")
) -> None:
    """Draw the filters of a layer; with --channel, only their weights for one input channel."""
    from striate.explain import draw_filters

    write(draw_filters(load(model), layer, channel), out)


@draw.command()
def connections(
    model: Annotated[str, typer.Argument(metavar="MODEL|NAME", help="A model file, a run, or a network by name.")],
    layer: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Highest layer. (default: the last with space)", show_default=False),
    ] = None,
    position: Annotated[
        int | None,
        typer.Option(metavar="N", help="Position of the unit. (default: the middle)", show_default=False),
    ] = None,
    out: Out = Path("connections.png"),
) -> None:
    """Draw along one axis what a unit sees: sparse connections, shared weights, the receptive field."""
    from striate.cli.sources import names_a_file
    from striate.explain import draw_connections
    from striate.models.registry import build

    network = load(Path(model)).network if names_a_file(model) else build(model)
    write(draw_connections(network, layer, position), out)


@draw.command()
def maps(
    model: ModelArgument,
    image: s.Image,
    layer: LayerNeeded = "conv1",
    scale: Annotated[str, typer.Option(metavar="HOW", help="Scale the grey levels by layer or by map.")] = "layer",
    out: Out = Path("maps.png"),
    invert: s.Invert = False,
    fit: s.Fit = None,
    data_dir: s.DataDir = None,
) -> None:
    """Draw the feature maps of a layer for an image."""
    from striate.explain import draw_feature_maps

    write(draw_feature_maps(_trace(model, image, fit, invert, data_dir), layer, scale), out)


@draw.command()
def attribution(
    model: ModelArgument,
    image: s.Image,
    method: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="gradient, gradient-x-input, smoothgrad, integrated-gradients, grad-cam, occlusion (default: all)",
            show_default=False,
        ),
    ] = None,
    target: s.Class = None,
    out: Out = Path("attribution.png"),
    invert: s.Invert = False,
    fit: s.Fit = None,
    data_dir: s.DataDir = None,
    json: Json = False,
) -> None:
    """Draw which parts of an image speak for and against a class."""
    from striate.explain import attribute, attribute_all, draw_attribution, draw_attributions
    from striate.explain.samples import feature_names

    loaded = load(model)
    sample, wanted = s.read(loaded, image, fit, invert, data_dir), s.class_of(loaded, target)
    names = feature_names(loaded)
    if method is None:
        found = attribute_all(loaded, sample, wanted)
        write(draw_attributions(found, sample, names=names), out, json, _scores(found))
    else:
        one = attribute(loaded, sample, method, wanted)
        write(draw_attribution(one, sample, names=names), out, json, _scores({method: one}))


@draw.command()
def dropout(
    model: ModelArgument,
    image: s.Image,
    layer: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Dropout layer. (default: the first)", show_default=False),
    ] = None,
    steps: Annotated[int, typer.Option(metavar="N", help="Number of training steps to show.")] = 5,
    seed: Annotated[int, typer.Option(metavar="S", help="Seed of the training.")] = 0,
    out: Out = Path("dropout.png"),
    invert: s.Invert = False,
    fit: s.Fit = None,
    data_dir: s.DataDir = None,
    json: Json = False,
) -> None:
    """Draw which values a dropout layer sets to 0 in training steps."""
    from striate.cli.output import Output
    from striate.explain import draw_dropout, dropout_masks

    found = dropout_masks(_trace(model, image, fit, invert, data_dir), layer, steps=steps, seed=seed)
    Output(json).line(found)
    dropped = (found.factors == 0).reshape(len(found.factors), -1).sum(axis=1).tolist()
    write(draw_dropout(found), out, json, {"layer": found.layer, "rate": found.rate, "dropped": dropped})


@draw.command()
def field(
    model: ModelArgument,
    image: s.Image,
    layer: LayerNeeded = "conv1",
    channel: s.Channel = None,
    depth: s.Depth = None,
    row: s.Row = None,
    column: s.Column = None,
    position: s.Position = None,
    feature: s.Feature = None,
    out: Out = Path("field.png"),
    invert: s.Invert = False,
    fit: s.Fit = None,
    data_dir: s.DataDir = None,
    json: Json = False,
) -> None:
    """Draw the theoretical and effective receptive field of a value, by default the layer's largest."""
    from striate.cli.output import Output
    from striate.explain import draw_field

    trace = _trace(model, image, fit, invert, data_dir)
    given = {"channel": channel, "depth": depth, "row": row, "column": column}
    found = trace.field(*s.place(trace, layer, given | {"position": position, "feature": feature}))
    Output(json).line(found)
    write(draw_field(found, trace.raw), out, json, {"spans": found.spans, "support": found.support})


@draw.command()
def patches(
    model: ModelArgument,
    data: DataNeeded,
    layer: LayerNeeded = "conv1",
    channel: ChannelNeeded = 0,
    count: Annotated[int, typer.Option(metavar="N", help="Number of patches.")] = 9,
    out: Out = Path("patches.png"),
    data_dir: s.DataDir = None,
    json: Json = False,
) -> None:
    """Draw the image patches that activate a channel most."""
    from striate.explain import draw_patches, top_patches

    loaded = load(model)
    found = top_patches(loaded, s.dataset(loaded, data, data_dir), layer, channel, count)
    facts = [{"sample": one.sample, "span": one.span, "value": one.value} for one in found]
    write(draw_patches(found, f"{layer}, channel {channel}"), out, json, {"patches": facts})


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


@draw.command()
def deconvolution(
    model: ModelArgument,
    image: s.Image,
    layer: LayerNeeded = "conv1",
    channel: ChannelNeeded = 0,
    guided: Annotated[bool, typer.Option("--guided", help="Use guided back-propagation.")] = False,
    out: Out = Path("deconvolution.png"),
    invert: s.Invert = False,
    fit: s.Fit = None,
    data_dir: s.DataDir = None,
) -> None:
    """Project a feature map back to the pixels (deconvolution)."""
    from striate.explain import deconvolution as back
    from striate.explain import draw_sample

    found = back(_trace(model, image, fit, invert, data_dir), layer, channel, guided=guided)
    write(draw_sample(found, f"{layer}, channel {channel}"), out)


@draw.command()
def ideal(
    model: ModelArgument,
    layer: LayerNeeded = "conv1",
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
) -> None:
    """Generate an image that maximises a channel or class (activation maximisation)."""
    import numpy as np

    from striate.explain import draw_sample, maximise_activation
    from striate.explain.samples import class_number
    from striate.explain.tracing import score_step

    loaded, what = load(model), f"{layer}, channel {channel}"
    if target is not None:
        layer = score_step(loaded.network)
        channel = class_number(loaded, s.class_of(loaded, target), np.zeros(loaded.network.step(layer).shape[0]))
        what = f"class {s.class_name(loaded, channel)}"
    found = maximise_activation(loaded, layer, channel, steps=steps, seed=seed)
    title = f"{what}: from {found.values[0]:.3g} to {found.values[-1]:.3g}"
    write(draw_sample(found.picture, title), out)


def load(path: Path) -> Model:
    """Return the model in a file or run."""
    import striate

    return striate.load(path)


def _trace(path: Path, image: str, fit: str | None, invert: bool, folder: Path | None) -> Trace:
    from striate.explain.tracing import trace

    model = load(path)
    return trace(model, s.read(model, image, fit, invert, folder))


def _scores(found: dict[str, Any]) -> dict[str, Any]:
    one = next(iter(found.values()))
    return {
        "class": one.class_name,
        "score": one.score,
        "baseline_score": one.baseline_score,
        "maps": {name: item.values.tolist() for name, item in found.items()},
    }


def write(axes: Any, out: Path, json: bool = False, facts: dict[str, Any] | None = None) -> None:
    """Write a drawing, and with --json what is known of it."""
    from striate.cli.files import write_figure
    from striate.cli.output import Output

    output = Output(json)
    output.line(f"written: {write_figure(axes, out)}")
    output.result({"picture": str(out), **(facts or {})})
