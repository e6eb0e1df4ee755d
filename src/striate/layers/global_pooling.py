"""Pooling whose windows follow from the size of the input: global and adaptive."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from striate.errors import ShapeError
from striate.layers.arguments import axes, expect_space, per_axis
from striate.layers.base import Layer, Shape, Window, format_shape


@dataclass(frozen=True, repr=False)
class GlobalPooling(Layer):
    """Base of global pooling: one number for each channel, whatever the space."""

    kind: ClassVar[str] = "global_pool"
    sees_all: ClassVar[bool] = True

    def output_shape(self, *inputs: Shape) -> Shape:
        """Return (C,); raises ShapeError for an input without space."""
        if len(inputs[0]) < 2:
            raise ShapeError(f"needs an input with space; got {format_shape(inputs[0])}. Leave the layer out.")
        return (inputs[0][0],)


@dataclass(frozen=True, repr=False)
class GlobalAvgPool(GlobalPooling):
    """The mean of each channel: ``out[c] = sum over p of x[c, p] / positions``.

    References
    ----------
    Lin, Chen and Yan (2014), "Network in network", section 3.2.

    Examples
    --------
    >>> GlobalAvgPool().output_shape((512, 7, 7))
    (512,)
    """

    linear: ClassVar[bool] = True
    symbols: ClassVar[str] = "mean of the channel"


@dataclass(frozen=True, repr=False)
class GlobalMaxPool(GlobalPooling):
    """``out[c] = max over p of x[c, p]``; among equal values the first one gets the gradient."""

    symbols: ClassVar[str] = "the largest value of the channel"


def part_of(n: int, parts: int, number: int) -> range:
    """Return the positions of one of ``parts`` parts of an axis of length ``n``."""
    return range(number * n // parts, -(-(number + 1) * n // parts))


@dataclass(frozen=True, repr=False)
class AdaptivePooling(Layer):
    """Base of adaptive pooling: windows that cut the input into ``output_size`` parts as equal as possible.

    Part i of o along an axis of n positions has the positions ``floor(i n / o)`` to ``ceil((i + 1) n / o)``
    (exclusive).

    Parameters
    ----------
    output_size : int or one int per axis
    """

    kind: ClassVar[str] = "adaptive_pool"
    rank: ClassVar[int]

    output_size: int | Sequence[int]

    def __post_init__(self) -> None:
        object.__setattr__(self, "output_size", per_axis(self.output_size, self.rank, "output_size"))

    def output_shape(self, *inputs: Shape) -> Shape:
        """Return (C, *output_size)."""
        expect_space(inputs[0], self.rank)
        return (inputs[0][0], *axes(self.output_size))

    def window(self, *inputs: Shape) -> Window:
        """Return the largest window; exact where ``output_size`` divides the input."""
        expect_space(inputs[0], self.rank)
        pairs = list(zip(inputs[0][1:], axes(self.output_size), strict=True))
        kernel = tuple(-(-n // o) + (1 if n % o and n > o and o % (n % o) else 0) for n, o in pairs)
        stride = tuple(max(1, n // o) for n, o in pairs)
        ones = (1,) * self.rank
        return Window(kernel, stride, ones, ((0, 0),) * self.rank)

    def parts(self, shape: Shape) -> list[list[range]]:
        """Return the positions of every part along each axis of an input of ``shape`` (C, *space)."""
        return [
            [part_of(n, o, i) for i in range(o)] for n, o in zip(shape[1:], axes(self.output_size), strict=True)
        ]


@dataclass(frozen=True, repr=False)
class AdaptiveAvgPooling(AdaptivePooling):
    """The mean of each part: ``out[c, i] = mean of x[c, p]`` over the positions p of part i."""

    linear: ClassVar[bool] = True
    symbols: ClassVar[str] = "mean of the window"


@dataclass(frozen=True, repr=False)
class AdaptiveMaxPooling(AdaptivePooling):
    """The largest value of each part: ``out[c, i] = max of x[c, p]``; among equal values the first one counts."""

    symbols: ClassVar[str] = "largest value of the window"


@dataclass(frozen=True, repr=False)
class AdaptiveAvgPool1d(AdaptiveAvgPooling):
    """Adaptive average pooling over (C, length)."""

    rank: ClassVar[int] = 1


@dataclass(frozen=True, repr=False)
class AdaptiveAvgPool2d(AdaptiveAvgPooling):
    """Adaptive average pooling over (C, rows, columns).

    Examples
    --------
    >>> AdaptiveAvgPool2d(6).output_shape((256, 13, 13))
    (256, 6, 6)
    """

    rank: ClassVar[int] = 2


@dataclass(frozen=True, repr=False)
class AdaptiveAvgPool3d(AdaptiveAvgPooling):
    """Adaptive average pooling over (C, depth, rows, columns)."""

    rank: ClassVar[int] = 3


@dataclass(frozen=True, repr=False)
class AdaptiveMaxPool1d(AdaptiveMaxPooling):
    """Adaptive max pooling over (C, length)."""

    rank: ClassVar[int] = 1


@dataclass(frozen=True, repr=False)
class AdaptiveMaxPool2d(AdaptiveMaxPooling):
    """Adaptive max pooling over (C, rows, columns).

    Examples
    --------
    >>> AdaptiveMaxPool2d(6).output_shape((256, 13, 13))
    (256, 6, 6)
    """

    rank: ClassVar[int] = 2


@dataclass(frozen=True, repr=False)
class AdaptiveMaxPool3d(AdaptiveMaxPooling):
    """Adaptive max pooling over (C, depth, rows, columns)."""

    rank: ClassVar[int] = 3
