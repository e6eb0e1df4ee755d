"""The meaning of sampling along a grid: sums over the neighbours of each position."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from striate.layers.sampling import GridSample2d
from striate.reference.registry import Array, Arrays, Context, Gradients, Inputs, define
from striate.reference.resize import interpolation_slopes, interpolation_weights

REACH = {"nearest": (0, 1), "linear": (0, 2), "cubic": (-1, 3)}
"""First and end of the neighbours of a position, counted from the position rounded down."""


@dataclass(frozen=True)
class Neighbour:
    """One neighbour of every position along an axis: where it is, and what it counts.

    Parameters
    ----------
    place : int64 array
        Inside the image.
    weight : float64 array
        0 for what is beyond the edge, where that is 0.
    slope : float64 array
        Derivative of the weight by the coordinate.
    """

    place: np.ndarray
    weight: Array
    slope: Array


def neighbours(coordinate: Array, n: int, mode: str, padding: str, align_corners: bool) -> list[Neighbour]:
    """Return the neighbours of coordinates from -1 to 1 along an axis of ``n`` pixels; the rest is the layer's."""
    low, high = (0.0, n - 1.0) if align_corners else (-0.5, n - 0.5)
    at = low + (coordinate + 1) / 2 * (high - low)
    turn = np.full_like(at, (high - low) / 2)
    at = np.rint(at) if mode == "nearest" else at
    if padding == "reflection" and mode != "cubic":  # which reflects its neighbours alone
        at, sign = _reflected(at, low, high)
        turn = turn * sign
    first, found = np.floor(at), []
    for step in range(*REACH[mode]):
        place = first + step
        weight, slope = np.ones_like(at), np.zeros_like(at)
        if mode != "nearest":
            weight = interpolation_weights(place - at, mode)
            slope = -interpolation_slopes(place - at, mode) * turn
        if padding == "zeros":
            inside = (place >= 0) & (place < n)
            weight, slope = weight * inside, slope * inside
        elif padding == "reflection":
            place = np.rint(_reflected(place, low, high)[0])
        found.append(Neighbour(np.clip(place, 0, n - 1).astype(int), weight, slope))
    return found


def _reflected(at: Array, low: float, high: float) -> tuple[Array, Array]:
    """Return places reflected at both ends until they lie between them, and the derivative of that: 1 or -1."""
    span = high - low
    if span == 0:
        return np.full_like(at, low), np.zeros_like(at)
    turns = np.abs(at - low) % (2 * span)
    back = turns > span
    sign = np.where(back, -1.0, 1.0) * np.where(at < low, -1.0, 1.0)
    return low + np.where(back, 2 * span - turns, turns), sign


def corners(axes: Sequence[list[Neighbour]], space: Sequence[int]) -> Iterator[tuple[np.ndarray, list[Neighbour]]]:
    """Yield (place in the flattened ``space``, the neighbour along each axis) of all neighbours of positions."""
    for chosen in itertools.product(*axes):
        yield np.ravel_multi_index([one.place for one in chosen], tuple(space)), list(chosen)


@dataclass(frozen=True)
class Corner:
    """One neighbour of every position of a batch.

    Parameters
    ----------
    places : int64[N, positions]
        In the flattened image.
    row, column : Neighbour
        Arrays of [N, positions].
    """

    places: np.ndarray
    row: Neighbour
    column: Neighbour

    @property
    def weight(self) -> Array:
        """What the neighbour counts, float64[N, 1, positions]."""
        return np.asarray((self.row.weight * self.column.weight)[:, None])

    def values(self, x: Array) -> Array:
        """Return the values there, float64[N, C, positions]."""
        return np.take_along_axis(x.reshape(*x.shape[:2], -1), self.places[:, None], axis=2)

    def add(self, grad: Array, values: Array) -> None:
        """Add ``values`` there."""
        flat, samples = grad.reshape(*grad.shape[:2], -1), np.arange(len(grad))
        np.add.at(flat, (samples[:, None, None], np.arange(flat.shape[1])[:, None], self.places[:, None]), values)


def corners_of(layer: GridSample2d, x: Array, grid: Array) -> list[Corner]:
    """Return the neighbours of all positions of a batch."""
    at, space = grid.reshape(len(grid), -1, 2), x.shape[2:]
    settings = (layer.mode, layer.padding, layer.align_corners)
    axes = [neighbours(at[..., 1 - axis], n, *settings) for axis, n in enumerate(space)]
    return [Corner(places, *chosen) for places, chosen in corners(axes, space)]


def sample(found: list[Corner], x: Array, grid: Array) -> Array:
    """Return the weighted sums of the values of all neighbours."""
    total = sum(corner.weight * corner.values(x) for corner in found)
    return np.asarray(total).reshape(*x.shape[:2], *grid.shape[1:3])


def sample_backward(found: list[Corner], x: Array, grid: Array, grad_output: Array) -> tuple[Array, Array]:
    """Return the gradients of the image and of the grid."""
    grad = grad_output.reshape(*grad_output.shape[:2], -1)
    grad_x, grad_grid = np.zeros_like(x), np.zeros_like(grid)
    for corner in found:
        corner.add(grad_x, corner.weight * grad)
        along = (corner.values(x) * grad).sum(axis=1)
        slopes = (corner.row.weight * corner.column.slope, corner.row.slope * corner.column.weight)
        grad_grid += np.stack([along * slope for slope in slopes], axis=-1).reshape(grid.shape)
    return grad_x, grad_grid


@define(GridSample2d)
class _GridSample2d:
    """``out[c, p] = sum over q of w_row(q, p) w_column(q, p) x[c, q]``; the weights depend on the grid."""

    @staticmethod
    def forward(layer: GridSample2d, parameters: Arrays, *inputs: Array, context: Context) -> Array:
        return sample(corners_of(layer, *inputs), *inputs)

    @staticmethod
    def backward(
        layer: GridSample2d, parameters: Arrays, inputs: Inputs, output: Array, grad_output: Array, context: Context
    ) -> Gradients:
        x, grid = inputs
        return sample_backward(corners_of(layer, x, grid), x, grid, grad_output), {}
