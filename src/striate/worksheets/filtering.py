"""Cross-correlation and true convolution of signals and pictures, with every sum written out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from striate.drawing.notebook import Readable
from striate.errors import ShapeError, unknown_name
from striate.numbers import as_numbers, format_array, format_number
from striate.reference.convolution import taps
from striate.worksheets.arithmetic.arguments import (
    AXIS_NAMES,
    Padding,
    Size,
    count_dimensions,
    padding_pairs,
    per_axis,
)
from striate.worksheets.arithmetic.axis import Axis
from striate.worksheets.filters import make_filter

Meaning = Literal["cross-correlation", "convolution"]
Border = Literal["zeros", "replicate", "reflect", "circular"]
_NUMPY_MODES = {"zeros": "constant", "replicate": "edge", "reflect": "reflect", "circular": "wrap"}
LARGEST_BOARD = 64  # sums that are written out by ``str``


@dataclass(frozen=True, eq=False)
class WindowSum:
    """One output value as a sum of products.

    Parameters
    ----------
    position : tuple of int
        Where it stands in the output.
    window, kernel : float64 arrays of the same shape
        Padded input under the kernel, and the kernel as it lies on it.
    value : float
        The output value.
    bias : float
        What was added to the sum of the products.
    """

    position: tuple[int, ...]
    window: np.ndarray
    kernel: np.ndarray
    value: float
    bias: float = 0.0

    @property
    def products(self) -> np.ndarray:
        """Window times kernel."""
        return np.asarray(self.window * self.kernel)

    def __str__(self) -> str:
        terms = zip(self.window.flat, self.kernel.flat, strict=True)
        written = " + ".join(f"{_bracketed(x)}*{_bracketed(w)}" for x, w in terms)
        products = [format_number(p) for p in (*self.products.flat, self.bias) if p]
        written += f" + {_bracketed(self.bias)}" if self.bias else ""
        steps = [written]
        if len(products) > 1:
            steps.append(" + ".join(products).replace("+ -", "- "))
        place = ", ".join(map(str, self.position))
        return f"out[{place}] = {' = '.join([*steps, format_number(self.value)])}"


@dataclass(frozen=True, eq=False, repr=False)
class Filtered(Readable):
    """A filtered signal or picture; ``print`` a small one to see every sum.

    Parameters
    ----------
    values : float64 array
        The result: [*positions], or [C, *positions] when every channel was filtered by itself.
    padded : float64[C, *cells]
        The input with its border.
    kernel : float64[C, *taps]
        The kernel as it lies on the input (turned around for a true convolution).
    meaning : {"cross-correlation", "convolution"}
    border : {"zeros", "replicate", "reflect", "circular"}
    axes : tuple of Axis
        Sizes, padding, stride and dilation.
    bias : float
        What was added to every sum.
    """

    values: np.ndarray
    padded: np.ndarray
    kernel: np.ndarray
    meaning: Meaning
    border: Border
    axes: tuple[Axis, ...]
    bias: float = 0.0

    def clip(self, least: float) -> np.ndarray:
        """Return the values, those below `least` replaced by it: with 0, what ReLU makes of them."""
        return np.asarray(np.maximum(self.values, least))

    def step(self, *position: int) -> WindowSum:
        """Return the sum of one output value.

        Raises
        ------
        ShapeError
            For a position outside the output.
        """
        if len(position) != self.values.ndim or any(
            not 0 <= at < n for at, n in zip(position, self.values.shape, strict=False)
        ):
            raise ShapeError(f"step: positions lie within {self.values.shape}, counted from 0; got {position}.")
        channel = position[0] if self.values.ndim > len(self.axes) else None
        spot = position[-len(self.axes) :]
        cut = tuple(
            slice(at * axis.stride, at * axis.stride + axis.effective_kernel, axis.dilation)
            for at, axis in zip(spot, self.axes, strict=True)
        )
        window, kernel = self.padded[(slice(None), *cut)], self.kernel
        if channel is not None:
            window = window[channel : channel + 1]
        if len(window) == 1:
            window, kernel = window[0], kernel[0]
        return WindowSum(position, window, kernel, float(self.values[position]), self.bias)

    def steps(self) -> Iterator[WindowSum]:
        """Yield the sum of every output value, in reading order."""
        for position in np.ndindex(self.values.shape):
            yield self.step(*position)

    def __str__(self) -> str:
        shape, taps = self.padded.shape, self.kernel.shape
        border = "" if not any(sum(axis.padding) for axis in self.axes) else f", border of {self.border}"
        cells = " x ".join(str(axis.input) for axis in self.axes)
        kernel = " x ".join(str(axis.kernel) for axis in self.axes)
        channels = f", {shape[0]} channels" if shape[0] > 1 else ""
        lines = [f"{self.meaning} of {cells} values{channels} with a kernel of {kernel}{border}"]
        if self.values.size <= LARGEST_BOARD and np.prod(taps) <= LARGEST_BOARD:
            turned = " (turned around)" if self.meaning == "convolution" else ""
            lines.append(f"kernel{turned} {_table(self.kernel)}")
            lines += [str(step) for step in self.steps()]
        lines.append(f"result {_table(self.values)}")
        return "\n".join(lines)


def convolve(
    x: Any,
    kernel: Any,
    *,
    meaning: Meaning = "cross-correlation",
    padding: Padding = "valid",
    border: Border = "zeros",
    stride: Size = 1,
    dilation: Size = 1,
    bias: float = 0.0,
) -> Filtered:
    """Filter a signal or a picture and keep what is needed to write out every sum.

    ``out[p] = bias + sum over t of kernel[t] * x[p*stride + t*dilation - padding]`` for cross-correlation (what
    convolution layers compute); a true convolution turns the kernel around first.

    Parameters
    ----------
    x : array [length], [rows, columns] or [channels, rows, columns]
    kernel : str or array
        See `make_filter`. On a picture with channels a kernel [rows, columns] filters each channel by itself;
        a kernel [channels, rows, columns] adds up the channels.
    meaning : {"cross-correlation", "convolution"}
    padding : "valid", "same", "full", int or sequence
        Cells around the input: none, so many that the output is as large (with stride 1), as many as
        still touch the input, or as given (one number, or one number or (before, after) per axis).
    border : {"zeros", "replicate", "reflect", "circular"}
        What those cells hold: zeros, the nearest cell, the picture mirrored at the middle of its last
        cell, or the picture repeated.
    stride, dilation : int or sequence of int
    bias : float
        Added to every sum.

    Raises
    ------
    UsageError
        For a name or number that cannot mean anything.
    ShapeError
        For axes that do not fit, or a kernel larger than the padded input.

    Examples
    --------
    >>> convolve([4, 1, 1, 2, 3, 5, 8, 13], [1, -2, 1]).values
    array([3., 1., 0., 1., 1., 2.])
    >>> print(convolve([4, 1, 1, 2], "derivative").step(1))
    out[1] = 1*(-1) + 1*0 + 2*1 = -1 + 2 = 1
    """
    if meaning not in get_args(Meaning):
        raise unknown_name("convolve: meaning", str(meaning), get_args(Meaning))
    if border not in get_args(Border):
        raise unknown_name("convolve: border", str(border), get_args(Border))
    cells = as_numbers("convolve", "the input", x)
    if cells.ndim not in (1, 2, 3):
        raise ShapeError(
            f"convolve: the input is a signal [length] or a picture [rows, columns] or [channels, rows, columns]; "
            f"got shape {cells.shape}. Give one picture at a time."
        )
    dimensions = 1 if cells.ndim == 1 else 2
    weights = make_filter(kernel, dimensions)
    each = cells.ndim == 3 and weights.ndim == 2
    cells = cells if cells.ndim > dimensions else cells[None]
    weights = weights if weights.ndim > dimensions else weights[None]
    if not each and len(weights) != len(cells):
        raise ShapeError(
            f"convolve: a kernel with channels needs as many as the input ({len(cells)}); got {len(weights)}. "
            f"Give a kernel without channels to filter each channel by itself."
        )
    if meaning == "convolution":
        weights = np.flip(weights, axis=tuple(range(1, dimensions + 1)))
    axes = _axes(cells.shape[1:], weights.shape[1:], padding, stride, dilation)
    padded = np.pad(cells, ((0, 0), *(axis.padding for axis in axes)), mode=_NUMPY_MODES[border])  # type: ignore[call-overload]
    values = _correlate(padded[:, None] if each else padded[None], weights, axes)
    return Filtered((values if each else values[0]) + bias, padded, weights, meaning, border, axes, bias)


def _axes(
    cells: tuple[int, ...], taps: tuple[int, ...], padding: Padding, stride: Size, dilation: Size
) -> tuple[Axis, ...]:
    count = count_dimensions("convolve", len(cells), {"stride": stride, "dilation": dilation})
    strides = per_axis("convolve", "stride", stride, count)
    dilations = per_axis("convolve", "dilation", dilation, count)
    reach = tuple(d * (k - 1) + 1 for k, d in zip(taps, dilations, strict=True))
    if padding == "full":
        pairs: tuple[tuple[int, int], ...] = tuple((r - 1, r - 1) for r in reach)
    else:
        pairs = padding_pairs("convolve", padding, "convolution", cells, reach, strides)
    parts = zip(AXIS_NAMES[count], cells, taps, strides, pairs, dilations, strict=True)
    return tuple(Axis(name, "convolution", n, k, s, p, d) for name, n, k, s, p, d in parts)


def _correlate(padded: np.ndarray, weights: np.ndarray, axes: tuple[Axis, ...]) -> np.ndarray:
    """Return float64[N, *positions] from float64[N, C, *cells] and float64[C, *taps], summed in the written order.

    Adding one product of every sum at a time takes no more memory than the result, however large the kernel.
    """
    strides, dilations = [axis.stride for axis in axes], [axis.dilation for axis in axes]
    out = np.zeros((len(padded), *(axis.output for axis in axes)))
    for channel, kernel in enumerate(weights):
        for tap, part in taps(kernel.shape, strides, dilations, out.shape[1:]):
            out += kernel[tap] * padded[(slice(None), channel, *part)]
    return out


def _bracketed(value: float) -> str:
    text = format_number(value)
    return f"({text})" if value < 0 else text


def _table(values: np.ndarray) -> str:
    """Return a vector on its line, a small matrix on lines of its own, and only the shape of a larger array."""
    if values.ndim > 1 and len(values) == 1:
        values = values[0]
    if values.ndim < 2 or values.size > 24 * 24:
        return format_array(values, largest=LARGEST_BOARD)
    blocks = values if values.ndim == 3 else values[None]
    texts = [[[format_number(value) for value in row] for row in block] for block in blocks]
    width = max(len(text) for block in texts for row in block for text in row)
    lines = ["\n".join("  " + " ".join(text.rjust(width) for text in row) for row in block) for block in texts]
    return "\n" + "\n  and\n".join(lines)
