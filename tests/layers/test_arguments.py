"""Arguments of layers: canonical forms, size formulas and refusals."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from striate.errors import UsageError
from striate.layers import AvgPool2d, Conv1d, Conv2d, Input, Linear, MaxPool2d
from striate.layers.arguments import output_size, real, resolve_padding


def real_windows(n: int, kernel: int, stride: int, dilation: int, before: int, after: int, ceil_mode: bool) -> int:
    """Count windows one by one; with ``ceil_mode`` one may reach over the edge by less than the stride."""
    count, start, extent = 0, -before, dilation * (kernel - 1) + 1
    while start + extent <= n + after:
        count, start = count + 1, start + stride
    over = start + extent - (n + after)
    if ceil_mode and over < stride and start < n:
        count += 1
    return count


@given(
    n=st.integers(1, 40),
    kernel=st.integers(1, 9),
    stride=st.integers(1, 6),
    dilation=st.integers(1, 4),
    before=st.integers(0, 5),
    after=st.integers(0, 5),
    ceil_mode=st.booleans(),
)
def test_output_size_counts_windows(
    n: int, kernel: int, stride: int, dilation: int, before: int, after: int, ceil_mode: bool
) -> None:
    if ceil_mode:  # only for pooling, whose padding is at most half the window
        before, after = (min(pad, (dilation * (kernel - 1) + 1) // 2) for pad in (before, after))
    expected = real_windows(n, kernel, stride, dilation, before, after, ceil_mode)
    assert output_size(n, kernel, stride, dilation, (before, after), ceil_mode) == expected


@given(n=st.integers(1, 60), kernel=st.integers(1, 9), stride=st.integers(1, 6), dilation=st.integers(1, 4))
def test_same_gives_one_output_per_stride_and_the_odd_zero_after(
    n: int, kernel: int, stride: int, dilation: int
) -> None:
    (pair,) = resolve_padding("same", (n,), (kernel,), (stride,), (dilation,))
    assert output_size(n, kernel, stride, dilation, pair) == math.ceil(n / stride)
    assert pair[1] - pair[0] in (0, 1)


def test_same_is_resolved_for_each_axis_alone() -> None:
    assert Conv2d(1, (4, 3), padding="same", dilation=(1, 3)).window((1, 9, 9)).padding == ((1, 2), (3, 3))


def test_textbook_sizes() -> None:
    assert Conv2d(96, 11, stride=4).output_shape((3, 227, 227)) == (96, 55, 55)
    assert Conv1d(32, 3).output_shape((128, 10)) == (32, 8)
    assert Conv2d(2, 3).output_shape((3, 28, 28)) == (2, 26, 26)
    assert Linear(1000, bias=False).parameters((3 * 200 * 200,))[0].size == 120_000_000
    assert Linear(1, bias=False).parameters((3 * 1024 * 1024,))[0].size == 3_145_728


def test_numbers_of_numpy_are_numbers() -> None:
    assert Conv2d(np.int64(3), np.int32(5), bias=np.bool_(False)) == Conv2d(3, 5, bias=False)  # type: ignore[arg-type]


WRONG: list[tuple[Any, str]] = [
    (lambda: Conv2d(0, 3), "out_channels: must be at least 1; got 0"),
    (lambda: Conv2d(2.0, 3), "out_channels: must be a whole number; got 2.0"),
    (lambda: Conv2d(2, 0), "kernel_size: must be at least 1; got 0"),
    (lambda: Conv2d(2, 3, stride=0), "stride: must be at least 1; got 0"),
    (lambda: Conv2d(2, 3, dilation=-1), "dilation: must be at least 1; got -1"),
    (lambda: Conv2d(2, 3, groups=0), "groups: must be at least 1; got 0"),
    (lambda: Conv2d(2, (3, 3, 3)), r"kernel_size: needs one number, or one for each of 2 axes; got \(3, 3, 3\)"),
    (lambda: Conv2d(2, "33"), "kernel_size: must be a whole number; got '33'"),
    (lambda: Conv2d(2, 3, padding=-1), "padding: must be at least 0; got -1"),
    (lambda: Conv2d(2, 3, padding="full"), 'padding: must be numbers, "same" or "valid"; got \'full\''),
    (lambda: Conv2d(2, 3, padding=(1, 2, 3)), "padding: needs one number, or one item for each of 2 axes"),
    (lambda: Conv2d(2, 3, padding=((1, 2, 3), 0)), "padding: an axis takes a number or .before, after.; got"),
    (lambda: Conv2d(2, 3, bias=1), "bias: must be True or False; got 1"),
    (lambda: Linear(3, bias="no"), "bias: must be True or False; got 'no'"),
    (lambda: MaxPool2d(2, ceil_mode=None), "ceil_mode: must be True or False; got None"),
    (lambda: AvgPool2d(2, count_padding=0), "count_padding: must be True or False; got 0"),
    (lambda: MaxPool2d(2, padding=2), "padding: must be at most half the kernel.* got 2 for a kernel of 2"),
    (lambda: Input(()), r"input: a sample has 1 to 4 axes \(channels first\); got \(\)"),
    (lambda: Input((1, 0, 3)), "input shape: must be at least 1; got 0"),
    (lambda: real("1", "epsilon"), "epsilon: must be a number; got '1'"),
    (lambda: real(math.nan, "epsilon"), "epsilon: must be finite; got nan"),
    (lambda: real(0, "epsilon", above=0), "epsilon: must be above 0; got 0"),
    (lambda: real(1, "rate", 0, 1, closed=True), "rate: must be at least 0 and below 1; got 1"),
]


@pytest.mark.parametrize(("build", "message"), WRONG)
def test_impossible_arguments_are_refused(build: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        build()
