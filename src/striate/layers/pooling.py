"""Pooling: one number for each window of a feature map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, cast

from striate.errors import ShapeError, UsageError
from striate.layers.arguments import (
    Padding,
    Pair,
    axes,
    canonical_kernel,
    canonical_padding,
    expect_space,
    flag,
    per_axis,
    real,
    resolve_padding,
    windows,
)
from striate.layers.base import Layer, Shape, Window, format_shape


@dataclass(frozen=True, repr=False)
class Pooling(Layer):
    """Base of maximum, average and Lp pooling.

    Parameters
    ----------
    kernel_size : int or one int per axis
    stride : int or one int per axis, optional
        Defaults to the kernel size: windows that touch and do not overlap.
    padding : int, one item per axis, "same" or "valid"
        At most half the kernel, so that no window lies outside the input.
    dilation : int or one int per axis
    ceil_mode : bool
        Let the last window run over the edge rather than drop it.
    """

    kind: ClassVar[str] = "pool"
    rank: ClassVar[int]

    kernel_size: int | Sequence[int]
    stride: int | Sequence[int] | None = None
    padding: int | str | Sequence[int | Sequence[int]] = 0
    dilation: int | Sequence[int] = 1
    ceil_mode: bool = False

    def __post_init__(self) -> None:
        put = object.__setattr__
        put(self, "kernel_size", canonical_kernel(self.kernel_size, self.rank))
        stride = self.kernel_size if self.stride is None else self.stride
        put(self, "stride", per_axis(stride, self.rank, "stride"))
        put(self, "dilation", per_axis(self.dilation, self.rank, "dilation"))
        put(self, "padding", canonical_padding(self.padding, self.rank))
        put(self, "ceil_mode", flag(self.ceil_mode, "ceil_mode"))
        self._check_padding()

    def _check_padding(self) -> None:
        if self.padding in ("same", "valid"):
            return
        pairs = cast("tuple[Pair, ...]", self.padding)
        for pair, kernel, dilation in zip(pairs, axes(self.kernel_size), axes(self.dilation), strict=True):
            if 2 * max(pair) > dilation * (kernel - 1) + 1:
                raise UsageError(
                    f"padding: must be at most half the kernel, so that every window meets the input; got "
                    f"{max(pair)} for a kernel of {kernel}. Use a smaller padding."
                )

    def window(self, *inputs: Shape) -> Window:
        """Return kernel, stride, dilation and the padding in numbers for this input."""
        expect_space(inputs[0], self.rank)
        kernel, stride, dilation = map(axes, (self.kernel_size, self.stride, self.dilation))
        numbers = resolve_padding(cast("Padding", self.padding), inputs[0][1:], kernel, stride, dilation)
        return Window(kernel, stride, dilation, numbers)

    def output_shape(self, *inputs: Shape) -> Shape:
        """Return (C, *positions of the window); raises ShapeError if the window does not fit."""
        w = self.window(*inputs)
        space = windows(inputs[0], w.kernel, w.stride, w.dilation, w.padding, self.ceil_mode)
        for n, dilation, pair in zip(inputs[0][1:], w.dilation, w.padding, strict=True):
            if n < dilation and any(pair):  # only then can all taps of a window fall into the padding
                raise ShapeError(
                    f"a dilation of {dilation} must not exceed the padded input; "
                    f"got {format_shape(inputs[0])}. Use a smaller dilation, or padding=0."
                )
        return (inputs[0][0], *space)


@dataclass(frozen=True, repr=False)
class MaxPooling(Pooling):
    """``out[c, p] = max over t of x[c, p * stride + t * dilation - padding]``.

    Of equal values the first wins, forward and backward alike; cells beyond the edge never do.
    """

    keeps_quantisation: ClassVar[bool] = True
    symbols: ClassVar[str] = "the largest value of the window"


@dataclass(frozen=True, repr=False)
class AvgPooling(Pooling):
    """The mean of each window: ``out[c, p] = sum over t of x[c, p * stride + t * dilation - padding] / cells``.

    Parameters
    ----------
    count_padding : bool
        Divide by the whole window (True) or by the part of it inside the input (False).
    """

    linear: ClassVar[bool] = True
    symbols: ClassVar[str] = "mean of the window"

    count_padding: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "count_padding", flag(self.count_padding, "count_padding"))


@dataclass(frozen=True, repr=False)
class LpPooling(Pooling):
    """``(sum over the window of |x|^power)^(1/power)``: the sum for 1, towards the maximum for large powers.

    Parameters
    ----------
    power : float
        At least 1.
    """

    symbols: ClassVar[str] = "(sum of |x|^{0.power:.6g})^(1/{0.power:.6g})"

    power: float = 2.0

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "power", real(self.power, "power", above=1, closed=True))


@dataclass(frozen=True, repr=False)
class MaxPool1d(MaxPooling):
    """Maximum pooling over (C, length)."""

    rank: ClassVar[int] = 1


@dataclass(frozen=True, repr=False)
class MaxPool2d(MaxPooling):
    """Maximum pooling over (C, rows, columns).

    Examples
    --------
    >>> MaxPool2d(2).output_shape((6, 28, 28))
    (6, 14, 14)
    """

    rank: ClassVar[int] = 2


@dataclass(frozen=True, repr=False)
class MaxPool3d(MaxPooling):
    """Maximum pooling over (C, depth, rows, columns)."""

    rank: ClassVar[int] = 3


@dataclass(frozen=True, repr=False)
class AvgPool1d(AvgPooling):
    """Average pooling over (C, length)."""

    rank: ClassVar[int] = 1


@dataclass(frozen=True, repr=False)
class AvgPool2d(AvgPooling):
    """Average pooling over (C, rows, columns).

    Examples
    --------
    >>> AvgPool2d(3, stride=2, padding=1).output_shape((16, 32, 32))
    (16, 16, 16)
    """

    rank: ClassVar[int] = 2


@dataclass(frozen=True, repr=False)
class AvgPool3d(AvgPooling):
    """Average pooling over (C, depth, rows, columns)."""

    rank: ClassVar[int] = 3


@dataclass(frozen=True, repr=False)
class LpPool1d(LpPooling):
    """Lp pooling over (C, length)."""

    rank: ClassVar[int] = 1


@dataclass(frozen=True, repr=False)
class LpPool2d(LpPooling):
    """Lp pooling over (C, rows, columns)."""

    rank: ClassVar[int] = 2


@dataclass(frozen=True, repr=False)
class LpPool3d(LpPooling):
    """Lp pooling over (C, depth, rows, columns)."""

    rank: ClassVar[int] = 3
