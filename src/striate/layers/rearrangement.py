"""Layers that move values: axes exchanged, parts selected, channels turned into space."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from striate.errors import ShapeError, UsageError
from striate.layers.arguments import axes, choice, integer
from striate.layers.base import Layer, Shape, format_shape


@dataclass(frozen=True, repr=False)
class Rearrangement(Layer):
    """Base of rearrangements: ``out.ravel()[i] = x.ravel()[sources[i]]``, with sources given by the layer."""

    kind: ClassVar[str] = "rearrange"
    sees_all: ClassVar[bool] = True
    linear: ClassVar[bool] = True
    mixes_channels: ClassVar[bool] = True
    symbols: ClassVar[str] = "x"
    per_axis: ClassVar[frozenset[str]] = frozenset()

    def sources(self, shape: Shape) -> np.ndarray:
        """Return the position in the flattened input of every output, int64[*output_shape]."""
        return self.select(np.arange(math.prod(shape)).reshape(shape))

    def select(self, x: np.ndarray) -> np.ndarray:
        """Return the output for one sample ``x`` [*input_shape]."""
        raise NotImplementedError


def _whole(values: object, what: str, minimum: int | None = 0) -> tuple[int, ...]:
    items = values if isinstance(values, Sequence) and not isinstance(values, str) else (values,)
    low = -(2**62) if minimum is None else minimum
    return tuple(integer(item, what, minimum=low) for item in items)


@dataclass(frozen=True, repr=False)
class Permute(Rearrangement):
    """Exchange axes: axis i of the output is axis ``order[i]`` of the input, ``out[j, i] = x[i, j]`` for (1, 0).

    Parameters
    ----------
    order : sequence of int
        Every axis of a sample once, counted from 0.

    Examples
    --------
    >>> Permute((1, 2, 0)).output_shape((3, 8, 9))
    (8, 9, 3)
    """

    kind: ClassVar[str] = "permute"

    order: Sequence[int]

    def __post_init__(self) -> None:
        order = _whole(self.order, "order")
        if sorted(order) != list(range(len(order))):
            raise UsageError(f"order: needs every axis once, counted from 0; got {self.order!r}.")
        object.__setattr__(self, "order", order)

    def output_shape(self, *inputs: Shape) -> Shape:
        """Return the sides in their new order."""
        if len(inputs[0]) != len(self.order):
            raise ShapeError(
                f"an order of {len(self.order)} axes needs an input with as many; got {format_shape(inputs[0])}. "
                "Name every axis once."
            )
        return tuple(inputs[0][axis] for axis in self.order)

    def select(self, x: np.ndarray) -> np.ndarray:
        """Return ``x`` with its axes exchanged."""
        return x.transpose(self.order)


@dataclass(frozen=True, repr=False)
class Slice(Rearrangement):
    """Every ``step``-th value from ``begin`` on: ``out[i, j] = x[begin0 + i * step0, begin1 + j * step1]``.

    Parameters
    ----------
    begin, size : sequence of int
        First place and number of places on each axis of a sample, channels included.
    step : sequence of int, optional
        1 on every axis by default; negative to go backwards.

    Examples
    --------
    >>> Slice((1, 0, 0), (2, 4, 4)).output_shape((3, 4, 4))
    (2, 4, 4)
    """

    kind: ClassVar[str] = "slice"

    begin: Sequence[int]
    size: Sequence[int]
    step: Sequence[int] | None = None

    def __post_init__(self) -> None:
        begin, size = _whole(self.begin, "begin"), _whole(self.size, "size", 1)
        step = (1,) * len(begin) if self.step is None else _whole(self.step, "step", None)
        if not len(begin) == len(size) == len(step) or 0 in step:
            raise UsageError(
                f"slice: begin, size and step need one item for each axis, and no step is 0; got {begin}, {size} "
                f"and {step}."
            )
        for name, value in (("begin", begin), ("size", size), ("step", step)):
            object.__setattr__(self, name, value)

    def output_shape(self, *inputs: Shape) -> Shape:
        """Return ``size``."""
        shape = inputs[0]
        fits = len(shape) == len(axes(self.size))
        for n, b, count, s in zip(shape, axes(self.begin), axes(self.size), axes(self.step), strict=False):
            fits = fits and b < n and 0 <= b + (count - 1) * s < n
        if not fits:
            raise ShapeError(
                f"a slice must lie inside the input; got {format_shape(shape)} and begin {self.begin}, size "
                f"{self.size}, step {self.step}. Change them."
            )
        return axes(self.size)

    def select(self, x: np.ndarray) -> np.ndarray:
        """Return the part of ``x``."""
        zipped = zip(axes(self.begin), axes(self.size), axes(self.step), strict=True)
        return x[np.ix_(*(b + s * np.arange(count) for b, count, s in zipped))]


@dataclass(frozen=True, repr=False)
class Select(Rearrangement):
    """Select positions of one axis, in any order and number: ``out[i, p] = x[indices[i], p]``.

    Parameters
    ----------
    indices : sequence of int
    axis : int
        Of a sample; 0 are the channels.

    Examples
    --------
    >>> Select((2, 1, 0)).output_shape((3, 8, 8))
    (3, 8, 8)
    """

    kind: ClassVar[str] = "select"

    indices: Sequence[int]
    axis: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "indices", _whole(self.indices, "indices"))
        object.__setattr__(self, "axis", integer(self.axis, "axis", minimum=0))
        if not self.indices:
            raise UsageError("indices: needs at least one position; got none.")

    def output_shape(self, *inputs: Shape) -> Shape:
        """Return the shape with one position on the axis for each index."""
        shape = inputs[0]
        if self.axis >= len(shape) or max(self.indices) >= shape[self.axis]:
            raise ShapeError(
                f"position {max(self.indices)} of axis {self.axis} must exist; got {format_shape(shape)}. "
                "Change the indices or the axis."
            )
        return (*shape[: self.axis], len(self.indices), *shape[self.axis + 1 :])

    def select(self, x: np.ndarray) -> np.ndarray:
        """Return the selected positions of ``x``."""
        return x.take(np.asarray(self.indices), axis=self.axis)


@dataclass(frozen=True, repr=False)
class Expand(Rearrangement):
    """Repeat axes of size 1: ``out[i, j] = x[0, j]`` where the first side is 1 and ``shape`` asks for more.

    Parameters
    ----------
    shape : sequence of int
        Of the output.

    Examples
    --------
    >>> Expand((8, 5, 5)).output_shape((8, 1, 1))
    (8, 5, 5)
    """

    kind: ClassVar[str] = "expand"

    shape: Sequence[int]

    def __post_init__(self) -> None:
        object.__setattr__(self, "shape", _whole(self.shape, "shape", 1))

    def output_shape(self, *inputs: Shape) -> Shape:
        """Return ``shape``."""
        target = axes(self.shape)
        if len(inputs[0]) != len(target) or any(n not in (1, m) for n, m in zip(inputs[0], target, strict=True)):
            raise ShapeError(
                f"only axes of size 1 can be repeated to {format_shape(target)}; got {format_shape(inputs[0])}. "
                "Reshape it first."
            )
        return target

    def select(self, x: np.ndarray) -> np.ndarray:
        """Return ``x`` repeated."""
        return np.broadcast_to(x, axes(self.shape))


@dataclass(frozen=True, repr=False)
class PixelRearrangement(Rearrangement):
    """Base of PixelShuffle and PixelUnshuffle.

    Parameters
    ----------
    factor : int
    order : {"channels", "blocks"}
        How c output channels and the r^2 places of a block lie in the channels: ``c * r^2 + place`` as in
        PyTorch, or ``place * channels + c`` as in TensorFlow.
    """

    factor: int
    order: str = "channels"

    def __post_init__(self) -> None:
        object.__setattr__(self, "factor", integer(self.factor, "factor"))
        object.__setattr__(self, "order", choice(self.order, "order", ("channels", "blocks")))

    def _check(self, shape: Shape, divides: bool) -> None:
        if len(shape) != 3 or not divides:
            raise ShapeError(
                f"needs channels x rows x columns that a factor of {self.factor} divides; got "
                f"{format_shape(shape)}. Change the factor."
            )


@dataclass(frozen=True, repr=False)
class PixelShuffle(PixelRearrangement):
    """Channels become blocks of r x r pixels: ``out[c, y*r + i, x*r + j] = in[c*r*r + i*r + j, y, x]``.

    References
    ----------
    Shi et al. (2016), "Real-time single image and video super-resolution using an efficient sub-pixel
    convolutional neural network", section 3.1.

    Examples
    --------
    >>> PixelShuffle(2).output_shape((12, 8, 8))
    (3, 16, 16)
    """

    kind: ClassVar[str] = "pixel_shuffle"

    def output_shape(self, *inputs: Shape) -> Shape:
        """Return (C / r^2, rows * r, columns * r)."""
        shape, r = inputs[0], self.factor
        self._check(shape, shape[0] % (r * r) == 0)
        return (shape[0] // (r * r), shape[1] * r, shape[2] * r)

    def select(self, x: np.ndarray) -> np.ndarray:
        """Return the channels of ``x`` as blocks."""
        r, (channels, rows, columns) = self.factor, x.shape
        if self.order == "channels":
            blocks = x.reshape(-1, r, r, rows, columns)
        else:
            blocks = x.reshape(r, r, -1, rows, columns).transpose(2, 0, 1, 3, 4)
        return blocks.transpose(0, 3, 1, 4, 2).reshape(channels // (r * r), rows * r, columns * r)


@dataclass(frozen=True, repr=False)
class PixelUnshuffle(PixelRearrangement):
    """Blocks of r x r pixels become channels: ``out[c*r*r + i*r + j, y, x] = in[c, y*r + i, x*r + j]``.

    Examples
    --------
    >>> PixelUnshuffle(2).output_shape((3, 16, 16))
    (12, 8, 8)
    """

    kind: ClassVar[str] = "pixel_unshuffle"

    def output_shape(self, *inputs: Shape) -> Shape:
        """Return (C * r^2, rows / r, columns / r)."""
        shape, r = inputs[0], self.factor
        self._check(shape, not any(side % r for side in shape[1:]))
        return (shape[0] * r * r, shape[1] // r, shape[2] // r)

    def select(self, x: np.ndarray) -> np.ndarray:
        """Return the blocks of ``x`` as channels."""
        r, (channels, rows, columns) = self.factor, x.shape
        blocks = x.reshape(channels, rows // r, r, columns // r, r)
        order = (0, 2, 4, 1, 3) if self.order == "channels" else (2, 4, 0, 1, 3)
        return blocks.transpose(order).reshape(channels * r * r, rows // r, columns // r)
