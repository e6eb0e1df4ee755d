from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from striate.data.augmentation.sampling import sample

SCIPY_MODES = {"constant": "grid-constant", "edge": "nearest", "reflect": "reflect"}


def random_affine(rng: np.random.Generator, count: int) -> np.ndarray:
    return rng.normal(0, [0.8, 0.8, 6], (count, 2, 3)).astype(np.float32)


@given(st.integers(0, 2**32), st.integers(1, 9), st.integers(1, 9), st.sampled_from(sorted(SCIPY_MODES)))
def test_it_is_what_scipy_computes(seed, height, width, border):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(2, 2, height, width))
    affine = random_affine(rng, 2)
    got = sample(x, affine, border, fill=3.5)
    for n in range(2):
        for c in range(2):
            matrix = affine[n].astype(np.float64)
            expected = ndimage.affine_transform(
                x[n, c], matrix[:, :2], matrix[:, 2], order=1, mode=SCIPY_MODES[border], cval=3.5
            )
            assert np.allclose(got[n, c], expected, rtol=1e-12, atol=1e-9)


@pytest.mark.parametrize("border", sorted(SCIPY_MODES))
def test_whole_pixels_are_exact(border):
    x = np.arange(24.0).reshape(1, 1, 4, 6)
    same = np.array([[[1, 0, 0], [0, 1, 0]]], np.float32)
    assert np.array_equal(sample(x, same, border), x)
    flipped = np.array([[[-1, 0, 3], [0, -1, 5]]], np.float32)
    assert np.array_equal(sample(x, flipped, border), x[:, :, ::-1, ::-1])


def test_beyond_the_border():
    x = np.array([1.0, 2, 3]).reshape(1, 1, 1, 3)
    moved = np.array([[[1, 0, 0], [0, 1, -2]]], np.float32)
    assert sample(x, moved, "constant", 9).ravel().tolist() == [9, 9, 1]
    assert sample(x, moved, "edge").ravel().tolist() == [1, 1, 1]
    assert sample(x, moved, "reflect").ravel().tolist() == [2, 1, 1]
    half = np.array([[[1, 0, 0], [0, 1, -0.5]]], np.float32)
    assert sample(x, half, "constant", 9).ravel().tolist() == [5, 1.5, 2.5]


def test_a_constant_image_stays_constant_within_borders_that_repeat_it():
    x = np.full((5, 1, 7, 8), 4.25)
    affine = random_affine(np.random.default_rng(0), 5)
    for border in ("edge", "reflect"):
        assert np.allclose(sample(x, affine, border), 4.25, rtol=1e-14)


def test_type_and_shape_are_kept():
    x = np.zeros((2, 3, 4, 5), np.float32)
    assert sample(x, random_affine(np.random.default_rng(0), 2)).dtype == np.float32
