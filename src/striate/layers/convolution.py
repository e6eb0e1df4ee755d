"""Convolution in 1, 2 and 3 dimensions (cross-correlation, as usual in the field)."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, cast

from striate.errors import ShapeError, UsageError
from striate.layers.arguments import (
    Padding,
    axes,
    canonical_kernel,
    canonical_padding,
    check_groups,
    choice,
    expect_space,
    flag,
    integer,
    per_axis,
    resolve_padding,
    windows,
)
from striate.layers.base import Layer, Parameter, Shape, Window, format_shape
from striate.layers.padding import PADDING_MODES, check_reach


@dataclass(frozen=True, repr=False)
class Convolution(Layer):
    """Base of the convolutions of all dimensions; use Conv1d, Conv2d or Conv3d.

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
    padding_mode : {"zeros", "replicate", "reflect", "circular"}
        What stands beyond the edge: zeros, the edge value again, the image mirrored at the edge value, or
        its other side.
    connections : one sequence of input channels per filter, optional
        The input channels that each filter sees, instead of all of them; the weight is then
        [number of connections, *kernel], filter by filter.

    References
    ----------
    Dumoulin and Visin (2016), "A guide to convolution arithmetic for deep learning", section 2.
    LeCun et al. (1998), "Gradient-based learning applied to document recognition", table I (connections).
    """

    kind: ClassVar[str] = "conv"
    rank: ClassVar[int]
    linear: ClassVar[bool] = True
    symbols: ClassVar[str] = "sum of weight * x"

    out_channels: int
    kernel_size: int | Sequence[int]
    stride: int | Sequence[int] = 1
    padding: int | str | Sequence[int | Sequence[int]] = 0
    dilation: int | Sequence[int] = 1
    groups: int = 1
    bias: bool = True
    padding_mode: str = "zeros"
    connections: Sequence[Sequence[int]] | None = None

    def __post_init__(self) -> None:
        put = object.__setattr__
        put(self, "out_channels", integer(self.out_channels, "out_channels"))
        put(self, "kernel_size", canonical_kernel(self.kernel_size, self.rank))
        put(self, "stride", per_axis(self.stride, self.rank, "stride"))
        put(self, "dilation", per_axis(self.dilation, self.rank, "dilation"))
        put(self, "padding", canonical_padding(self.padding, self.rank))
        put(self, "groups", integer(self.groups, "groups"))
        put(self, "bias", flag(self.bias, "bias"))
        put(self, "padding_mode", choice(self.padding_mode, "padding_mode", PADDING_MODES))
        put(self, "connections", canonical_connections(self.connections, self.out_channels, self.groups))

    def window(self, *inputs: Shape) -> Window:
        """Return kernel, stride, dilation and the padding in numbers for this input."""
        expect_space(inputs[0], self.rank)
        kernel, stride, dilation = map(axes, (self.kernel_size, self.stride, self.dilation))
        numbers = resolve_padding(cast("Padding", self.padding), inputs[0][1:], kernel, stride, dilation)
        return Window(kernel, stride, dilation, numbers, beyond=self.padding_mode)

    def unpadded(self) -> Convolution:
        """Return the convolution of the positions where the whole kernel fits."""
        return dataclasses.replace(self, padding=0, padding_mode="zeros")

    def output_shape(self, *inputs: Shape) -> Shape:
        """Return (out_channels, *positions of the window).

        Raises ShapeError if the kernel, the groups or the connections do not fit.
        """
        window = self.window(*inputs)
        channels = inputs[0][0]
        check_groups(self.groups, inputs[0], self.out_channels)
        if self.connections and max(map(max, self.connections)) >= channels:
            raise ShapeError(
                f"connections must name channels 0 to {channels - 1}; got {format_shape(inputs[0])} and a "
                f"connection to channel {max(map(max, self.connections))}. Remove it, or add input channels."
            )
        check_reach(self.padding_mode, window.padding, inputs[0])
        space = windows(inputs[0], window.kernel, window.stride, window.dilation, window.padding)
        return (self.out_channels, *space)

    def parameters(self, *inputs: Shape) -> tuple[Parameter, ...]:
        """Return weight [M, C/groups, *kernel] (with connections [their number, *kernel]) and bias [M]."""
        kernel = axes(self.kernel_size)
        taps, channels = math.prod(kernel), inputs[0][0]
        if self.connections:
            count = sum(map(len, self.connections))
            shape: Shape = (count, *kernel)
            fans = (max(1, count * taps // self.out_channels), max(1, count * taps // channels))
        else:
            shape = (self.out_channels, channels // self.groups, *kernel)
            fans = (channels // self.groups * taps, self.out_channels // self.groups * taps)
        weight = Parameter("weight", shape, *fans, initial="weight")
        return (weight, Parameter("bias", (self.out_channels,))) if self.bias else (weight,)

    def multiply_adds(self, *inputs: Shape) -> int:
        """Return positions x weights."""
        positions = math.prod(self.output_shape(*inputs)[1:])
        return positions * self.parameters(*inputs)[0].size


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


def canonical_connections(value: object, out_channels: int, groups: int) -> tuple[tuple[int, ...], ...] | None:
    """Return a connection table as tuples; None stays None.

    Raises
    ------
    UsageError
        If there is not one row of different channels per filter, or there are groups too.
    """
    if value is None:
        return None
    rows = value if isinstance(value, Sequence) and not isinstance(value, str) else ()
    if len(rows) != out_channels or not all(isinstance(row, Sequence) and len(row) for row in rows):
        raise UsageError(
            f"connections: needs one sequence of input channels for each of {out_channels} filters; got {value!r}."
        )
    table = tuple(tuple(integer(channel, "connections", minimum=0) for channel in row) for row in rows)
    for row in table:
        if list(row) != sorted(set(row)):
            raise UsageError(f"connections: a filter must name each channel once, in ascending order; got {row!r}.")
    if groups != 1:
        raise UsageError(f"connections: cannot be combined with groups; got groups={groups}. Use one or the other.")
    return table
