"""Convolution in 1, 2 and 3 dimensions (cross-correlation, as everywhere in the field)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, cast

from striate.errors import ShapeError
from striate.layers.arguments import (
    Padding,
    axes,
    canonical_padding,
    expect_space,
    flag,
    integer,
    per_axis,
    resolve_padding,
    windows,
)
from striate.layers.base import Layer, Parameter, Shape, Window, format_shape


@dataclass(frozen=True, repr=False)
class Convolution(Layer):
    """What the convolutions of all dimensions share; use Conv1d, Conv2d or Conv3d.

    ``out[m, p] = bias[m] + sum over c, t of weight[m, c, t] * x[c, p * stride + t * dilation - padding]``

    Parameters
    ----------
    out_channels : int
        Number of filters.
    kernel_size : int or one int per axis
    stride, dilation : int or one int per axis
    padding : int, one item (int or (before, after)) per axis, "same" or "valid"
    groups : int
        Channels are cut into this many groups that do not see each other.
    bias : bool

    References
    ----------
    Dumoulin and Visin (2016), "A guide to convolution arithmetic for deep learning", section 2.
    """

    kind: ClassVar[str] = "conv"
    rank: ClassVar[int]

    out_channels: int
    kernel_size: int | Sequence[int]
    stride: int | Sequence[int] = 1
    padding: int | str | Sequence[int | Sequence[int]] = 0
    dilation: int | Sequence[int] = 1
    groups: int = 1
    bias: bool = True

    def __post_init__(self) -> None:
        put = object.__setattr__
        put(self, "out_channels", integer(self.out_channels, "out_channels"))
        put(self, "kernel_size", per_axis(self.kernel_size, self.rank, "kernel_size"))
        put(self, "stride", per_axis(self.stride, self.rank, "stride"))
        put(self, "dilation", per_axis(self.dilation, self.rank, "dilation"))
        put(self, "padding", canonical_padding(self.padding, self.rank))
        put(self, "groups", integer(self.groups, "groups"))
        put(self, "bias", flag(self.bias, "bias"))

    def window(self, *inputs: Shape) -> Window:
        """Return kernel, stride, dilation and the padding in numbers for this input."""
        expect_space(inputs[0], self.rank)
        kernel, stride, dilation = map(axes, (self.kernel_size, self.stride, self.dilation))
        numbers = resolve_padding(cast("Padding", self.padding), inputs[0][1:], kernel, stride, dilation)
        return Window(kernel, stride, dilation, numbers)

    def output_shape(self, *inputs: Shape) -> Shape:
        """Return (out_channels, *positions of the window)."""
        window = self.window(*inputs)
        channels = inputs[0][0]
        divisor = math.gcd(channels, self.out_channels)
        if channels % self.groups or self.out_channels % self.groups:
            raise ShapeError(
                f"{self.groups} groups must divide the channels in and out ({channels} and {self.out_channels}); "
                f"got {format_shape(inputs[0])}. Use a common divisor, such as groups={divisor}."
            )
        space = windows(inputs[0], window.kernel, window.stride, window.dilation, window.padding)
        return (self.out_channels, *space)

    def parameters(self, *inputs: Shape) -> tuple[Parameter, ...]:
        """Return weight [M, C/groups, *kernel] and bias [M]."""
        kernel = axes(self.kernel_size)
        per_group = inputs[0][0] // self.groups
        taps = math.prod(kernel)
        weight = Parameter(
            "weight",
            (self.out_channels, per_group, *kernel),
            fan_in=per_group * taps,
            fan_out=self.out_channels // self.groups * taps,
            initial="weight",
        )
        return (weight, Parameter("bias", (self.out_channels,))) if self.bias else (weight,)

    def multiply_adds(self, *inputs: Shape) -> int:
        """Return outputs x terms per output."""
        return math.prod(self.output_shape(*inputs)) * self.parameters(*inputs)[0].fan_in


@dataclass(frozen=True, repr=False)
class Conv1d(Convolution):
    """Convolution over signals: input (C, length).

    Examples
    --------
    >>> Conv1d(32, 3).output_shape((128, 10))
    (32, 8)
    """

    rank: ClassVar[int] = 1


@dataclass(frozen=True, repr=False)
class Conv2d(Convolution):
    """Convolution over images: input (C, rows, columns).

    Examples
    --------
    >>> Conv2d(96, 11, stride=4).output_shape((3, 227, 227))
    (96, 55, 55)
    """

    rank: ClassVar[int] = 2


@dataclass(frozen=True, repr=False)
class Conv3d(Convolution):
    """Convolution over volumes or clips: input (C, depth, rows, columns).

    Examples
    --------
    >>> Conv3d(8, 3, padding="same").output_shape((1, 16, 16, 16))
    (8, 16, 16, 16)
    """

    rank: ClassVar[int] = 3
