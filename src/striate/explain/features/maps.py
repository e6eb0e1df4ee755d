"""Filters and feature maps of any layer, as arrays and as figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from striate.drawing.mosaic import draw_mosaic
from striate.errors import UsageError
from striate.explain.tracing import Trace
from striate.layers.arguments import choice
from striate.layers.convolution import Convolution
from striate.layers.dense import Linear
from striate.layers.transposed import TransposedConvolution
from striate.model import Model
from striate.reference.convolution import full_weight

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def layer_filters(model: Model, layer: str) -> np.ndarray:
    """Return what each output of a layer multiplies its input by, float64[M, C, *kernel].

    A transposed convolution gives one filter for each output channel too. The filters of a fully
    connected layer after a Flatten have the shape of what was flattened, others [M, features].

    Raises
    ------
    UsageError
        If there is no such layer, or it has no filters (with those that have).
    """
    network = model.network
    step = network.step(layer)
    weights = {slot.spec.name: slot.view(model.theta).astype(np.float64) for slot in step.parameters}
    if isinstance(step.layer, Convolution):
        return full_weight(step.layer, weights["weight"], step.input_shapes[0][0] // step.layer.groups)
    if isinstance(step.layer, TransposedConvolution):
        weight, groups = weights["weight"], step.layer.groups
        split = weight.reshape(groups, -1, *weight.shape[1:])
        return np.swapaxes(split, 1, 2).reshape(-1, split.shape[1], *weight.shape[2:])
    if isinstance(step.layer, Linear):
        before = network.step(step.inputs[0])
        flattened = before.layer.kind == "flatten" and len(before.input_shapes[0]) > 1
        return weights["weight"].reshape(-1, *(before.input_shapes[0] if flattened else step.input_shapes[0]))
    kinds = Convolution | TransposedConvolution | Linear
    known = [item.name for item in network.steps if isinstance(item.layer, kinds)]
    raise UsageError(f"{layer}: has no filters; it is {step.layer!r}. Layers with filters: {', '.join(known)}.")


def draw_filters(model: Model, layer: str, channel: int | None = None, axes: Axes | None = None) -> Axes:
    """Draw the filters of a layer: in colour where they see three channels, else one row for each filter.

    Red is above 0, blue below, white 0.

    Parameters
    ----------
    model : Model
    layer : str
    channel : int, optional
        Draw what the filters make of this input channel alone, as a square of small pictures.
    axes : Axes, optional

    Raises
    ------
    UsageError
        If there is no such layer or channel, or the layer has no filters.
    """
    found = layer_filters(model, layer)
    if found.ndim != 4:
        found = _as_pictures(found)
    count, channels = found.shape[:2]
    names = [str(m) for m in range(count)]
    limit = float(np.abs(found).max()) or 1.0
    signed: dict[str, Any] = {"colours": "RdBu_r", "limits": (-limit, limit)}
    if channel is not None:
        if not 0 <= channel < channels:
            raise UsageError(f"{layer}: channel must be from 0 to {channels - 1}; got {channel}.")
        return draw_mosaic(list(found[:, channel]), names, axes, title=f"{layer}, of channel {channel}", **signed)
    if channels == 3:
        return draw_mosaic([_colour(one) for one in found], names, axes, title=layer)
    if channels == 1:
        return draw_mosaic(list(found[:, 0]), names, axes, title=layer, **signed)
    pictures = list(found.reshape(-1, *found.shape[2:]))
    return draw_mosaic(pictures, (), axes, title=f"{layer}: a row for each filter", columns=channels, **signed)


def _as_pictures(found: np.ndarray) -> np.ndarray:
    """Return filters of other dimensions as [M, C, rows, columns]: signals as one row, volumes slice by slice."""
    if found.ndim == 2:
        return found[:, None, None, :]
    return found[:, :, None, :] if found.ndim == 3 else found.reshape(len(found), -1, *found.shape[-2:])


def _colour(one: np.ndarray) -> np.ndarray:
    limit = np.abs(one).max() or 1.0
    return np.moveaxis(0.5 + 0.5 * one / limit, 0, 2)


def feature_maps(trace: Trace, layer: str) -> np.ndarray:
    """Return the feature maps of a layer, float64[C, *space]; the same as ``trace[layer]``."""
    return trace[layer]


def draw_feature_maps(trace: Trace, layer: str, scale: str = "layer", axes: Axes | None = None) -> Axes:
    """Draw all feature maps of a layer for the traced sample.

    Parameters
    ----------
    trace : Trace
    layer : str
    scale : {"layer", "map"}
        Whether grey means the same in all maps, or goes from the least to the largest value of each.
    axes : Axes, optional

    Raises
    ------
    UsageError
        If there is no such layer, or the scale is another.
    """
    pictures = map_pictures(feature_maps(trace, layer))
    if choice(scale, "scale", ("layer", "map")) == "map":
        pictures = [(one - one.min()) / (np.ptp(one) or 1.0) for one in pictures]
    return draw_mosaic(pictures, [str(c) for c in range(len(pictures))], axes, title=layer)


def map_pictures(values: np.ndarray) -> list[np.ndarray]:
    """Return the values of a layer as pictures: signals as one row each, volumes slice by slice."""
    if values.ndim == 4:
        values = values.reshape(-1, *values.shape[-2:])
    return [values[None]] if values.ndim == 1 else [np.atleast_2d(one) for one in values]
