from __future__ import annotations

import numpy as np
import pytest

from striate.data.layout import make_inputs
from striate.errors import DataError


@pytest.mark.parametrize(
    ("stored", "dtype", "read"),
    [
        ((5, 49), np.uint8, (5, 1, 7, 7)),
        ((5, 63), np.float32, (5, 63, 1)),
        ((5, 64), np.float32, (5, 1, 64)),
        ((5, 50), np.uint8, (5, 50, 1)),
        ((5, 65), np.uint8, (5, 1, 65)),
        ((5, 1), np.uint8, (5, 1, 1)),
        ((5, 6, 8), np.uint8, (5, 1, 6, 8)),
        ((5, 8, 8), np.float32, (5, 1, 8, 8)),
        ((5, 9, 128), np.float32, (5, 9, 128)),
        ((5, 128, 9), np.float32, (5, 9, 128)),
        ((5, 6, 8, 3), np.uint8, (5, 3, 6, 8)),
        ((5, 3, 6, 8), np.uint8, (5, 3, 6, 8)),
        ((5, 1, 6, 3), np.uint8, (5, 1, 6, 3)),
        ((5, 12, 6, 8), np.float32, (5, 12, 6, 8)),
        ((5, 6, 6, 6), np.uint8, (5, 1, 6, 6, 6)),
        ((5, 1, 6, 7, 8), np.uint8, (5, 1, 6, 7, 8)),
        ((5, 6, 7, 8, 1), np.uint8, (5, 1, 6, 7, 8)),
    ],
)
def test_layouts_people_store(stored, dtype, read):
    array = np.random.default_rng(0).permutation(np.prod(stored)).reshape(stored).astype(dtype)
    got = make_inputs(array, "here")
    assert got.shape == read
    assert got.dtype == dtype
    assert np.array_equal(np.sort(got.reshape(5, -1)), np.sort(array.reshape(5, -1)))


def test_channels_last_keeps_pixels_in_place():
    array = np.random.default_rng(0).integers(0, 256, (2, 6, 8, 3), np.uint8)
    assert make_inputs(array, "here")[1, 2, 3, 4] == array[1, 3, 4, 2]


def test_a_shape_decides():
    array = np.arange(24, dtype=np.uint8).reshape(2, 12)
    assert np.array_equal(make_inputs(array, "here", (3, 2, 2)), array.reshape(2, 3, 2, 2))


@pytest.mark.parametrize("entry", [(6, 8, 3), (4, 6, 8, 3), (9, 2)])
def test_channels_last_move_to_a_given_shape(entry):
    array = np.random.default_rng(0).integers(0, 256, (2, *entry), np.uint8)
    assert np.array_equal(make_inputs(array, "here", (entry[-1], *entry[:-1])), np.moveaxis(array, -1, 1))


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        (np.array([[0, 255]], np.int64), np.uint8),
        (np.array([[0, 256]], np.int64), np.float32),
        (np.array([[-1, 5]], np.int16), np.float32),
        (np.array([[True, False]]), np.uint8),
        (np.array([[0.0, 1.0]], np.float64), np.float32),
        (np.array([[0.0, 1.0]], np.float16), np.float32),
    ],
)
def test_types(values, dtype):
    got = make_inputs(values, "here")
    assert got.dtype == dtype
    assert got.ravel().tolist() == values.ravel().tolist()


@pytest.mark.parametrize(
    ("array", "shape", "message"),
    [
        (np.zeros(3), None, r"the first of at least 2 axes; got shape \[3\]"),
        (np.zeros((1,) * 6), None, "at most 5 axes"),
        (np.array([["a"]]), None, "inputs must be numbers; got <U1"),
        (np.array([[1j]]), None, "inputs must be numbers; got complex128"),
        (np.array([[0], [np.nan]]), None, "inputs must be finite; sample 1 is not"),
        (np.array([[1e300]]), None, "inputs must be finite; sample 0 is not"),
        (np.zeros((2, 5)), (1, 2, 3), "a sample of shape 1 x 2 x 3 needs 6 numbers; got 5"),
    ],
)
def test_arrays_that_are_no_inputs(array, shape, message):
    with pytest.raises(DataError, match=f"here: .*{message}"):
        make_inputs(array, "here", shape)
