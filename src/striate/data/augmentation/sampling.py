"""Values of an image between its pixels."""

from __future__ import annotations

from typing import Literal

import numpy as np

Border = Literal["constant", "edge", "reflect"]


def sample(x: np.ndarray, affine: np.ndarray, border: Border = "constant", fill: float = 0.0) -> np.ndarray:
    """Return images read at affinely moved places, by bilinear interpolation.

    ``out[n, c, i, j] = sum over the 4 pixels (k, l) around (p, q) of
    (1 - |p - k|) * (1 - |q - l|) * x[n, c, k, l]``  with
    ``p = A[0, 0] i + A[0, 1] j + A[0, 2]``  and  ``q = A[1, 0] i + A[1, 1] j + A[1, 2]``.

    A pixel (k, l) outside the image has the value ``fill`` ("constant"), that of the nearest pixel ("edge"),
    or that of its mirror image, ``b a | a b c | c b`` ("reflect").

    Parameters
    ----------
    x : floating point [N, C, H, W]
    affine : float32[N, 2, 3]
        Rows, columns and 1 of the result to rows and columns of the source, from 0.
    border : {"constant", "edge", "reflect"}
    fill : float

    Returns
    -------
    of the type and shape of ``x``
        Places and weights are computed in float64.
    """
    samples, _, height, width = x.shape
    rows, columns = np.meshgrid(np.arange(height), np.arange(width), indexing="ij")
    place = np.stack([rows, columns, np.ones_like(rows)]).reshape(3, -1)
    at = affine.astype(np.float64) @ place
    first = np.floor(at)
    share = at - first
    first = first.astype(np.int64)
    out = np.zeros((samples, x.shape[1], height * width), np.float64)
    for down in (0, 1):
        for right in (0, 1):
            weight = np.abs(1 - down - share[:, 0]) * np.abs(1 - right - share[:, 1])
            out += weight[:, np.newaxis] * _taps(x, first[:, 0] + down, first[:, 1] + right, border, fill)
    return out.reshape(x.shape).astype(x.dtype)


def _taps(x: np.ndarray, row: np.ndarray, column: np.ndarray, border: Border, fill: float) -> np.ndarray:
    """Return the pixels at whole places (int64[N, P]) as [N, C, P]."""
    height, width = x.shape[2:]
    number = np.arange(len(x))[:, np.newaxis]
    inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
    found = x[number, :, _index(row, height, border), _index(column, width, border)].transpose(0, 2, 1)
    return np.where(inside[:, np.newaxis], found, fill) if border == "constant" else found


def _index(place: np.ndarray, size: int, border: Border) -> np.ndarray:
    """Return the pixel used for a position on an axis, which may lie outside the image."""
    if border == "reflect":
        folded = np.mod(place, 2 * size)
        return np.asarray(np.minimum(folded, 2 * size - 1 - folded))
    return np.asarray(np.clip(place, 0, size - 1))
