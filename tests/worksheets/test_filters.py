"""Named filters and filters typed as numbers."""

import numpy as np
import pytest

from striate.errors import ShapeError, UsageError
from striate.numbers import as_numbers, format_array, format_number, parse_numbers
from striate.worksheets.filters import filter_names, make_filter


@pytest.mark.parametrize("dimensions", [1, 2])
def test_every_name_gives_a_filter_with_the_sum_it_should_have(dimensions):
    sums = {"identity": 1, "blur": 1, "sharpen": 1, "emboss": 1, "average:4": 1, "gaussian:1.3": 1}
    names = [name.replace(":N", ":4").replace(":SIGMA", ":1.3") for name in filter_names(dimensions)]
    assert len(names) >= 8
    for name in names:
        kernel = make_filter(name, dimensions)
        assert kernel.ndim == dimensions
        assert kernel.dtype == np.float64
        assert kernel.sum() == pytest.approx(sums.get(name, 0))


def test_edge_filters_look_where_they_say():
    brighter_right = np.tile(np.arange(3.0), (3, 1))
    assert (make_filter("sobel-x", 2) * brighter_right).sum() == 8
    assert (make_filter("sobel-y", 2) * brighter_right.T).sum() == 8
    assert (make_filter("sobel-y", 2) * brighter_right).sum() == 0


def test_gaussian_is_that_of_scipy():
    from scipy.ndimage import gaussian_filter

    impulse = np.zeros((31, 31))
    impulse[15, 15] = 1
    for sigma in (0.5, 1.0, 2.7):
        kernel = make_filter(f"gaussian:{sigma}", 2)
        r = len(kernel) // 2
        expected = gaussian_filter(impulse, sigma)[15 - r : 16 + r, 15 - r : 16 + r]
        np.testing.assert_allclose(kernel, expected, rtol=1e-13)


def test_numbers_as_text():
    assert make_filter(" [[1, -2.5], [+3, 1/4]]", 2).tolist() == [[1, -2.5], [3, 0.25]]
    assert parse_numbers("(1, 2e1)").tolist() == [1, 20]
    assert parse_numbers("7").shape == ()
    assert format_number(-0.0) == "0"
    assert format_array(np.arange(30.0)) == "array of shape (30,), from 0 to 29"


@pytest.mark.parametrize(
    ("kernel", "dimensions", "message"),
    [
        ("[[1, 2], [3]]", 2, r"kernel: the rows must be numbers; got uneven rows \(of 2, 1 values\)"),
        ([[1, 2], [3]], 2, "uneven rows"),
        ("[1, 2]", 2, r"a picture needs a kernel of 2 axes; got shape \(2,\). Write \[\[...\]\]"),
        ("[[[[1]]]]", 1, r"a signal needs a kernel of 1 axis; got shape \(1, 1, 1, 1\)"),
        ("sobel", 2, "unknown name 'sobel'; did you mean 'sobel-"),
        ("sobel-x", 1, "sobel-x is for pictures; got a signal. Use derivative"),
        ("gaussian", 2, "needs a positive number of cells after the colon.*got 'gaussian'"),
        ("gaussian:-1", 2, "got 'gaussian:-1'"),
        ("gaussian:nan", 2, "got 'gaussian:nan'"),
        ("gaussian:1e9", 2, "needs a positive number"),
        ("average:0", 2, "got 'average:0'"),
        ("average:2.5", 2, "needs a whole number; got 'average:2.5'"),
        ("average:99999", 2, "needs a positive number"),
        ("[[1, 2]", 2, r"needs numbers in brackets, .* \(column 1\)"),
        ("[__import__('os')]", 2, r"only numbers, brackets and commas are allowed; got .* at column 2"),
        ("[x]", 2, "got 'x' at column 2"),
        ("[True]", 2, "got 'True'"),
        ("[1*2]", 2, r"got '1 \* 2'"),
        ("[1/0]", 2, "division by zero at column 2"),
        ("[-[1]]", 2, "needs a single number at column 3"),
        ("[1e999, 1]", 1, "must be finite numbers; got inf"),
        ("[]", 1, "got none"),
        ("[" * 5000, 1, "kernel: "),
        ("[" + "1," * 60_000 + "]", 1, "at most 100,000 characters are read"),
        ("[1\0]", 1, "kernel: "),
        ("(" + "-" * 5000 + "1)", 1, "kernel: "),
        (None, 1, "the rows must be numbers; got NoneType"),
    ],
)
def test_what_is_no_filter_is_one_clear_line(kernel, dimensions, message):
    with pytest.raises(UsageError, match=message) as error:
        make_filter(kernel, dimensions)
    assert "\n" not in str(error.value)


def test_uneven_rows_deeper_inside():
    with pytest.raises(UsageError, match=r"of 1, 2 values"):
        as_numbers("here", "them", [[[1], [1, 2]], [[1], [2]]])
    with pytest.raises(ShapeError, match=r"Write \[...\] for a signal"):
        make_filter(np.zeros((2, 2, 2)), 1)
