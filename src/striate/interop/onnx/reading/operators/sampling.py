"""Values between the places of an input, where a constant grid asks for them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

import numpy as np

from striate import layers
from striate.interop.onnx.reading.importer import Importer, Operator, operator
from striate.interop.onnx.reading.operators.arithmetic import add, as_value, multiply
from striate.interop.onnx.reading.values import Unsupported, Value
from striate.reference.resize import interpolation_weights

MODES = {"bilinear": "linear", "linear": "linear", "bicubic": "cubic", "cubic": "cubic", "nearest": "nearest"}
REACH = {"nearest": (0, 1), "linear": (0, 2), "cubic": (-1, 3)}
"""First and end of the neighbours of a place, counted from the place rounded down."""
LARGEST_GRID = 2**22  # places that a selection lists


@operator("GridSample")
def grid_sample(graph: Importer, node: Operator) -> Value:
    """A weighted sum of selections: one for each neighbour, as a constant grid says."""
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
    for places, weights in _neighbours(node, grid, tuple(space)):
        index = starts + places[:, None]
        found = Value.of(graph.apply(layers.Select(index.ravel().tolist(), 1), flat), value)
        share = as_value(graph, np.broadcast_to(weights[:, None], index.shape).reshape(1, -1), found)
        found = multiply(graph, found, share)
        total = found if total is None else add(graph, total, found)
    assert total is not None
    lead = (channels,) if value.batch == 0 else (samples, channels)
    return Value.of(total.straight().node, value, (*lead, *grid.shape[1:-1]))


def _neighbours(
    node: Operator, grid: np.ndarray, space: tuple[int, ...]
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield places among all of ``space`` and their weights, each [samples, outputs], neighbour by neighbour."""
    grid = grid.reshape(len(grid), -1, len(space))
    axes = [_along(node, grid[..., -1 - axis], n) for axis, n in enumerate(space)]
    for chosen in itertools.product(*axes):
        places = np.ravel_multi_index([place for place, _ in chosen], space)
        yield places, np.prod([weight for _, weight in chosen], axis=0)


def _along(node: Operator, coordinate: np.ndarray, n: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return places and weights along an axis with ``n`` of them, for coordinates from -1 to 1."""
    mode, padding = MODES[node.get("mode", "linear")], node.get("padding_mode", "zeros")
    corners = bool(node.get("align_corners", 0))
    low, high = (0.0, n - 1.0) if corners else (-0.5, n - 0.5)
    at = low + (coordinate + 1) / 2 * (high - low)
    at = np.rint(at) if mode == "nearest" else at
    if padding == "border":
        at = np.where((at < low) | (at > high), np.clip(at, 0, n - 1), at)
    elif padding == "reflection":
        at = _reflected(at, low, high)
    first, found = np.floor(at), []
    for step in range(*REACH[mode]):
        place = first + step
        weight = np.ones_like(at) if mode == "nearest" else interpolation_weights(place - at, mode)
        if padding == "zeros":
            weight = np.where((place >= 0) & (place < n), weight, 0.0)
        place = np.rint(_reflected(place, low, high)) if padding == "reflection" else place
        found.append((np.clip(place, 0, n - 1).astype(int), weight))
    return found


def _reflected(at: np.ndarray, low: float, high: float) -> np.ndarray:
    """Return places reflected at both ends until they lie between them."""
    span = high - low
    if span == 0:
        return np.full_like(at, low)
    turns = np.abs(at - low) % (2 * span)
    return np.asarray(low + np.minimum(turns, 2 * span - turns))
