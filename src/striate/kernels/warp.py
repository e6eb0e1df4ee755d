"""Kernels that read images between their pixels, for augmentation."""

from __future__ import annotations

import numpy as np
from numba import float32 as f32
from numba import njit

from striate.kernels.vector import Bytes, Floats, Ints, shift


@njit(inline="always")
def _floor(value):
    whole = int(value)
    return whole - 1 if value < f32(whole) else whole


@njit(inline="always")
def _inside(place, size, border):
    """Return the pixel that stands for a place on an axis; -1 if it is outside and shows the fill."""
    if 0 <= place < size:
        return place
    if border == 0:
        return -1
    if border == 1:
        return 0 if place < 0 else size - 1
    folded = place % (2 * size)
    return min(folded, 2 * size - 1 - folded)


@njit(inline="always")
def _pixel(plane, row, column, columns, fill):
    return f32(plane[row * columns + column]) if row >= 0 and column >= 0 else fill


@njit(inline="always")
def _between(p, q, rows, columns):
    """Return whether the four pixels around a place are all inside."""
    return p >= f32(0.0) and q >= f32(0.0) and p < f32(rows - 1) and q < f32(columns - 1)


@njit(inline="always")
def _blend(s, columns, u, v):
    """Return the value between a pixel and its three neighbours to the right and below."""
    upper = f32(s[0]) + v * (f32(s[1]) - f32(s[0]))
    lower = f32(s[columns]) + v * (f32(s[columns + 1]) - f32(s[columns]))
    return upper + u * (lower - upper)


@njit(inline="always")
def _border(s, p, q, rows, columns, border, fill):
    """Return the value at a place anywhere."""
    k, m = _floor(p), _floor(q)
    u, v = p - f32(k), q - f32(m)
    top, bottom = _inside(k, rows, border), _inside(k + 1, rows, border)
    left, right = _inside(m, columns, border), _inside(m + 1, columns, border)
    upper_left, lower_left = _pixel(s, top, left, columns, fill), _pixel(s, bottom, left, columns, fill)
    upper = upper_left + v * (_pixel(s, top, right, columns, fill) - upper_left)
    lower = lower_left + v * (_pixel(s, bottom, right, columns, fill) - lower_left)
    return upper + u * (lower - upper)


@njit(inline="always")
def _warp(x, index, affine, out, planes, rows, columns, count, border, fill):
    size = rows * columns
    for n in range(count):
        a, b, c = affine[6 * n], affine[6 * n + 1], affine[6 * n + 2]
        d, e, f = affine[6 * n + 3], affine[6 * n + 4], affine[6 * n + 5]
        for i in range(rows):
            p0, q0 = a * f32(i) + c, d * f32(i) + f
            # places along a row are monotone, so those with all four pixels inside are neighbours
            first, end = 0, columns
            while first < end and not _between(p0 + b * f32(first), q0 + e * f32(first), rows, columns):
                first += 1
            while end > first and not _between(p0 + b * f32(end - 1), q0 + e * f32(end - 1), rows, columns):
                end -= 1
            for plane in range(planes):
                s = shift(x, (index[n] * planes + plane) * size)
                row = shift(out, (n * planes + plane) * size + i * columns)
                for outer in range(columns - (end - first)):
                    j = outer if outer < first else outer + end - first
                    row[j] = _border(s, p0 + b * f32(j), q0 + e * f32(j), rows, columns, border, fill)
                for j in range(first, end):
                    p, q = p0 + b * f32(j), q0 + e * f32(j)
                    k, m = np.int32(p), np.int32(q)
                    row[j] = _blend(shift(s, k * columns + m), columns, p - f32(k), q - f32(m))


def warp_bytes(
    x: Bytes,
    index: Ints,
    affine: Floats,
    out: Floats,
    planes: int,
    rows: int,
    columns: int,
    count: int,
    border: int,
    fill: float,
):
    """Read ``count`` samples of ``x`` at affinely moved places, by bilinear interpolation.

    ``out[n, plane, i, j] = x[index[n], plane, p, q]`` between its pixels, where
    ``p = A[0, 0] i + A[0, 1] j + A[0, 2]`` and ``q = A[1, 0] i + A[1, 1] j + A[1, 2]``; ``affine`` holds
    A[n] in rows. A pixel outside is ``fill`` (border 0), the nearest one (1), or its mirror image (2).
    """
    _warp(x, index, affine, out, planes, rows, columns, count, border, fill)


def warp_floats(
    x: Floats,
    index: Ints,
    affine: Floats,
    out: Floats,
    planes: int,
    rows: int,
    columns: int,
    count: int,
    border: int,
    fill: float,
):
    """The same as ``warp_bytes`` for samples of float32."""
    _warp(x, index, affine, out, planes, rows, columns, count, border, fill)
