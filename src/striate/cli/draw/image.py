"""``striate draw`` what a network makes of an image: maps, attribution, dropout, receptive field, deconvolution."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from striate.cli import samples as s
from striate.cli.draw.common import ChannelNeeded, Layer, Out, chosen, draw, load, trace_of, write
from striate.cli.options import Json, ModelArgument

if TYPE_CHECKING:
    pass


@draw.command()
def maps(
    model: ModelArgument,
    image: s.Image,
    layer: Layer = None,
    scale: Annotated[str, typer.Option(metavar="HOW", help="Scale the grey levels by layer or by map.")] = "layer",
    out: Out = Path("maps.png"),
    invert: s.Invert = False,
    fit: s.Fit = None,
    data_dir: s.DataDir = None,
    json: Json = False,
) -> None:
    """Draw the feature maps of a layer for an image."""
    from striate.explain import draw_feature_maps

    trace = trace_of(model, image, fit, invert, data_dir)
    name = chosen(trace.network, layer)
    write(draw_feature_maps(trace, name, scale), out, json, {"layer": name})


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
    from striate.explain.words import words_of

    loaded = load(model)
    sample, wanted = s.read(loaded, image, fit, invert, data_dir), s.class_of(loaded, target)
    names, words = feature_names(loaded), words_of(loaded, sample)
    if method is None:
        found = attribute_all(loaded, sample, wanted)
        write(draw_attributions(found, sample, names=names, words=words), out, json, _scores(found))
    else:
        one = attribute(loaded, sample, method, wanted)
        write(draw_attribution(one, sample, names=names, words=words), out, json, _scores({method: one}))


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

    found = dropout_masks(trace_of(model, image, fit, invert, data_dir), layer, steps=steps, seed=seed)
    Output(json).line(found)
    dropped = (found.factors == 0).reshape(len(found.factors), -1).sum(axis=1).tolist()
    write(draw_dropout(found), out, json, {"layer": found.layer, "rate": found.rate, "dropped": dropped})


@draw.command()
def field(
    model: ModelArgument,
    image: s.Image,
    layer: Layer = None,
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

    trace = trace_of(model, image, fit, invert, data_dir)
    given = {"channel": channel, "depth": depth, "row": row, "column": column}
    found = trace.field(
        *s.place(trace, chosen(trace.network, layer), given | {"position": position, "feature": feature})
    )
    Output(json).line(found)
    write(draw_field(found, trace.raw), out, json, {"spans": found.spans, "support": found.support})


@draw.command()
def deconvolution(
    model: ModelArgument,
    image: s.Image,
    layer: Layer = None,
    channel: ChannelNeeded = 0,
    guided: Annotated[bool, typer.Option("--guided", help="Use guided back-propagation.")] = False,
    out: Out = Path("deconvolution.png"),
    invert: s.Invert = False,
    fit: s.Fit = None,
    data_dir: s.DataDir = None,
    json: Json = False,
) -> None:
    """Project a feature map back to the pixels (deconvolution)."""
    from striate.explain import deconvolution as back
    from striate.explain import draw_sample

    trace = trace_of(model, image, fit, invert, data_dir)
    name = chosen(trace.network, layer)
    found = back(trace, name, channel, guided=guided)
    write(draw_sample(found, f"{name}, channel {channel}"), out, json, {"layer": name, "channel": channel})


def _scores(found: dict[str, Any]) -> dict[str, Any]:
    one = next(iter(found.values()))
    return {
        "class": one.class_name,
        "score": one.score,
        "baseline_score": one.baseline_score,
        "maps": {name: item.values.tolist() for name, item in found.items()},
    }
