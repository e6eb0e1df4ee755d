"""Sizes, parameters and work of layers against textbook numbers, brute force and PyTorch."""

import re

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from striate.errors import ShapeError, UsageError
from striate.worksheets.arithmetic import (
    Axis,
    convolution,
    dense,
    filled,
    pooling,
    solve,
    symbols,
    transposed_convolution,
)

small = st.integers(1, 4)


# Textbook numbers


def test_alexnet_first_layer():
    layer = convolution(227, 11, stride=4, in_channels=3, out_channels=96)
    assert layer.output_shape == (1, 96, 55, 55)
    assert layer.parameters == 34_944
    assert layer.multiply_adds == 105_415_200
    assert layer.same_padding == ((4, 4), (4, 4))


def test_lenet_sides():
    sides = [32]
    for layer in (convolution, pooling, convolution, pooling):
        kernel = 5 if layer is convolution else 2
        sides.append(layer(sides[-1], kernel).output_size[0])
    assert sides == [32, 28, 14, 10, 5]


def test_lenet_parameters_without_convolution_biases():
    conv1 = convolution(32, 5, in_channels=1, out_channels=6, bias=False)
    conv2 = convolution(14, 5, in_channels=6, out_channels=16, bias=False)
    head = dense(16 * 5 * 5, 120, 84, 10)
    assert [conv1.parameters, conv2.parameters, *head.layer_parameters] == [150, 2400, 48120, 10164, 850]


def test_digit_recognizer_parameters():
    conv1 = convolution(28, 5, padding="same", in_channels=1, out_channels=8)
    pool1 = pooling(conv1.output_size, 2, channels=8)
    conv2 = convolution(pool1.output_size, 3, padding="same", in_channels=8, out_channels=16)
    pool2 = pooling(conv2.output_size, 2, channels=16)
    assert pool2.output_shape == (1, 16, 7, 7)
    head = dense(16 * 7 * 7, 256, 100)
    assert [conv1.parameters, conv2.parameters, *head.layer_parameters] == [208, 1168, 200960, 25700]


@pytest.mark.parametrize(
    ("sizes", "bias", "parameters"),
    [
        ((2, 4, 4, 1), True, 37),
        ((2, 4, 4, 6), True, 62),
        ((28 * 28, 10), True, 7850),
        ((784, 100, 100, 10), True, 89610),
        ((200 * 200 * 3, 1000), False, 120_000_000),
        ((1024 * 1024 * 3, 1), False, 3_145_728),
    ],
)
def test_fully_connected_parameters(sizes, bias, parameters):
    assert dense(*sizes, bias=bias).parameters == parameters
    assert f"{parameters:,}" in str(dense(*sizes, bias=bias))


def test_batches_of_sequences_and_images():
    assert convolution((10,), 3, in_channels=128, out_channels=32, batch=4).output_shape == (4, 32, 8)
    assert convolution((28, 28), 3, in_channels=3, out_channels=2, batch=4).output_shape == (4, 2, 26, 26)


# Formulas


@pytest.mark.parametrize(
    ("axis", "symbolic", "numbers"),
    [
        (
            Axis("rows", "convolution", 227, 11, stride=4),
            "floor((n + 2p - k)/s) + 1",
            "floor((227 + 2*0 - 11)/4) + 1 = floor(54) + 1 = 55",
        ),
        (
            Axis("rows", "convolution", 10, 3, 2, (1, 2), 2),
            "floor((n + p_before + p_after - d(k - 1) - 1)/s) + 1",
            "floor((10 + 1 + 2 - 2*(3 - 1) - 1)/2) + 1 = floor(4) + 1 = 5",
        ),
        (
            Axis("rows", "pooling", 5, 2, 2, ceil_mode=True),
            "ceil((n + 2p - k)/s) + 1",
            "ceil((5 + 2*0 - 2)/2) + 1 = ceil(1.5) + 1 = 3",
        ),
        (
            Axis("rows", "transposed", 7, 3, 2, (1, 1), output_padding=1),
            "(n - 1)s - 2p + k + output_padding",
            "(7 - 1)*2 - 2*1 + 3 + 1 = 14",
        ),
    ],
)
def test_formula_filled_in(axis, symbolic, numbers):
    assert symbols(axis) == symbolic
    assert filled(axis) == numbers


