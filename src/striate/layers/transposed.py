"""Transposed convolution in 1, 2 and 3 dimensions: the adjoint of convolution, which enlarges."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, cast

from striate.errors import ShapeError, UsageError
from striate.layers.arguments import (
    Pair,
    axes,
    canonical_kernel,
    canonical_padding,
    check_groups,
    expect_space,
    flag,
    integer,
    per_axis,
)
from striate.layers.base import Layer, Parameter, Shape, Window, format_shape


@dataclass(frozen=True, repr=False)
class TransposedConvolution(Layer):
    """Base of the transposed convolutions of all dimensions; use ConvTranspose1d, 2d or 3d.

    Every input puts a weighted copy of the kernel into the output:
    ``out[m, p * stride + t * dilation - padding] += weight[c, m, t] * x[c, p]``, then ``+ bias[m]``.

    Parameters
    ----------
    out_channels : int
    kernel_size : int or one int per axis
    stride : int or one int per axis
    dilation : int or one int per axis
    padding : int, one item (int or (before, after)) per axis, "same" or "valid"
        Cut from the output; "same" makes the output ``stride`` times as large as the input.
    output_padding : int or one int per axis
        Added to the output after; less than the larger of stride and dilation.
    groups : int
    bias : bool

    References
    ----------
    Dumoulin and Visin (2016), "A guide to convolution arithmetic for deep learning", section 4.
    """

    kind: ClassVar[str] = "conv_transpose"
    rank: ClassVar[int]
    linear: ClassVar[bool] = True
    symbols: ClassVar[str] = "sum of weight * x over the inputs whose kernel reaches here"

    out_channels: int
    kernel_size: int | Sequence[int]
    stride: int | Sequence[int] = 1
    padding: int | str | Sequence[int | Sequence[int]] = 0
    output_padding: int | Sequence[int] = 0
    dilation: int | Sequence[int] = 1
    groups: int = 1
    bias: bool = True

    def __post_init__(self) -> None:
        put = object.__setattr__
        put(self, "out_channels", integer(self.out_channels, "out_channels"))
        put(self, "kernel_size", canonical_kernel(self.kernel_size, self.rank))
        put(self, "stride", per_axis(self.stride, self.rank, "stride"))
        put(self, "padding", canonical_padding(self.padding, self.rank))
        put(self, "output_padding", per_axis(self.output_padding, self.rank, "output_padding", minimum=0))
        put(self, "dilation", per_axis(self.dilation, self.rank, "dilation"))
        put(self, "groups", integer(self.groups, "groups"))
        put(self, "bias", flag(self.bias, "bias"))
        self._check_output_padding()
        put(self, "padding", self._numbers())

    def _check_output_padding(self) -> None:
        for extra, s, d in zip(axes(self.output_padding), axes(self.stride), axes(self.dilation), strict=True):
            if extra and extra >= max(s, d):
                raise UsageError(
                    f"output_padding: must be below the larger of stride and dilation ({max(s, d)}); got {extra}."
                )

    def _numbers(self) -> tuple[Pair, ...]:
        """Return the padding in numbers; "same" does not depend on the input here."""
        if self.padding == "valid":
            return ((0, 0),) * self.rank
        if self.padding != "same":
            return cast("tuple[Pair, ...]", self.padding)
        pairs = []
        for extent, s, extra in zip(self._extents(), axes(self.stride), axes(self.output_padding), strict=True):
            total = extent + extra - s
            if total < 0:
                raise UsageError(
                    f'padding: "same" needs a kernel of at least the stride; got {extent} and stride {s}. '
                    f"Use kernel_size={s}, or output_padding={s - extent}."
                )
            pairs.append(((extent - s) // 2 if extent >= s else 0, 0))
            pairs[-1] = (pairs[-1][0], total - pairs[-1][0])
        return tuple(pairs)

    def _extents(self) -> tuple[int, ...]:
        return tuple(d * (k - 1) + 1 for k, d in zip(axes(self.kernel_size), axes(self.dilation), strict=True))

    def window(self, *inputs: Shape) -> Window:
        """Return the kernel over the input spread out by the stride."""
        expect_space(inputs[0], self.rank)
        pairs = tuple(
            (extent - 1 - before, extent - 1 - after + extra)
            for extent, (before, after), extra in zip(
                self._extents(), cast("tuple[Pair, ...]", self.padding), axes(self.output_padding), strict=True
            )
        )
        kernel, dilation = axes(self.kernel_size), axes(self.dilation)
        return Window(kernel, (1,) * self.rank, dilation, pairs, zoom=axes(self.stride))

    def output_shape(self, *inputs: Shape) -> Shape:
        """Return (out_channels, *(n - 1) * stride + extent - padding + output_padding).

        Raises ShapeError if nothing is left.
        """
        expect_space(inputs[0], self.rank)
        check_groups(self.groups, inputs[0], self.out_channels)
        space = tuple(
            (n - 1) * s + extent - sum(pair) + extra
            for n, s, extent, pair, extra in zip(
                inputs[0][1:],
                axes(self.stride),
                self._extents(),
                cast("tuple[Pair, ...]", self.padding),
                axes(self.output_padding),
                strict=True,
            )
        )
        if min(space) < 1:
            raise ShapeError(
                f"padding must leave something of the output; got {format_shape(inputs[0])} and padding "
                f"{self.padding}. Use less padding."
            )
        return (self.out_channels, *space)

    def parameters(self, *inputs: Shape) -> tuple[Parameter, ...]:
        """Return weight [C, M/groups, *kernel] and bias [M]."""
        kernel, channels = axes(self.kernel_size), inputs[0][0]
        taps, per_group = math.prod(kernel), self.out_channels // self.groups
        fan_in = max(1, channels // self.groups * taps // math.prod(axes(self.stride)))
        weight = Parameter("weight", (channels, per_group, *kernel), fan_in, per_group * taps, "weight")
        return (weight, Parameter("bias", (self.out_channels,))) if self.bias else (weight,)

    def multiply_adds(self, *inputs: Shape) -> int:
        """Return input positions x weights."""
        return math.prod(inputs[0][1:]) * self.parameters(*inputs)[0].size


@dataclass(frozen=True, repr=False)
class ConvTranspose1d(TransposedConvolution):
    """Transposed convolution over signals: input (C, length)."""

    rank: ClassVar[int] = 1


@dataclass(frozen=True, repr=False)
class ConvTranspose2d(TransposedConvolution):
    """Transposed convolution over images: input (C, rows, columns).

    Examples
    --------
    >>> ConvTranspose2d(8, 4, stride=2, padding="same").output_shape((16, 7, 7))
    (8, 14, 14)
    """

    rank: ClassVar[int] = 2


@dataclass(frozen=True, repr=False)
class ConvTranspose3d(TransposedConvolution):
    """Transposed convolution over volumes or clips: input (C, depth, rows, columns)."""

    rank: ClassVar[int] = 3
