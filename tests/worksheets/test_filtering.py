"""Filtering of signals and pictures: textbook numbers, SciPy as the oracle, and every sum on the board."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from striate.drawing.pictures import as_picture
from striate.errors import ShapeError, UsageError
from striate.worksheets.draw_filtering import draw_pooled
from striate.worksheets.filtering import convolve
from striate.worksheets.pooling import pool

SIGNAL, DIFFERENCE = [4, 1, 1, 2, 3, 5, 8, 13], [1, -2, 1]
PICTURE = [[1, 0, 3, 0, 2], [0, 3, 4, 0, 2], [1, 0, 2, 0, 1], [8, 12, 0, 1, 0], [0, 6, 3, 2, 0]]
KERNEL_2, KERNEL_3 = [[1, -1, 0], [0, 2, -2], [-1, 0, 2]], [[1, -1, 0], [0, 2, -3], [-1, 0, 2]]
WIDE = [[1, 2, 3, 4, 4, 5], [6, 0, 7, 8, 9, 0], [4, 1, 7, 2, 9, 4], [9, 4, 9, 1, 4, 2]]
SIX = [
    [3, 0, 1, 0, 2, 4],
    [0, 1, 8, 12, 0, 0],
    [4, 0, 0, 3, 2, 2],
    [2, 0, 1, 0, 1, 1],
    [3, 2, 0, 6, 0, 5],
    [1, 0, 6, 0, 0, 9],
]
SAME = [[8, -1, 3, -6, 4], [-10, -2, 5, -3, 2], [26, -17, -7, 1, -1], [-9, 31, -7, 1, -3], [-26, -1, 12, 3, 1]]


# Textbook numbers


@pytest.mark.parametrize(
    ("x", "kernel", "settings", "answer"),
    [
        # some prints have 0 in the fifth place, which is 3 - 2*5 + 8 = 1
        (SIGNAL, DIFFERENCE, {}, [3, 1, 0, 1, 1, 2]),
        (SIGNAL, DIFFERENCE, {"padding": 1}, [-7, 3, 1, 0, 1, 1, 2, -18]),
        (SIGNAL, DIFFERENCE, {"padding": "same"}, [-7, 3, 1, 0, 1, 1, 2, -18]),
        (PICTURE, KERNEL_2, {}, [[2, 5, -1], [-15, -7, 2], [31, -6, 1]]),
        (PICTURE, KERNEL_3, {}, [[-2, 5, -3], [-17, -7, 1], [31, -7, 1]]),
        (PICTURE, KERNEL_3, {"stride": 2}, [[-2, -3], [31, 1]]),
        (PICTURE, KERNEL_3, {"padding": 1}, SAME),
        ([[0, 1, 2], [3, 4, 5], [6, 7, 8]], [[0, 1], [2, 3]], {}, [[19, 25], [37, 43]]),
        (
            WIDE,
            [[0, 1, 2], [3, 4, 5], [6, 7, 8]],
            {"padding": 1, "stride": 2},
            [[56, 151, 164], [122, 159, 121]],
        ),
    ],
)
def test_cross_correlations_of_textbooks(x, kernel, settings, answer):
    assert convolve(x, kernel, **settings).values.tolist() == answer


def test_true_convolution_of_a_textbook():
    """The kernel is turned around; some slides print 2, 4, 5."""
    found = convolve([1, 2, 3, 4, 5, 6], [0.1, 0.2, 0.3, 0.4], meaning="convolution")
    np.testing.assert_allclose(found.values, [2, 3, 4], rtol=1e-15)


def test_max_pooling_of_textbooks():
    assert pool(SIX, 2).values.tolist() == [[3, 12, 4], [4, 3, 2], [3, 6, 9]]
    assert pool(WIDE, 2).values.tolist() == [[6, 8, 9], [9, 9, 9]]


# SciPy as the oracle


@pytest.mark.parametrize(
    ("border", "mode"),
    [("zeros", "constant"), ("replicate", "nearest"), ("reflect", "mirror"), ("circular", "wrap")],
)
@pytest.mark.parametrize("shape", [(11,), (9, 12)])
def test_borders_are_those_of_scipy(border, mode, shape):
    from scipy import ndimage

    random = np.random.default_rng(2)
    x, kernel = random.normal(size=shape), random.normal(size=(5, 3)[: len(shape)])
    found = convolve(x, kernel, padding="same", border=border)
    np.testing.assert_allclose(found.values, ndimage.correlate(x, kernel, mode=mode), rtol=1e-12, atol=1e-13)
    turned = convolve(x, kernel, padding="same", border=border, meaning="convolution")
    np.testing.assert_allclose(turned.values, ndimage.convolve(x, kernel, mode=mode), rtol=1e-12, atol=1e-13)


@settings(deadline=None)
@given(data=st.data(), dims=st.integers(1, 2))
def test_any_setting_against_scipy(data, dims):
    from scipy import signal

    sides = lambda low, high: data.draw(st.tuples(*[st.integers(low, high)] * dims))  # noqa: E731
    shape, taps, stride, dilation = sides(3, 9), sides(1, 3), sides(1, 3), sides(1, 2)
    padding = tuple((a, b) for a, b in zip(sides(0, 3), sides(0, 3), strict=True))
    random = np.random.default_rng(data.draw(st.integers(0, 99)))
    x, kernel = random.integers(-9, 10, shape), random.integers(-9, 10, taps)
    spread = np.zeros([d * (k - 1) + 1 for k, d in zip(taps, dilation, strict=True)])
    spread[tuple(slice(None, None, d) for d in dilation)] = kernel
    padded = np.pad(x, padding)
    settings = {"padding": padding, "stride": stride, "dilation": dilation}
    if any(n < k for n, k in zip(padded.shape, spread.shape, strict=True)):
        with pytest.raises(ShapeError, match="needs an input of at least"):
            convolve(x, kernel, **settings)
        return
    every = tuple(slice(None, None, s) for s in stride)
    correlation = signal.correlate(padded, spread, "valid", method="direct")[every]
    assert np.array_equal(convolve(x, kernel, **settings).values, correlation)
    turned = signal.convolve(padded, spread, "valid", method="direct")[every]
    assert np.array_equal(convolve(x, kernel, meaning="convolution", **settings).values, turned)


def test_full_padding_is_polynomial_multiplication():
    found = convolve([1, 2, 3], [1, 1], padding="full", meaning="convolution")
    assert found.values.tolist() == np.convolve([1, 2, 3], [1, 1]).tolist()


def test_channels_each_by_itself_or_added_up():
    random = np.random.default_rng(4)
    x, kernel = random.integers(0, 9, (3, 6, 5)).astype(float), random.integers(-3, 4, (3, 2, 2)).astype(float)
    each = convolve(x, kernel[0])
    assert each.values.shape == (3, 5, 4)
    for channel in range(3):
        assert np.array_equal(each.values[channel], convolve(x[channel], kernel[0]).values)
    parts = [convolve(x[channel], kernel[channel]).values for channel in range(3)]
    assert np.array_equal(convolve(x, kernel).values, sum(parts))
    turned = [convolve(x[channel], kernel[channel], meaning="convolution").values for channel in range(3)]
    assert np.array_equal(convolve(x, kernel, meaning="convolution").values, sum(turned))


# The board


@pytest.mark.parametrize(
    "found",
    [
        convolve(SIGNAL, DIFFERENCE, padding=1, stride=2),
        convolve(PICTURE, "gaussian:0.6", padding="same", border="reflect"),
        convolve([PICTURE, PICTURE], "sobel-x", dilation=2, meaning="convolution"),
        convolve([PICTURE, PICTURE], [KERNEL_2, KERNEL_3], stride=(1, 2)),
    ],
)
def test_every_written_sum_is_the_value(found):
    steps = list(found.steps())
    assert len(steps) == found.values.size
    for step in steps:
        assert step.window.shape == step.kernel.shape
        size = np.abs(step.products).sum()
        assert abs(step.products.sum() - step.value) <= 1e-15 * step.products.size * size
        assert step.value == found.values[step.position]
        left, *chain = str(step).split(" = ")
        assert left == f"out[{', '.join(map(str, step.position))}]"
        for part in chain:
            assert eval(part) == pytest.approx(step.value, rel=1e-4, abs=1e-4 * (1 + size))


def test_board_as_a_lecturer_writes_it():
    text = str(convolve(SIGNAL, DIFFERENCE))
    assert "cross-correlation of 8 values with a kernel of 3\n" in text
    assert "out[3] = 2*1 + 3*(-2) + 5*1 = 2 - 6 + 5 = 1" in text
    assert "result [3 1 0 1 1 2]" in text
    assert "border of zeros" in str(convolve(SIGNAL, DIFFERENCE, padding=1))
    assert "(turned around) [3 2 1]" in str(convolve(SIGNAL, [1, 2, 3], meaning="convolution"))
    assert "2 channels" in str(convolve([PICTURE, PICTURE], "blur"))
    large = str(convolve(np.ones((30, 30)), "blur"))
    assert "out[" not in large
    assert "shape (28, 28)" in large
    assert str(convolve([0, 0], [1, 1]).step(0)) == "out[0] = 0*1 + 0*1 = 0"


def test_pooling_shows_winners_and_sums():
    found = pool(SIX, 2)
    assert found.step(0, 1).winner == (1, 3)
    assert "out[0, 1] = max(1, 0, 8, 12) = 12, from x[1, 3]" in str(found)
    assert pool([5, 5], 2).step(0).winner == (0,)
    mean = pool([1, 2, -6, 4], 2, statistic="average")
    assert mean.values.tolist() == [1.5, -1]
    assert "out[1] = (-6 + 4)/2 = -1" in str(mean)
    assert mean.step(0).winner is None
    assert "out[" not in str(pool(np.ones((30, 30)), 2))


def test_padding_never_wins_and_never_counts():
    assert pool([-3, -1, -2], 3, stride=1, padding=1).values.tolist() == [-1, -1, -1]
    assert pool([-3, -1, -2], 3, stride=1, padding=1, statistic="average").values.tolist() == [-2, -2, -1.5]
    assert pool([1, 2, 3], 2, ceil_mode=True).values.tolist() == [2, 3]


def test_pooling_is_that_of_the_reference():
    from striate.layers import MaxPool2d

    layer = MaxPool2d(3, stride=2, padding=1, ceil_mode=True)
    x = np.random.default_rng(0).normal(size=(8, 10))
    found = pool(x, 3, stride=2, padding=1, ceil_mode=True).values
    assert found.shape == tuple(layer.output_shape((1, 8, 10)))[1:]
    padded = np.pad(x, ((1, 2), (1, 2)), constant_values=-np.inf)
    expected = [
        [padded[2 * r : 2 * r + 3, 2 * c : 2 * c + 3].max() for c in range(found.shape[1])]
        for r in range(found.shape[0])
    ]
    assert found.tolist() == expected


# Pictures


def test_pooled_values_are_drawn_in_the_middle_of_their_windows():
    axes = draw_pooled(pool([1, 5, 2, 0, 3, 4], 3, stride=2, padding=1))
    signal, pooled = axes.get_lines()
    assert list(signal.get_ydata()) == [1, 5, 2, 0, 3, 4]
    assert list(pooled.get_xdata()) == [0, 2, 4]
    assert list(pooled.get_ydata()) == [5, 5, 4]
    with pytest.raises(ShapeError, match=r"draw_pooled: needs a signal \[length\]; got \(5, 5\)"):
        draw_pooled(pool(PICTURE, 2))


def test_as_picture_scales():
    values = np.array([[-300.0, 0.0, 100.4, 300.0]])
    assert as_picture(values).tolist() == [[0, 0, 100, 255]]
    assert as_picture(values, "stretch").tolist() == [[0, 128, 170, 255]]
    assert as_picture(values, "absolute").tolist() == [[255, 0, 85, 255]]
    assert as_picture(np.zeros((1, 2, 2)), "stretch").tolist() == [[0, 0], [0, 0]]
    assert as_picture(np.zeros((3, 4, 5))).shape == (4, 5, 3)


# Bad input


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: convolve(SIGNAL, DIFFERENCE, meaning="corr"), "meaning: unknown name 'corr'"),
        (lambda: convolve(SIGNAL, DIFFERENCE, border="zero"), "did you mean 'zeros'"),
        (lambda: convolve(SIGNAL, DIFFERENCE, padding="sam"), '"same" or "valid"; got'),
        (lambda: convolve(SIGNAL, DIFFERENCE, stride=(1, 2)), "stride must be one number or one per axis"),
        (lambda: convolve(SIGNAL, [1] * 9), "needs an input of at least 9; got 8"),
        (lambda: convolve(np.zeros((1, 1, 4, 4)), "blur"), r"got shape \(1, 1, 4, 4\). Give one picture"),
        (lambda: convolve(5, "blur"), r"got shape \(\)"),
        (lambda: convolve([PICTURE], [KERNEL_2, KERNEL_3]), r"as many as the input \(1\); got 2"),
        (lambda: convolve([[1], [1, 2]], "blur"), "uneven rows"),
        (lambda: convolve(SIGNAL, DIFFERENCE).step(6), r"positions lie within \(6,\), counted from 0; got \(6,\)"),
        (lambda: convolve(SIGNAL, DIFFERENCE).step(1, 1), r"got \(1, 1\)"),
        (lambda: pool(SIX, 2).step(0, 3), r"positions lie within \(3, 3\)"),
        (lambda: pool(SIX, 2, statistic="mean"), "unknown name 'mean'"),
        (lambda: pool(np.zeros((1, 1, 2, 2)), 2), "one to three axes"),
        (lambda: pool([1], 2, dilation=2, padding=1, stride=1), "every window must hold a value"),
        (lambda: as_picture(np.zeros((2, 2)), "loud"), "unknown name 'loud'"),
        (lambda: as_picture(np.zeros((2, 2, 2))), r"got shape \(2, 2, 2\). Pick one channel"),
    ],
)
def test_bad_input_is_one_clear_line(call, message):
    with pytest.raises(UsageError, match=message) as error:
        call()
    assert "\n" not in str(error.value)
