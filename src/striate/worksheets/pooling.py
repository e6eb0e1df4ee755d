"""Pooling of a small array, with the winner of every window."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from striate.drawing.notebook import Readable
from striate.errors import ShapeError, unknown_name
from striate.numbers import as_numbers, format_array, format_number
from striate.reference.pooling import parts
from striate.worksheets.arithmetic.arguments import Padding, Size
from striate.worksheets.arithmetic.axis import Axis
from striate.worksheets.arithmetic.build import pooling
from striate.worksheets.arithmetic.layer import LayerArithmetic
from striate.worksheets.filtering import LARGEST_BOARD

Statistic = Literal["max", "average"]


@dataclass(frozen=True, eq=False)
class PooledWindow:
    """One output value of a pooling layer.

    Parameters
    ----------
    position : tuple of int
        Where it stands in the output.
    window : float64 array
        The values under the window that belong to the input, in reading order.
    cells : tuple of (tuple of int)
        Where they stand in the input.
    statistic : {"max", "average"}
    """

    position: tuple[int, ...]
    window: np.ndarray
    cells: tuple[tuple[int, ...], ...]
    statistic: Statistic

    @property
    def value(self) -> float:
        """The largest value, or the mean."""
        return float(self.window.max() if self.statistic == "max" else self.window.mean())

    @property
    def winner(self) -> tuple[int, ...] | None:
        """Where the largest value stands in the input, of equal ones the first; None for averages."""
        return self.cells[int(self.window.argmax())] if self.statistic == "max" else None

    def __str__(self) -> str:
        numbers = [format_number(value) for value in self.window]
        place = ", ".join(map(str, self.position))
        if self.statistic == "max":
            winner = ", ".join(map(str, self.winner or ()))
            return f"out[{place}] = max({', '.join(numbers)}) = {format_number(self.value)}, from x[{winner}]"
        total = " + ".join(numbers).replace("+ -", "- ")
        return f"out[{place}] = ({total})/{len(numbers)} = {format_number(self.value)}"


@dataclass(frozen=True, eq=False, repr=False)
class Pooled(Readable):
    """A pooled array; ``print`` a small one to see every window.

    Parameters
    ----------
    x : float64 array
        The input.
    statistic : {"max", "average"}
    axes : tuple of Axis
        Sizes, padding, stride and dilation.
    """

    x: np.ndarray
    statistic: Statistic
    axes: tuple[Axis, ...]

    @property
    def values(self) -> np.ndarray:
        """The result, float64."""
        layer: Any = LayerArithmetic(self.axes, 1, 1).layer
        x = self.x[None, None]
        if self.statistic == "max":
            return np.asarray(functools.reduce(np.maximum, parts(layer, x, -np.inf))[0, 0])
        counts = functools.reduce(np.add, parts(layer, np.ones_like(x), 0.0))
        return np.asarray((functools.reduce(np.add, parts(layer, x, 0.0)) / counts)[0, 0])

    def step(self, *position: int) -> PooledWindow:
        """Return one output value with its window.

        Raises
        ------
        ShapeError
            For a position outside the output.
        """
        shape = tuple(axis.output for axis in self.axes)
        if len(position) != len(shape) or any(not 0 <= at < n for at, n in zip(position, shape, strict=False)):
            raise ShapeError(f"step: positions lie within {shape}, counted from 0; got {position}.")
        taps = [
            [cell for t in range(axis.kernel) if 0 <= (cell := _first(axis, at) + t * axis.dilation) < axis.input]
            for at, axis in zip(position, self.axes, strict=True)
        ]
        cells = tuple(
            tuple(int(c) for c in cell)
            for cell in np.stack(np.meshgrid(*taps, indexing="ij"), -1).reshape(-1, len(taps))
        )
        return PooledWindow(position, self.x[np.ix_(*taps)].ravel(), cells, self.statistic)

    def steps(self) -> Iterator[PooledWindow]:
        """Yield every output value, in reading order."""
        for position in np.ndindex(*(axis.output for axis in self.axes)):
            yield self.step(*position)

    def __str__(self) -> str:
        values = self.values
        lines = [f"{self.statistic} pooling of {' x '.join(map(str, self.x.shape))} values"]
        if values.size <= LARGEST_BOARD:
            lines += [str(step) for step in self.steps()]
        return "\n".join([*lines, f"result {format_array(values, LARGEST_BOARD)}"])


def pool(
    x: Any,
    kernel: Size,
    *,
    statistic: Statistic = "max",
    stride: Size | None = None,
    padding: Padding = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
) -> Pooled:
    """Pool a signal, picture or volume; padding never wins and never counts in a mean.

    Parameters
    ----------
    x : array with one to three axes
    kernel, stride, padding, dilation, ceil_mode
        As in `striate.worksheets.arithmetic.pooling`; the stride is the kernel's size if not given.
    statistic : {"max", "average"}

    Raises
    ------
    UsageError, ShapeError
        For settings that cannot mean anything or do not fit.

    Examples
    --------
    >>> print(pool([[3, 0], [0, 1]], 2))
    max pooling of 2 x 2 values
    out[0, 0] = max(3, 0, 0, 1) = 3, from x[0, 0]
    result [3]
    """
    if statistic not in get_args(Statistic):
        raise unknown_name("pool: statistic", str(statistic), get_args(Statistic))
    cells = as_numbers("pool", "the input", x)
    if cells.ndim not in (1, 2, 3):
        raise ShapeError(f"pool: the input has one to three axes; got shape {cells.shape}. Pool one channel.")
    layer = pooling(cells.shape, kernel, stride=stride, padding=padding, dilation=dilation, ceil_mode=ceil_mode)
    pooled = Pooled(cells, statistic, layer.axes)
    _check_windows(layer.axes)
    return pooled


def _first(axis: Axis, position: int) -> int:
    return position * axis.stride - axis.padding[0]


def _check_windows(axes: tuple[Axis, ...]) -> None:
    """Refuse settings in which the taps of a dilated window all fall beside the input."""
    for axis in axes:
        for at in range(axis.output):
            taps = range(_first(axis, at), _first(axis, at) + axis.effective_kernel, axis.dilation)
            if not any(0 <= tap < axis.input for tap in taps):
                raise ShapeError(
                    f"pool: every window must hold a value; got window {at} of the {axis.name} with none. "
                    f"Use less padding or dilation."
                )