@settings(deadline=None)
@given(n=st.integers(1, 30), k=st.integers(1, 5), s=small, d=small, p=st.integers(0, 3), q=st.integers(0, 3))
def test_filled_formula_is_arithmetic(n, k, s, d, p, q):
    """Every step of the printed chain evaluates to the output, so no sign or term is wrong."""
    assume(d * (k - 1) + 1 <= n + p + q)
    axis = Axis("rows", "convolution", n, k, s, (p, q), d)
    first = filled(axis).split(" = ")[0]
    assert re.fullmatch(r"floor\(\([0-9+*() -]+\)/\d+\) \+ 1", first)
    assert eval(first, {"floor": np.floor}) == axis.output
    assert eval(filled(axis).split(" = ")[1], {"floor": np.floor}) == axis.output


# Sizes against brute force and PyTorch


@settings(deadline=None)
@given(n=st.integers(1, 20), k=st.integers(1, 5), s=small, d=small, p=st.integers(0, 4), q=st.integers(0, 4))
def test_convolution_counts_the_windows_that_fit(n, k, s, d, p, q):
    reach = d * (k - 1) + 1
    windows = len([start for start in range(0, n + p + q, s) if start + reach <= n + p + q])
    if windows == 0:
        with pytest.raises(ShapeError, match="needs an input of at least"):
            Axis("rows", "convolution", n, k, s, (p, q), d)
        return
    axis = Axis("rows", "convolution", n, k, s, (p, q), d)
    assert axis.output == windows
    assert axis.unused == n + p + q - ((windows - 1) * s + reach)


