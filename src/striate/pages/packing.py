"""Numbers of layers as JSON types, for the pages: packed arrays, windows, rows of a matrix."""

from __future__ import annotations

import base64

import numpy as np

from striate.explain.decompositions import Cell
from striate.explain.decompositions.grid import window_positions
from striate.explain.decompositions.linear import slopes
from striate.layers.base import Window


def pack(values: np.ndarray, kind: str = "f4") -> dict[str, str]:
    """Return an array as text: base64 of little-endian numbers of ``kind`` ("f4", "f8" or "i4")."""
    data = np.ascontiguousarray(values, f"<{kind}").tobytes()
    return {"type": kind, "data": base64.b64encode(data).decode("ascii")}


def exact(values: np.ndarray) -> dict[str, str]:
    """Pack numbers in as few bytes as hold them exactly."""
    return pack(values, "f4" if (values.astype(np.float32) == values).all() else "f8")


def shortest(values: np.ndarray, channels: int) -> list[float] | dict[str, str]:
    """Return the one number that stands for all values, one for each channel, or all of them."""
    if (values == values[0]).all():
        return [float(values[0])]
    rows = values.reshape(channels, -1)
    return list(map(float, rows[:, 0])) if (rows == rows[:, :1]).all() else exact(values)


def tables(window: Window, shape: tuple[int, ...], output: tuple[int, ...]) -> list[list[list[int]]]:
    """Return for each axis and position of the output where the taps lie in the input; -1 beyond the edge."""
    found = []
    for axis, count in enumerate(output[1:]):
        at = [tuple(p if other == axis else 0 for other in range(len(output) - 1)) for p in range(count)]
        found.append([window_positions(window, shape[1:], place, window.beyond)[axis].tolist() for place in at])
    return found


def matrix(cell: Cell, count: int, at_once: int = 64) -> list[np.ndarray]:
    """Return the rows of a linear layer's matrix, its inputs one after the other, float64[count, inputs]."""
    rows: list[np.ndarray] = []
    for first in range(0, count, at_once):
        chosen = range(first, min(first + at_once, count))
        grad = np.zeros((len(chosen), count))
        grad[np.arange(len(chosen)), chosen] = 1.0
        parts = slopes(cell, grad.reshape(len(chosen), *cell.output.shape))
        rows.extend(np.concatenate([part.reshape(len(chosen), -1) for part in parts], axis=1))
    return rows
