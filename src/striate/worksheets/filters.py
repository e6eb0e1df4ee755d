"""Filters with a name, and filters typed as numbers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from striate.errors import ShapeError, UsageError, unknown_name
from striate.numbers import as_numbers, parse_numbers

LARGEST = 1001  # taps per axis of gaussian:SIGMA and average:N

_SIGNAL: dict[str, list[float]] = {
    "identity": [0, 1, 0],
    "derivative": [-1, 0, 1],
    "laplacian": [1, -2, 1],
    "blur": [1 / 4, 2 / 4, 1 / 4],
    "sharpen": [-1, 3, -1],
    "emboss": [-1, 1, 1],
}
_PICTURE: dict[str, list[list[float]]] = {
    "identity": [[0, 0, 0], [0, 1, 0], [0, 0, 0]],
    "derivative": [[-1, 0, 1]],
    "derivative-x": [[-1, 0, 1]],
    "derivative-y": [[-1], [0], [1]],
    "sobel-x": [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]],
    "sobel-y": [[-1, -2, -1], [0, 0, 0], [1, 2, 1]],
    "prewitt-x": [[-1, 0, 1], [-1, 0, 1], [-1, 0, 1]],
    "prewitt-y": [[-1, -1, -1], [0, 0, 0], [1, 1, 1]],
    "laplacian": [[0, 1, 0], [1, -4, 1], [0, 1, 0]],
    "outline": [[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]],
    "blur": [[1 / 16, 2 / 16, 1 / 16], [2 / 16, 4 / 16, 2 / 16], [1 / 16, 2 / 16, 1 / 16]],
    "sharpen": [[0, -1, 0], [-1, 5, -1], [0, -1, 0]],
    "emboss": [[-2, -1, 0], [-1, 1, 1], [0, 1, 2]],
}


def filter_names(dimensions: int) -> tuple[str, ...]:
    """Return the names that `make_filter` knows for signals (1) or pictures (2)."""
    return (*(_SIGNAL if dimensions == 1 else _PICTURE), "average:N", "gaussian:SIGMA")


def make_filter(kernel: Any, dimensions: int) -> np.ndarray:
    """Return the filter that a name, a text of numbers or an array stands for.

    The filters are meant for cross-correlation: "sobel-x" is positive where the picture grows brighter
    to the right, "sobel-y" where it grows brighter downwards.

    Parameters
    ----------
    kernel : str or array
        A name such as "sobel-x", "gaussian:1.5" (SIGMA in cells, cut at 4 SIGMA) or "average:5", numbers such
        as "[[1, 0], [0, -1]]", or an array.
    dimensions : int
        1 for signals, 2 for pictures; an array may have one axis more, of channels.

    Returns
    -------
    float64 array

    Raises
    ------
    UsageError
        For a name that is not known, uneven rows, or anything but numbers.
    ShapeError
        For a filter with the wrong number of axes.

    Examples
    --------
    >>> make_filter("laplacian", 1), make_filter("[[1, 0], [0, -1]]", 2).shape
    (array([ 1., -2.,  1.]), (2, 2))
    """
    if isinstance(kernel, str) and not kernel.lstrip().startswith(("[", "(")):
        return _named(kernel.strip(), dimensions)
    read = parse_numbers(kernel, "kernel") if isinstance(kernel, str) else kernel
    array = as_numbers("kernel", "the rows", read)
    if array.ndim not in (dimensions, dimensions + 1):
        fix = "Write [[...]] for one row of a picture." if dimensions == 2 else "Write [...] for a signal."
        raise ShapeError(
            f"kernel: a {'signal' if dimensions == 1 else 'picture'} needs a kernel of {dimensions} "
            f"ax{'i' if dimensions == 1 else 'e'}s; got shape {array.shape}. {fix}"
        )
    return array


def _named(name: str, dimensions: int) -> np.ndarray:
    kind, _, setting = name.partition(":")
    if kind == "gaussian":
        return _outer(gaussian_weights(_setting(name, setting)), dimensions)
    if kind == "average":
        width = _setting(name, setting)
        if width != int(width):
            raise UsageError(f"kernel: average:N needs a whole number; got {name!r}. Write average:3.")
        return _outer(np.full(int(width), 1 / int(width)), dimensions)
    table: dict[str, Any] = _SIGNAL if dimensions == 1 else _PICTURE
    if name not in table:
        if dimensions == 1 and name in _PICTURE:
            raise UsageError(f"kernel: {name} is for pictures; got a signal. Use derivative, or write numbers.")
        raise unknown_name("kernel", name, filter_names(dimensions))
    return np.array(table[name], dtype=np.float64)


def gaussian_weights(sigma: float) -> np.ndarray:
    """Return weights exp(-i^2/(2 sigma^2)) with sum 1 for abs(i) up to 4 sigma.

    Examples
    --------
    >>> gaussian_weights(0.5).round(3)
    array([0.   , 0.106, 0.787, 0.106, 0.   ])
    """
    radius = int(4 * sigma + 0.5)
    cells = np.arange(-radius, radius + 1)
    weights = np.exp(-0.5 * (cells / sigma) ** 2)
    return np.asarray(weights / weights.sum())


def _setting(name: str, setting: str) -> float:
    try:
        value = float(setting)
    except ValueError:
        value = math.nan
    if not 0 < value <= (LARGEST if name.startswith("average") else LARGEST / 8 - 1):
        raise UsageError(
            f"kernel: {name.partition(':')[0]}: needs a positive number of cells after the colon, such as "
            f"gaussian:1.5 or average:3; got {name!r}."
        )
    return value


def _outer(weights: np.ndarray, dimensions: int) -> np.ndarray:
    return weights if dimensions == 1 else np.outer(weights, weights)
