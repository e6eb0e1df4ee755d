"""Samples that a page offers, with their labels."""

from __future__ import annotations

import numpy as np

from striate.data.dataset import Dataset
from striate.pages.samples import described


def test_a_mask_is_labelled_with_the_classes_in_it():
    masks = np.array([[[0, 0], [0, 1]], [[2, 2], [2, 2]]], np.uint8)
    data = Dataset(np.zeros((2, 1, 2, 2), np.uint8), masks, ("ground", "tree", "house"))
    assert [sample["label"] for sample in described(data, data.classes, 2)] == ["ground, tree", "house"]


def test_numbers_are_labelled_with_the_first_of_them():
    data = Dataset(np.zeros((1, 3), np.float32), np.arange(6, dtype=np.float32)[None])
    assert described(data, (), 1)[0]["label"] == "0, 1, 2, 3, …"
