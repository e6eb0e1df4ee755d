"""Which cells a window touches at every position: what the pictures show, as plain data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Any, Literal, get_args

import numpy as np

from striate.errors import ShapeError, UsageError, unknown_name
from striate.numbers import as_numbers, format_number
from striate.worksheets.arithmetic.axis import Axis
from striate.worksheets.arithmetic.layer import LayerArithmetic
from striate.worksheets.filtering import WindowSum

Statistic = Literal["max", "average"]
Cell = tuple[int, ...]
MOST_CELLS, MOST_FRAMES = 48, 1024  # per axis, per animation


@dataclass(frozen=True)
class Frame:
    """The window at one position.

    Parameters
    ----------
    position : tuple of int
        The output cell.
    taps : tuple of (tuple of int)
        Coordinates of the cells the kernel's taps lie on, in reading order; input cells start at 0, so
        padding is negative or behind the input.
    value : float or None
        The output value, if numbers were given.
    """

    position: Cell
    taps: tuple[Cell, ...]
    value: float | None


@dataclass(frozen=True, eq=False)
class SlidingWindow:
    """A layer's window with its input, ready to be drawn.

    A transposed convolution is shown as what it equals: a convolution with stride 1 and the kernel turned
    around, over an input between whose cells stride - 1 zeros are put.

    Parameters
    ----------
    layer : LayerArithmetic
    x, kernel : float64 arrays or None
        Numbers to show in the cells, and the weights as they lie on the input.
    statistic : {"max", "average"}
        What a pooling layer computes.
    bias : float
        Added to every sum.
    channels : bool
        Whether the first axis of the layer holds channels, over which the window does not move.
    """

    layer: LayerArithmetic
    x: np.ndarray | None = None
    kernel: np.ndarray | None = None
    statistic: Statistic = "max"
    bias: float = 0.0
    channels: bool = False

    @property
    def extent(self) -> tuple[tuple[int, int], ...]:
        """First and one past the last coordinate of every axis: input, padding, and what windows reach."""
        return tuple(_extent(axis) for axis in self.layer.axes)

    @property
    def padded(self) -> tuple[tuple[int, int], ...]:
        """First and one past the last coordinate of the padded input of every axis."""
        return tuple(_padded(axis) for axis in self.layer.axes)

    def input_cell(self, cell: Cell) -> Cell | None:
        """Return the input cell at a coordinate, None for padding and inserted zeros."""
        found = []
        for at, axis in zip(cell, self.layer.axes, strict=True):
            step = axis.stride if axis.kind == "transposed" else 1
            if at % step or not 0 <= at // step < axis.input:
                return None
            found.append(at // step)
        return tuple(found)

    def value_at(self, cell: Cell) -> float | None:
        """Return the number of a cell, 0 for padding; None without numbers."""
        if self.x is None:
            return None
        found = self.input_cell(cell)
        return 0.0 if found is None else float(self.x[found])

    def frame(self, *position: int) -> Frame:
        """Return the window over one output cell.

        Raises
        ------
        ShapeError
            For a position outside the output.
        """
        shape = self.layer.output_size
        if len(position) != len(shape) or any(not 0 <= at < n for at, n in zip(position, shape, strict=False)):
            raise ShapeError(f"window: positions lie within {shape}, counted from 0; got {position}.")
        starts = [_start(axis, at) for axis, at in zip(self.layer.axes, position, strict=True)]
        lines = [
            range(start, start + axis.effective_kernel, axis.dilation)
            for start, axis in zip(starts, self.layer.axes, strict=True)
        ]
        taps = tuple(product(*lines))
        return Frame(position, taps, self._value(taps))

    def frames(self) -> Iterator[Frame]:
        """Yield the window at every position, in reading order."""
        for position in np.ndindex(self.layer.output_size):
            yield self.frame(*position)

    def _value(self, taps: tuple[Cell, ...]) -> float | None:
        if self.x is None:
            return None
        if self.layer.kind == "pooling":
            inside = [float(self.x[cell]) for tap in taps if (cell := self.input_cell(tap)) is not None]
            if not inside:
                return None
            return max(inside) if self.statistic == "max" else sum(inside) / len(inside)
        if self.kernel is None:
            return None
        terms = (w * (self.value_at(tap) or 0.0) for w, tap in zip(self.kernel.flat, taps, strict=True))
        return float(sum(terms)) + self.bias

    def sum_text(self, frame: Frame) -> str:
        """Return the sum of one position, such as ``1*2 + 3*(-1) = -1``; "" without numbers and a kernel.

        With channels, a line for each of them and one that adds them up.
        """
        if self.x is None or self.kernel is None or frame.value is None:
            return ""
        numbers = np.array([self.value_at(tap) for tap in frame.taps], dtype=np.float64)
        if self.channels:
            return self._channel_sums(frame.position[1:], numbers.reshape(len(self.kernel), -1), frame.value)
        return str(WindowSum(frame.position, numbers, self.kernel.ravel(), frame.value, self.bias))

    def _channel_sums(self, position: Cell, numbers: np.ndarray, value: float) -> str:
        assert self.kernel is not None
        kernels = self.kernel.reshape(numbers.shape)
        sums = (numbers * kernels).sum(axis=1)
        lines = [
            str(WindowSum(position, x, kernel, float(total))).replace("out[", f"channel {number}[", 1)
            for number, (x, kernel, total) in enumerate(zip(numbers, kernels, sums, strict=True))
        ]
        added = " + ".join(map(format_number, [*sums.tolist(), *([self.bias] if self.bias else [])]))
        place = ", ".join(map(str, position))
        return "\n".join([*lines, f"out[{place}] = {added.replace('+ -', '- ')} = {format_number(value)}"])


def sliding_window(
    layer: LayerArithmetic,
    x: Any = None,
    kernel: Any = None,
    *,
    statistic: Statistic = "max",
    bias: float = 0.0,
    channels: bool = False,
) -> SlidingWindow:
    """Return a layer's window, ready to be drawn, with numbers in its cells if they are given.

    Parameters
    ----------
    layer : LayerArithmetic
        From `striate.worksheets.arithmetic.convolution`, `transposed_convolution` or `pooling`.
    x : array of the layer's input size, optional
    kernel : array of the layer's kernel size, optional
    statistic : {"max", "average"}
        What a pooling layer computes.
    bias : float
        Added to every sum.
    channels : bool
        Whether the first axis of the layer holds channels: its kernel is as deep as its input, and the sums of
        the channels are written one by one. Pictures with two channels are such a layer of three axes.

    Raises
    ------
    ShapeError
        For numbers of another size.
    UsageError
        For a layer too large to be drawn.

    Examples
    --------
    >>> from striate.worksheets.arithmetic import convolution
    >>> window = sliding_window(convolution((4,), 3, padding=1), [1, 2, 3, 4], [1, 1, 1])
    >>> window.frame(0)
    Frame(position=(0,), taps=((-1,), (0,), (1,)), value=3.0)
    """
    if statistic not in get_args(Statistic):
        raise unknown_name("window: statistic", str(statistic), get_args(Statistic))
    numbers = _sized("x", x, layer.input_size)
    weights = _sized("kernel", kernel, layer.kernel_size)
    if weights is not None and layer.kind == "transposed":
        weights = np.flip(weights)
    window = SlidingWindow(layer, numbers, weights, statistic, bias, channels)
    widest = max(stop - start for start, stop in window.extent)
    if max(widest, *layer.output_size) > MOST_CELLS or prod(layer.output_size) > MOST_FRAMES:
        raise UsageError(
            f"window: at most {MOST_CELLS} cells per axis and {MOST_FRAMES} positions are drawn; got {widest} "
            f"cells and {prod(layer.output_size)} positions. Use a smaller input with the same kernel."
        )
    return window


def _sized(name: str, values: Any, size: tuple[int, ...]) -> np.ndarray | None:
    if values is None:
        return None
    array = as_numbers("window", name, values)
    if array.shape != size:
        raise ShapeError(f"window: {name} needs the layer's size {size}; got shape {array.shape}. Change one.")
    return array


def _start(axis: Axis, position: int) -> int:
    """Return the coordinate of the first tap."""
    if axis.kind == "transposed":
        return position + axis.padding[0] - (axis.effective_kernel - 1)
    return position * axis.stride - axis.padding[0]


def _cells(axis: Axis) -> int:
    """Return the cells between the first and the last input cell, zeros between them included."""
    return (axis.input - 1) * axis.stride + 1 if axis.kind == "transposed" else axis.input


def _padded(axis: Axis) -> tuple[int, int]:
    if axis.kind == "transposed":
        last = _start(axis, axis.output - 1) + axis.effective_kernel
        return min(0, _start(axis, 0)), max(_cells(axis), last)
    return -axis.padding[0], axis.input + axis.padding[1]


def _extent(axis: Axis) -> tuple[int, int]:
    start, stop = _padded(axis)
    return start, max(stop, _start(axis, axis.output - 1) + axis.effective_kernel)
