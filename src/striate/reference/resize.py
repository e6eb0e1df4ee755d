"""The meaning of interpolation: one matrix for each axis."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from striate.layers.resize import Resize
from striate.reference.registry import Array, Arrays, Context, Gradients, Inputs, define
from striate.reference.shape import along
from striate.reference.sparse import SparseMatrix


def coordinates(n: int, size: int, scale: float, how: str) -> Array:
    """Return where every output position lies in the input, float64[size].

    Examples
    --------
    >>> coordinates(3, 5, 5 / 3, "align_corners").tolist()
    [0.0, 0.5, 1.0, 1.5, 2.0]
    """
    p = np.arange(size, dtype=np.float64)
    if how == "asymmetric":
        return p / scale
    if how == "align_corners":
        return p * (n - 1) / (n * scale - 1) if size > 1 else p * 0
    if how == "pytorch_half_pixel" and size == 1:
        return np.zeros(1)
    offset = 0.0
    if how == "half_pixel_symmetric":
        offset = n / 2 * (1 - size / (n * scale))
    return offset + (p + 0.5) / scale - 0.5


def cropped(n: int, size: int, region: Sequence[float]) -> Array:
    """Return where every output position lies in the input for a region of an axis, float64[size]."""
    first, last = region
    if size == 1:
        return np.array([0.5 * (first + last) * (n - 1)])
    return (first + np.arange(size) * (last - first) / (size - 1)) * (n - 1)


def _round(place: Array, how: str) -> Array:
    if how == "floor":
        return np.asarray(np.floor(place))
    if how == "ceil":
        return np.asarray(np.ceil(place))
    return np.ceil(place - 0.5) if how == "round_prefer_floor" else np.floor(place + 0.5)


def interpolation_weights(distance: Array, mode: str, cubic: float = -0.75) -> Array:
    """Return what a value at ``distance`` counts in ``mode`` "linear" or "cubic".

    References
    ----------
    Keys (1981), "Cubic convolution interpolation for digital image processing", section II.
    """
    d = np.abs(distance)
    if mode == "linear":
        return np.asarray(np.maximum(0.0, 1.0 - d))
    a = cubic
    near = ((a + 2) * d - (a + 3)) * d * d + 1
    far = ((a * d - 5 * a) * d + 8 * a) * d - 4 * a
    return np.where(d <= 1, near, np.where(d < 2, far, 0.0))


def interpolation_slopes(distance: Array, mode: str, cubic: float = -0.75) -> Array:
    """Return the derivative of ``interpolation_weights`` by the distance; on a corner that towards 0 from above."""
    d, a = np.abs(distance), cubic
    if mode == "linear":
        return np.where(distance > 0, -1.0, 1.0)
    near = (3 * (a + 2) * d - 2 * (a + 3)) * d
    far = (3 * a * d - 10 * a) * d + 8 * a
    return np.asarray(np.sign(distance) * np.where(d <= 1, near, np.where(d < 2, far, 0.0)))


def resize_matrix(
    layer: Resize, n: int, size: int, scale: float, region: Sequence[float] | None = None
) -> SparseMatrix:
    """Return float64[size, n], sparse: what each input counts in each output along one axis.

    Examples
    --------
    >>> resize_matrix(Resize((3,), coordinates="align_corners"), 2, 3, 1.5).toarray().tolist()
    [[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]]
    """
    place = coordinates(n, size, scale, layer.coordinates) if region is None else cropped(n, size, region)
    inside = np.ones(size) if region is None else ((place >= 0) & (place <= n - 1)).astype(np.float64)
    rows = np.arange(size)
    if layer.mode == "nearest":
        nearest = np.clip(_round(place, layer.rounding), 0, n - 1).astype(int)
        return SparseMatrix.summed(inside, rows, nearest, (size, n))
    shrink = min(1.0, scale) if layer.antialias else 1.0
    reach = (1 if layer.mode == "linear" else 2) / shrink
    first = np.floor(place).astype(int)
    source = first[:, None] + np.arange(-int(np.ceil(reach)) + 1, int(np.ceil(reach)) + 1)
    share = interpolation_weights((source - place[:, None]) * shrink, layer.mode, layer.cubic)
    if layer.exclude_outside:
        share = np.where((source >= 0) & (source < n), share, 0.0)
    if layer.exclude_outside or layer.antialias:
        share = share / share.sum(axis=1, keepdims=True)
    share = share * inside[:, None]
    columns = np.clip(source, 0, n - 1)
    return SparseMatrix.summed(share.ravel(), np.repeat(rows, source.shape[1]), columns.ravel(), (size, n))


def matrices(layer: Resize, shape: tuple[int, ...]) -> list[SparseMatrix]:
    """Return the matrix of each axis of space for the input ``shape`` (C, *space)."""
    sizes = layer.output_shape(shape)[1:]
    regions = layer.region or (None,) * len(sizes)
    zipped = zip(shape[1:], sizes, layer.scales(shape), regions, strict=True)
    return [resize_matrix(layer, n, size, scale, region) for n, size, scale, region in zipped]


@define(Resize)
class _Resize:
    """``out = R x`` along each axis of space, with R from ``resize_matrix``."""

    @staticmethod
    def forward(layer: Resize, parameters: Arrays, *inputs: Array, context: Context) -> Array:
        x = inputs[0]
        for axis, matrix in enumerate(matrices(layer, x.shape[1:]), start=2):
            x = along(matrix, x, axis)
        return x

    @staticmethod
    def backward(
        layer: Resize, parameters: Arrays, inputs: Inputs, output: Array, grad_output: Array, context: Context
    ) -> Gradients:
        grad = grad_output
        for axis, matrix in enumerate(matrices(layer, inputs[0].shape[1:]), start=2):
            grad = along(matrix.T, grad, axis)
        return (grad,), {}