@settings(deadline=None)
@given(n=st.integers(1, 40), k=st.integers(1, 7), s=small, d=small)
def test_same_padding_gives_the_rounded_up_quotient(n, k, s, d):
    assert convolution((n,), k, stride=s, dilation=d, padding="same").output_size == (-(-n // s),)
    assert transposed_convolution((n,), k, stride=s, dilation=d, padding="same").output_size == (n * s,)


@settings(deadline=None)
@given(n=st.integers(1, 15), k=st.integers(1, 5), s=small, p=st.integers(0, 2), d=st.integers(1, 2))
def test_transposed_convolution_inverts_the_size(n, k, s, p, d):
    reach = d * (k - 1) + 1
    assume(reach <= n + 2 * p)
    small_size = convolution((n,), k, stride=s, padding=p, dilation=d).output_size[0]
    rest = (n + 2 * p - reach) % s
    back = transposed_convolution(
        (small_size,), k, stride=s, padding=p, dilation=d, output_padding=rest if rest < max(s, d) else 0
    )
    assert back.output_size == (n,)


def test_sizes_and_parameters_are_those_of_pytorch():
    torch = pytest.importorskip("torch")
    random = np.random.default_rng(3)
    for _ in range(60):
        dims, groups = int(random.integers(1, 4)), int(random.integers(1, 3))
        n, k = random.integers(5, 9, dims).tolist(), random.integers(1, 4, dims).tolist()
        s, d = random.integers(1, 4, dims).tolist(), random.integers(1, 3, dims).tolist()
        p = [int(random.integers(0, size // 2 + 1)) for size in k]
        channels = {"in_channels": 2 * groups, "out_channels": 4 * groups, "groups": groups}
        settings = {"stride": s, "dilation": d, "padding": p}
        x = torch.zeros(2, 2 * groups, *n)
        for ours, theirs in ((convolution, "Conv"), (transposed_convolution, "ConvTranspose")):
            layer = ours(n, k, batch=2, **channels, **settings)
            module = getattr(torch.nn, f"{theirs}{dims}d")(kernel_size=k, **channels, **settings)
            assert layer.output_shape == tuple(module(x).shape)
            assert layer.parameters == sum(t.numel() for t in module.parameters())
        for ceil in (False, True):
            layer = pooling(n, k, channels=2 * groups, batch=2, ceil_mode=ceil, **settings)
            module = getattr(torch.nn, f"MaxPool{dims}d")(k, ceil_mode=ceil, **settings)
            assert layer.output_shape == tuple(module(x).shape)


def test_costs_of_groups_and_batches():
    layer = convolution((4, 4, 4), (1, 2, 3), groups=2, in_channels=4, out_channels=6, batch=3)
    assert layer.output_size == (4, 3, 2)
    assert layer.weights == 6 * 2 * 6
    assert layer.parameters == layer.weights + 6
    assert layer.multiply_adds == 3 * 24 * layer.weights
    assert layer.output_bytes == 3 * 6 * 24 * 4
    assert layer.input_bytes == 3 * 4 * 64 * 4
    assert layer.parameter_bytes == 4 * layer.parameters
    up = transposed_convolution(3, 2, stride=2, in_channels=4, out_channels=6)
    assert up.multiply_adds == 9 * 6 * 4 * 4
    pool = pooling(6, 2, channels=3, batch=2)
    assert (pool.parameters, pool.multiply_adds, pool.window_reads) == (0, 0, 2 * 3 * 9 * 4)


def test_convolution_against_fully_connected():
    layer = convolution(28, 5, out_channels=6)
    assert layer.fully_connected_weights == 784 * 6 * 24 * 24


# Arguments


def test_dimensions_come_from_the_sizes():
    assert len(convolution(9, 3).axes) == 2
    assert len(convolution(9, 3, dimensions=3).axes) == 3
    assert [axis.name for axis in convolution((9, 8, 7), 3).axes] == ["depth", "rows", "columns"]
    assert convolution((9,), 3, padding=(1, 2)).axes[0].padding == (1, 2)
    assert convolution(9, 3, padding=(1, 2)).axes[1].padding == (2, 2)
    assert convolution(9, 3, padding=((1, 0), 2)).axes[0].padding == (1, 0)
    assert convolution(9, 3, padding="valid").axes[0].padding == (0, 0)
    assert convolution(np.int64(9), 3).output_size == (7, 7)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: convolution(4, 5),
            r"kernel of 5 needs an input of at least 5; got 4 \(rows\). Use a kernel of at",
        ),
        (lambda: convolution(4, 3, dilation=3), r"kernel of 7 \(3 taps, dilation 3\) .* at most 2"),
        (lambda: convolution(4, 9, padding=1), r"got 4 plus padding 1 \+ 1 \(rows\)"),
        (lambda: pooling(4, 2, padding=2), "padding must be at most half the window, .* got 2 for a window of 2"),
        (lambda: transposed_convolution(1, 2, padding=3), "output needs at least one cell; got -4"),
        (lambda: transposed_convolution(4, 2, stride=2, output_padding=2), "output_padding must be smaller"),
        (lambda: transposed_convolution(4, 2, stride=2, output_padding=-1), "output_padding must not be negative"),
        (lambda: convolution(4, 3, stride=0), "stride must be at least 1; got 0"),
        (lambda: convolution(4, 3, padding=-1), "padding must not be negative; got -1"),
        (lambda: convolution(4, 3, padding="sam"), r'padding is numbers, "same" or "valid"; got \'sam\''),
        (lambda: convolution(4, 3, padding=(1, 2, 3)), r"one number or \(before, after\) per axis"),
        (lambda: convolution(4, 3, padding=((1, 2, 3), 1)), r"a number or \(before, after\); got \(1, 2, 3\)"),
        (lambda: convolution((4, 4), (3, 3, 3)), r"input must be one number or one per axis \(3\); got 2"),
        (lambda: convolution(4, 3, dimensions=4), "1, 2 or 3 dimensions are possible; got 4"),
        (lambda: convolution(4.5, 3), "input must be a whole number; got 4.5"),
        (lambda: convolution(4, True), "kernel must be a whole number; got True"),
        (lambda: convolution(4, 3, groups=2), "in_channels must be a multiple of groups; got in_channels 1"),
        (lambda: convolution(4, 3, groups=2, in_channels=2), "out_channels must be a multiple of groups"),
        (lambda: convolution(4, 3, batch=0), "batch must be at least 1; got 0"),
        (lambda: dense(3), r"at least an input and an output size are needed; got \[3\]"),
        (lambda: dense(3, 0), "size must be at least 1; got 0"),
    ],
)
def test_impossible_arguments_are_one_clear_line(call, message):
    with pytest.raises(UsageError, match=message) as error:
        call()
    assert "\n" not in str(error.value)


# The inverse question


def test_solve_finds_padding_kernel_and_stride():
    assert [axis.padding for axis in solve(28, 28, kernel=5).settings] == [(2, 2)]
    assert [axis.kernel for axis in solve(227, 55, stride=4, padding=0).settings] == [8, 9, 10, 11]
    assert [axis.stride for axis in solve(227, 55, stride=None, padding=0, kernel=11).settings] == [4]
    doubled = solve(7, 14, kind="transposed", kernel=4, stride=2)
    assert [axis.padding for axis in doubled.settings] == [(1, 1)]
    assert "padding 1" in str(doubled)
    assert "2 before, 3 after" in str(solve(9, 9, kernel=6))


@settings(deadline=None)
@given(n=st.integers(1, 12), out=st.integers(1, 12), s=small, kind=st.sampled_from(["convolution", "pooling"]))
def test_solve_misses_nothing_and_lies_never(n, out, s, kind):
    def settings():
        for k in range(1, 6):
            for total in range(2 * k - 1):
                allowed = kind == "convolution" or 2 * (total - total // 2) <= k
                if allowed and k <= n + total and (n + total - k) // s + 1 == out:
                    yield k, (total // 2, total - total // 2)

    expected = sorted(settings())
    if not expected:
        with pytest.raises(ShapeError, match="no setting"):
            solve(n, out, kind=kind, stride=s, largest_kernel=5)
        return
    found = solve(n, out, kind=kind, stride=s, largest_kernel=5).settings
    assert sorted((axis.kernel, axis.padding) for axis in found) == expected
    assert all(axis.output == out for axis in found)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: solve(28, 40, kernel=3), "turns 28 into 40. The nearest possible: 30. Use more padding"),
        (lambda: solve(28, 5, kernel=3), "nearest possible: 26. Use a larger kernel or stride"),
        (lambda: solve(28, 20, stride=2, kernel=3), "nearest possible: 15. Use more padding"),
        (lambda: solve(9, 4, kernel=1, padding=None, stride=2), "nearest possible: 5"),
        (lambda: solve(3, 1, kernel=9, stride=None, padding=0), "No window fits at all"),
        (lambda: solve(28, 28, kernel=3, padding=1), "nothing to look for"),
        (lambda: solve(28, 0), "output must be at least 1; got 0"),
        (lambda: solve(28, 28, kind="convolutoin"), "did you mean 'convolution'"),
    ],
)
def test_solve_says_what_is_possible(call, message):
    with pytest.raises(UsageError, match=message):
        call()


# The report


def test_report_shows_formula_padding_costs():
    text = str(convolution(227, 11, stride=4, in_channels=3, out_channels=96))
    for part in (
        "3 x 227 x 227 -> 96 x 55 x 55",
        "floor(54) + 1 = 55",
        "as rows: 55",
        '"same" padding  4\n',
        "96 x (3 x 11 x 11) + 96 = 34,944",
        "55 x 55 x 34,848 weights = 105,415,200",
        "input 603.9 KiB",
    ):
        assert part in text
    assert "in no window" in str(convolution(6, 3, stride=2))
    assert "the last 1 cell of" in str(convolution(6, 3, stride=2))
    assert "values read 36" in str(pooling(6, 2))
    assert "less the window that would start beyond the input" in str(
        pooling((5,), 2, stride=3, ceil_mode=True, padding=1)
    )
    assert "rows 0 before and 1 after; columns 1 before and 2 after" in str(convolution((20, 30), (3, 5), stride=2))
    assert "GiB" in str(convolution(2000, 3, in_channels=64, out_channels=300, batch=4))
