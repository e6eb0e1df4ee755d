"""Filters and feature maps of any layer, as arrays and as figures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from striate.errors import UsageError
from striate.explain.figures import new_axes
from striate.explain.tracing import Trace
from striate.layers.convolution import Convolution
from striate.layers.dense import Linear
from striate.layers.transposed import TransposedConvolution
from striate.model import Model
from striate.reference.convolution import full_weight

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_PANELS = 256


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


def draw_filters(model: Model, layer: str, channel: int | None = None) -> Figure:
    """Draw the filters of a layer: in colour where they see three channels, else one row for each filter.

    Parameters
    ----------
    model : Model
    layer : str
    channel : int, optional
        Draw what the filters make of this input channel alone, as a square of small pictures.
    """
    found = layer_filters(model, layer)
    if found.ndim != 4:
        found = _as_pictures(found)
    count, channels = found.shape[:2]
    if channel is not None:
        if not 0 <= channel < channels:
            raise UsageError(f"{layer}: channel must be from 0 to {channels - 1}; got {channel}.")
        return _grid(list(found[:, channel]), [str(m) for m in range(count)], signed=True, title=layer)
    if channels == 3:
        pictures = [_colour(one) for one in found]
        return _grid(pictures, [str(m) for m in range(count)], signed=False, title=layer)
    pictures = [found[m, c] for m in range(count) for c in range(channels)]
    return _grid(pictures, [], signed=True, title=f"{layer}: a row for each filter", columns=channels)


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


def draw_feature_maps(trace: Trace, layer: str, scale: str = "layer") -> Figure:
    """Draw all feature maps of a layer for the traced sample.

    Parameters
    ----------
    trace : Trace
    layer : str
    scale : {"layer", "map"}
        Whether grey means the same in all maps, or goes from the least to the largest value of each.

    Raises
    ------
    UsageError
        If there is no such layer, or the scale is another.
    """
    if scale not in ("layer", "map"):
        raise UsageError(f"scale: must be 'layer' or 'map'; got {scale!r}.")
    values = trace[layer]
    if values.ndim == 4:
        values = values.reshape(-1, *values.shape[-2:])
    pictures = [values[None]] if values.ndim == 1 else [np.atleast_2d(one) for one in values]
    limits = (float(values.min()), float(values.max())) if scale == "layer" else None
    return _grid(pictures, [str(c) for c in range(len(pictures))], signed=False, title=layer, limits=limits)


def _grid(
    pictures: Sequence[np.ndarray],
    names: Sequence[str],
    *,
    signed: bool,
    title: str,
    columns: int | None = None,
    limits: tuple[float, float] | None = None,
) -> Figure:
    """Draw small pictures in rows; signed ones with 0 in white, red above and blue below."""
    shown = pictures[:MOST_PANELS]
    columns = columns or math.ceil(math.sqrt(len(shown)))
    rows = math.ceil(len(shown) / columns)
    first = new_axes(None, size=(min(12.0, 0.9 * columns + 0.6), min(16.0, 0.9 * rows + 0.8)))
    figure: Any = first.figure
    figure.clear()
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    limit = max((float(np.abs(one).max()) for one in shown), default=1.0) or 1.0
    low, high = (-limit, limit) if signed else (limits or (None, None))
    for panel in panels:
        panel.set_axis_off()
    for number, (panel, one) in enumerate(zip(panels, shown, strict=False)):
        wide = one.ndim == 2 and len(one) == 1
        panel.imshow(
            one, cmap="RdBu_r" if signed else "gray", vmin=low, vmax=high, aspect="auto" if wide else "equal"
        )
        if names:
            panel.set_title(names[number], fontsize=7, pad=2)
    left_out = f", the first {len(shown)} of {len(pictures)}" if len(pictures) > len(shown) else ""
    figure.suptitle(title + left_out, fontsize=10)
    return figure
