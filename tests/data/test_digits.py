from __future__ import annotations

import numpy as np
from sklearn.datasets import load_digits

from striate.data.digits import digits


def test_every_digit_once_with_its_levels_as_bytes():
    source = load_digits()
    splits = digits(seed=3)
    parts = [splits.train, splits.validation, splits.test]
    inputs = np.concatenate([part.inputs for part in parts])
    assert inputs.dtype == np.uint8
    assert inputs.shape == (1797, 1, 8, 8)
    expected = np.rint(source.images * 255 / 16).astype(np.uint8)
    labels = np.concatenate([part.targets for part in parts])
    assert pairs(inputs, labels) == pairs(expected, source.target)


def pairs(images: np.ndarray, labels: np.ndarray) -> list[tuple[bytes, int]]:
    return sorted((image.tobytes(), int(label)) for image, label in zip(images, labels, strict=True))


def test_the_test_part_is_the_same_for_every_seed_and_validation_is_not():
    first, second = digits(seed=0), digits(seed=1)
    assert np.array_equal(first.test.inputs, second.test.inputs)
    assert not np.array_equal(first.validation.inputs, second.validation.inputs)


def test_every_class_has_its_share_of_the_test_part():
    splits = digits()
    counts = np.bincount(load_digits().target)
    assert np.abs(np.bincount(splits.test.targets) - counts * 0.2).max() < 1
