"""Bring the arguments of layers into canonical form, once, when the layer is built."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, cast

from striate.checks import LONGEST, choice, flag, integer, per_axis, real
from striate.errors import ShapeError, UsageError

__all__ = [
    "Padding",
    "Pair",
    "axes",
    "canonical_kernel",
    "canonical_padding",
    "check_groups",
    "choice",
    "expect_space",
    "flag",
    "integer",
    "output_size",
    "per_axis",
    "real",
    "resolve_padding",
    "windows",
]

MOST_TAPS = 2**18
Pair = tuple[int, int]
Padding = str | tuple[Pair, ...]


def axes(value: Any) -> tuple[int, ...]:
    """Return an argument, which is canonical already, with its canonical type for the type checker."""
    return cast("tuple[int, ...]", value)


def canonical_kernel(value: Any, rank: int) -> tuple[int, ...]:
    """Return the size of a kernel on each axis.

    Examples
    --------
    >>> canonical_kernel(3, 2)
    (3, 3)

    Raises
    ------
    UsageError
        If it covers too many positions.
    """
    size = per_axis(value, rank, "kernel_size")
    if math.prod(size) > MOST_TAPS:
        raise UsageError(
            f"kernel_size: must cover at most {MOST_TAPS:,} positions; got {' x '.join(map(str, size))}. "
            "Use a smaller kernel, or pool over the whole space with GlobalAvgPool or GlobalMaxPool."
        )
    return size


def canonical_padding(value: Any, rank: int) -> Padding:
    """Return "same", "valid" as they are, anything else as (before, after) for each axis.

    Examples
    --------
    >>> canonical_padding(1, 2)
    ((1, 1), (1, 1))
    >>> canonical_padding([[0, 1], 2], 2)
    ((0, 1), (2, 2))

    Raises
    ------
    UsageError
        For anything else.
    """
    if isinstance(value, str):
        if value not in ("same", "valid"):
            raise UsageError(f'padding: must be numbers, "same" or "valid"; got {value!r}.')
        return value
    if not isinstance(value, Sequence):
        value = (value,) * rank
    if len(value) != rank:
        raise UsageError(f"padding: needs one number, or one item for each of {rank} axes; got {value!r}.")
    return tuple(_before_after(item) for item in value)


def _before_after(item: Any) -> Pair:
    if not isinstance(item, Sequence):
        item = (item, item)
    if len(item) != 2:
        raise UsageError(f"padding: an axis takes a number or (before, after); got {item!r}.")
    before, after = (integer(part, "padding", 0, LONGEST) for part in item)
    return before, after


def resolve_padding(
    padding: Padding,
    size: Sequence[int],
    kernel: Sequence[int],
    stride: Sequence[int],
    dilation: Sequence[int],
) -> tuple[Pair, ...]:
    """Turn "same" and "valid" into numbers for an input of ``size``.

    "same" gives ceil(size / stride) outputs on every axis; an odd total puts the extra zero after.

    Examples
    --------
    >>> resolve_padding("same", (28, 28), (5, 4), (1, 1), (1, 1))
    ((2, 2), (1, 2))
    """
    if padding == "valid":
        return ((0, 0),) * len(size)
    if isinstance(padding, tuple):
        return padding
    pairs = []
    for n, k, s, d in zip(size, kernel, stride, dilation, strict=True):
        total = max(0, (-(-n // s) - 1) * s + d * (k - 1) + 1 - n)
        pairs.append((total // 2, total - total // 2))
    return tuple(pairs)


def output_size(n: int, kernel: int, stride: int, dilation: int, padding: Pair, ceil_mode: bool = False) -> int:
    """Return floor((n + before + after - dilation (kernel - 1) - 1) / stride) + 1, or 0 if the kernel is too large.

    With ``ceil_mode`` the division rounds up, so a last window may run over the edge, even where it is the only
    one; but no window starts in the padding after the input.

    References
    ----------
    Dumoulin and Visin (2016), "A guide to convolution arithmetic for deep learning", section 2.

    Examples
    --------
    >>> output_size(227, 11, 4, 1, (0, 0))
    55
    >>> output_size(2, 3, 2, 1, (0, 0), ceil_mode=True)
    1
    """
    room = n + padding[0] + padding[1] - dilation * (kernel - 1) - 1
    if not ceil_mode:
        return max(0, room // stride + 1)
    size = max(0, -(-room // stride) + 1)
    return size - 1 if (size - 1) * stride >= n + padding[0] else size


def check_groups(groups: int, shape: Sequence[int], out_channels: int) -> None:
    """Raise ShapeError unless ``groups`` divides the channels of the input ``shape`` and of the output."""
    if shape[0] % groups or out_channels % groups:
        raise ShapeError(
            f"{groups} groups must divide the channels in and out ({shape[0]} and {out_channels}); "
            f"got {' x '.join(map(str, shape))}. "
            f"Use a common divisor, such as groups={math.gcd(shape[0], out_channels)}."
        )


AXES = {
    1: "channels x length",
    2: "channels x rows x columns",
    3: "channels x depth x rows x columns",
}


def expect_space(shape: Sequence[int], rank: int) -> None:
    """Raise ShapeError unless ``shape`` is (channels, *space) with ``rank`` axes of space."""
    if len(shape) != rank + 1:
        got = " x ".join(map(str, shape))
        raise ShapeError(
            f"needs an input of {AXES[rank]}; got {got}. Use a layer for this number of axes, or Reshape."
        )


def windows(
    shape: Sequence[int],
    kernel: Sequence[int],
    stride: Sequence[int],
    dilation: Sequence[int],
    padding: Sequence[Pair],
    ceil_mode: bool = False,
) -> tuple[int, ...]:
    """Return the number of window positions on every axis of ``shape`` (C, *space).

    Raises
    ------
    ShapeError
        If the kernel is larger than the padded input on some axis.
    """
    sizes = tuple(
        output_size(n, k, s, d, p, ceil_mode)
        for n, k, s, d, p in zip(shape[1:], kernel, stride, dilation, padding, strict=True)
    )
    if min(sizes) < 1:
        times = "x".join
        extent = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
        least = [max(1, e - sum(p)) for e, p in zip(extent, padding, strict=True)]
        dilated = "" if extent == list(kernel) else f", dilated to {times(map(str, extent))},"
        raise ShapeError(
            f"a {times(map(str, kernel))} kernel{dilated} needs an input of at least "
            f"{times(map(str, least))}; got {' x '.join(map(str, shape))}. "
            'Use padding="same", or drop a pooling layer.'
        )
    return sizes
