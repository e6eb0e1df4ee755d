"""Values between the places of an input, where a grid asks for them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from striate import layers
from striate.interop.onnx.reading.importer import Importer, Operator, operator
from striate.interop.onnx.reading.operators.arithmetic import add, as_value, multiply
from striate.interop.onnx.reading.values import Unsupported, Value
from striate.reference.sampling import corners, neighbours

MODES = {"bilinear": "linear", "linear": "linear", "bicubic": "cubic", "cubic": "cubic", "nearest": "nearest"}
LARGEST_GRID = 2**22  # places that a selection lists


@operator("GridSample")
def grid_sample(graph: Importer, node: Operator) -> Value:
    """A layer for a grid that depends on the sample; selections with constant weights for one that does not."""
    if isinstance(node.inputs[1], Value):
        return _computed(graph, node)
    return _constant(graph, node)


def _constant(graph: Importer, node: Operator) -> Value:
    """Return a weighted sum of selections: one for each neighbour, as a constant grid says."""
    value, grid = node.value().straight(), np.asarray(node.needed(1), np.float64)
    samples, (channels, *space) = (1, value.sample) if value.batch == 0 else (value.sample[0], value.sample[1:])
    if value.batch not in (None, 0) or grid.shape[0] != samples or grid.shape[-1] != len(space):
        raise Unsupported(f"a grid of {list(grid.shape)} does not fit {list(value.shape)}, alike for all samples")
    lines = 1 if samples > 1 else channels  # every sample has a grid of its own, or all channels share one
    if not np.isfinite(grid).all() or math.prod(grid.shape[:-1]) * channels // lines > LARGEST_GRID:
        raise Unsupported(f"its grid must be finite and ask for at most {LARGEST_GRID:,} values")
    positions = math.prod(space)
    total: Value | None = None
    flat = value.shaped((lines, math.prod(value.sample) // lines))
    starts = positions * np.arange(samples * channels // lines).reshape(samples, -1, 1)
    at = grid.reshape(len(grid), -1, len(space))
    axes = [neighbours(at[..., -1 - axis], n, **_settings(node)) for axis, n in enumerate(space)]
    for places, chosen in corners(axes, space):
        index, weights = starts + places[:, None], np.prod([one.weight for one in chosen], axis=0)
        found = Value.of(graph.apply(layers.Select(index.ravel().tolist(), 1), flat), value)
        share = as_value(graph, np.broadcast_to(weights[:, None], index.shape).reshape(1, -1), found)
        found = multiply(graph, found, share)
        total = found if total is None else add(graph, total, found)
    assert total is not None
    lead = (channels,) if value.batch == 0 else (samples, channels)
    return Value.of(total.straight().node, value, (*lead, *grid.shape[1:-1]))


def _computed(graph: Importer, node: Operator) -> Value:
    """Return an image sampled along a grid that the network computes."""
    value, grid = node.value(), node.value(1)
    plain, shape = value.plain(), grid.straight().sample
    if value.batch is None or grid.batch != 0 or len(plain.shape) != 3 or len(shape) != 3:
        raise Unsupported("a grid that the network computes must be one of images")
    layer = layers.GridSample2d(**_settings(node))
    return Value.of(graph.apply(layer, plain, grid.plain()), value)


def _settings(node: Operator) -> dict[str, Any]:
    return {
        "mode": MODES[node.get("mode", "linear")],
        "padding": node.get("padding_mode", "zeros"),
        "align_corners": bool(node.get("align_corners", 0)),
    }
