from __future__ import annotations

import numpy as np
import pytest

from striate.data.augmentation import (
    Augmentation,
    Brightness,
    Contrast,
    Crop,
    Cutout,
    HorizontalFlip,
    Mixup,
    Noise,
    Rotation,
    Shear,
    Shift,
    Zoom,
)
from striate.data.augmentation.sampling import sample
from striate.training.augmenter import Augmenter, warp

GEOMETRY = (Rotation(30), Zoom(0.7, 1.4), Shift(0.2, 0.2), Shear(10))


@pytest.mark.parametrize("border", ["constant", "edge", "reflect"])
@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 9, 14), (2, 5, 6, 7), (2, 40)])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_pixels_are_moved_as_the_definition_says(border, shape, dtype):
    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, (20, *shape)).astype(dtype)
    transforms = GEOMETRY if len(shape) > 2 else (Zoom(0.7, 1.4), Shift(0.2, 0.2))
    augmentation = Augmentation(transforms, border=border, fill=17.5)
    index = rng.permutation(20)[:13]
    expected = augmentation.apply(x[index], 4, 2, index)
    augmenter = Augmenter(augmentation, 4)
    got = augmenter.apply(x, index, index, 2, augmenter.matrices(index, 2, x.shape[2:]))
    assert got.dtype == np.float32
    # coordinates below 64 are known to 64 * 2^-23; the values fall by at most 255 from pixel to pixel
    np.testing.assert_allclose(got, expected, atol=2 * 255 * 64 * 2.0**-23)


@pytest.mark.parametrize("border", ["constant", "edge", "reflect"])
def test_places_far_outside_are_read_too(border):
    x = np.arange(30, dtype=np.float32).reshape(1, 1, 5, 6)
    for shift in (-23.0, -7.5, 6.25, 31.0):
        affine = np.array([[[1, 0, shift], [0, 1, -shift]]], np.float32)
        expected = sample(x.astype(np.float64), affine, border, -1.0)
        np.testing.assert_allclose(warp(x, np.array([0]), affine, border, -1.0), expected, atol=1e-5)


def test_the_identity_and_whole_shifts_are_exact():
    x = np.random.default_rng(0).integers(0, 256, (3, 2, 8, 8)).astype(np.uint8)
    index = np.array([2, 0])
    same = np.tile(np.eye(3, dtype=np.float32)[:2], (2, 1, 1))
    assert np.array_equal(warp(x, index, same, "constant", 0.0), x[index])
    augmenter = Augmenter(Augmentation((Crop(3), HorizontalFlip())), 1)
    got = augmenter.apply(x, index, index, 0, augmenter.matrices(index, 0, x.shape[2:]))
    assert np.array_equal(got, augmenter.augmentation.apply(x[index], 1, 0, index))


def test_values_and_blends_are_those_of_the_definition():
    x = np.random.default_rng(0).integers(0, 256, (30, 3, 8, 8)).astype(np.uint8)
    parts = (Rotation(20), Brightness(), Contrast(), Noise(), Cutout(), Mixup(0.5))
    for transforms in (parts, parts[1:]):
        augmenter = Augmenter(Augmentation(transforms), 1)
        index = np.arange(5, 25)
        got = augmenter.apply(x, index, index, 3, augmenter.matrices(index, 3, x.shape[2:]))
        np.testing.assert_allclose(got, augmenter.augmentation.apply(x[index], 1, 3, index), atol=0.02)
