from __future__ import annotations

import numpy as np
import pytest

from striate.data.dataset import Dataset
from striate.data.targets import align_classes, make_targets
from striate.errors import DataError


@pytest.mark.parametrize(
    ("labels", "targets", "classes"),
    [
        ([3, 1, 3], [1, 0, 1], ("1", "3")),
        ([[2], [0]], [1, 0], ("0", "2")),
        ([1.0, 0.0], [1, 0], ("0", "1")),
        ([True, False], [1, 0], ("0", "1")),
        (["cat", "ape"], [1, 0], ("ape", "cat")),
        ([b"cat", b"ape"], [1, 0], ("ape", "cat")),
        ([[0, 1, 0], [0, 0, 1]], [0, 1], ("1", "2")),
    ],
)
def test_classes(labels, targets, classes):
    got, names = make_targets(np.array(labels), "here")
    assert got.dtype == np.int64
    assert got.tolist() == targets
    assert names == classes


@pytest.mark.parametrize("labels", [[0.5, 1], [[0.0, 2], [3, 4]], [[1, 1], [0, 1]]])
def test_regression(labels):
    got, names = make_targets(np.array(labels), "here")
    assert names == ()
    assert got.dtype == np.float32
    assert got.tolist() == np.array(labels, float).reshape(2, -1).tolist()


def test_names_of_the_source_are_kept():
    targets, classes = make_targets(np.array([2, 0]), "here", ("a", "b", "c"))
    assert targets.tolist() == [2, 0]
    assert classes == ("a", "b", "c")


@pytest.mark.parametrize(
    ("labels", "classes", "message"),
    [
        ([2, 0], ("a", "b"), "labels must be 0 to 1 for 2 class names; got 0 to 2"),
        ([0.5, np.inf], (), "labels must be finite, and below 3.4e38; got inf for sample 1"),
        ([0.5, -1e300], (), r"labels must be finite, and below 3.4e38; got -1e\+300 for sample 1"),
        (np.zeros((2, 2, 2)), (), r"one number or text for each sample; got float64 of shape \[2, 2, 2\]"),
        (np.array([1j]), (), "got complex128"),
    ],
)
def test_labels_that_are_none(labels, classes, message):
    with pytest.raises(DataError, match=f"here: .*{message}"):
        make_targets(np.array(labels), "here", classes)


def test_later_parts_count_their_classes_like_the_training_part():
    part = Dataset(np.zeros((2, 1, 1), np.uint8), np.array([1, 0]), ("b", "d"))
    aligned = align_classes(part, ("a", "b", "c", "d"), "here")
    assert aligned.targets.tolist() == [3, 1]
    assert aligned.classes == ("a", "b", "c", "d")
    assert align_classes(part, part.classes, "here") is part


def test_later_labels_stand_in_the_order_of_the_training_part():
    part = Dataset(np.zeros((2, 1, 1), np.uint8), np.array([[1, 0], [0, 1]], np.float32), ("dog", "cat"))
    aligned = align_classes(part, ("cat", "dog", "rain"), "here")
    assert aligned.targets.tolist() == [[0, 1, 0], [1, 0, 0]]
    assert aligned.targets.dtype == np.float32
    assert aligned.classes == ("cat", "dog", "rain")


def test_a_class_that_was_never_learnt():
    part = Dataset(np.zeros((2, 1, 1), np.uint8), np.array([0, 1]), ("a", "z"))
    with pytest.raises(DataError, match=r"classes must be those of the training split .a, b.; got 'z'"):
        align_classes(part, ("a", "b"), "here")
    unnamed = Dataset(np.zeros((2, 1, 1), np.uint8), np.array([0, 1]), ("0", "1"))
    with pytest.raises(DataError, match=r"got '0'\. Name them in an array classes"):
        align_classes(unnamed, ("a", "b"), "here")
    numbers = Dataset(np.zeros((2, 1, 1), np.uint8), np.zeros((2, 1), np.float32))
    with pytest.raises(DataError, match="got 'numbers'"):
        align_classes(numbers, ("a", "b"), "here")


def test_whole_numbers_over_space_are_class_maps():
    maps = np.array([[[0, 1], [2, 1]]], np.uint8)
    for labels in (maps, maps[:, None]):
        targets, classes = make_targets(labels, "y")
        assert targets.dtype == np.int64
        assert targets.tolist() == maps.tolist()
        assert classes == ("0", "1", "2")
    assert make_targets(maps, "y", ("a", "b", "c"))[1] == ("a", "b", "c")
    with pytest.raises(DataError, match=r"y: class maps must hold numbers from 0 to 1; got 0 to 2"):
        make_targets(maps, "y", ("a", "b"))


def test_class_maps_without_a_position_are_refused():
    with pytest.raises(DataError, match=r"y: class maps must not be empty; got shape \[3, 0, 4\]"):
        make_targets(np.zeros((3, 0, 4), np.int64), "y")
