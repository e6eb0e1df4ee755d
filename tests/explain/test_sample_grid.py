"""Samples and predictions as a grid."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.colors import to_hex

from striate.data.dataset import Dataset
from striate.errors import UsageError
from striate.explain import draw_predictions, draw_samples
from striate.explain.sample_grid import WRONG


def test_samples_stand_under_their_classes(digits):
    axes = draw_samples(digits, 4)
    spread = [number * len(digits) // 4 for number in range(4)]
    assert [text.get_text() for text in axes.texts] == [str(n) for n in digits.targets[spread]]
    other = draw_samples(digits, 4, seed=1)
    assert [text.get_text() for text in other.texts] != [text.get_text() for text in axes.texts]


def test_data_sorted_by_class_show_every_class(digits):
    axes = draw_samples(digits.take(np.argsort(digits.targets)), 25)
    assert {text.get_text() for text in axes.texts} == set("0123456789")


def test_wrong_predictions_are_orange_and_name_the_true_class(trained_lenet, digits):
    chosen = trained_lenet.predict_proba(digits.inputs).argmax(axis=1)
    axes = draw_predictions(trained_lenet, digits, len(digits))
    for text, guess, true in zip(axes.texts, chosen, digits.targets, strict=False):
        assert text.get_text().split()[0] == str(guess)
        assert (to_hex(text.get_color()) == WRONG) == (guess != true)
        assert text.get_text().endswith(f"({true})") == (guess != true)
    wrong = draw_predictions(trained_lenet, digits, 3, mistakes=True)
    assert all(to_hex(text.get_color()) == WRONG for text in wrong.texts)


def test_what_is_no_picture(trained_lenet, digits):
    table = Dataset(np.zeros((3, 2), np.float32), np.zeros(3, np.int64), ("a",))
    with pytest.raises(UsageError, match="only pictures are drawn as a grid; got samples of 2"):
        draw_samples(table)
    numbers = Dataset(digits.inputs, np.zeros((len(digits), 1), np.float32))
    with pytest.raises(UsageError, match="needs a model that gives every sample one class"):
        draw_predictions(trained_lenet, numbers)
    right = digits.take(np.flatnonzero(trained_lenet.predict_proba(digits.inputs).argmax(axis=1) == digits.targets))
    with pytest.raises(UsageError, match="makes no mistakes"):
        draw_predictions(trained_lenet, right, mistakes=True)
