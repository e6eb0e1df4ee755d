"""The Neocognitron learns by competition, the same every time."""

from __future__ import annotations

import numpy as np
import pytest

from striate.data import registry
from striate.errors import DataError, UsageError
from striate.model.part import part_of
from striate.models.neocognitron import figures
from striate.training.neocognitron import s_cell, train_1980, train_2003
from striate.training.neocognitron.competition import learn_planes
from striate.training.neocognitron.connections import centre_surround, disk
from striate.training.neocognitron.teaching import Taught


@pytest.fixture(scope="module")
def digits():
    """The embedded digits, three times as large: training and test samples."""
    splits = registry.load("digits", validation_fraction=0.0)

    def large(part):
        return np.kron(part.inputs, np.ones((3, 3))).astype(np.float32) / 16, part.targets

    return large(splits.train), large(splits.test)


@pytest.fixture(scope="module")
def model(digits):
    (images, labels), _ = digits
    return train_2003(images[:300], labels[:300], unsupervised=100)


def test_digits_are_learnt_from_few_samples(model, digits):
    _, (images, labels) = digits
    assert (model.outputs(images).argmax(1) == labels).mean() > 0.9


def test_learning_is_deterministic_and_saved(model, digits, tmp_path):
    import striate

    (images, labels), (test, _) = digits
    again = train_2003(images[:300], labels[:300], unsupervised=100)
    np.testing.assert_array_equal(again.theta, model.theta)
    loaded = striate.load(model.save(tmp_path / "neo.safetensors"))
    np.testing.assert_array_equal(loaded.outputs(test[:10]), model.outputs(test[:10]))


def test_an_s_cell_is_taken_apart(model, digits):
    sample = digits[1][0][0]
    found = s_cell(model, sample, "s2")
    assert found.value == part_of(model, "s2").outputs(sample[None]).max()
    assert found.value == pytest.approx(
        found.r * max(0, (1 + found.excitation) / (1 + found.inhibition) - 1), rel=1e-4
    )
    assert found.similarity > found.r / (1 + found.r)
    assert "fires" in str(found)
    silent = s_cell(model, np.zeros_like(sample), "s2", (0, 0, 0))
    assert silent.value == 0
    assert "is silent" in str(silent)
    with pytest.raises(UsageError, match="is not an S-layer"):
        s_cell(model, sample, "c2")
    with pytest.raises(UsageError, match="places lie within"):
        s_cell(model, sample, "s2", (0, 99, 0))


def test_figures_get_planes_of_their_own_wherever_they_stand():
    shown = figures()
    found = train_1980(shown)
    winners = found.outputs(shown).argmax(1)
    assert len(set(winners.tolist())) == 5
    moved = np.stack([np.roll(shown, shift, axis=(2, 3)) for shift in ((0, 1), (0, -1), (1, 0), (-1, 0))])
    agree = found.outputs(moved.reshape(-1, 1, 16, 16)).argmax(1).reshape(4, 5) == winners
    assert agree.mean() > 0.85


def test_a_plane_is_founded_for_what_is_new():
    maps = np.zeros((3, 1, 5, 5), np.float32)
    maps[0, 0, 2, 1:4] = maps[1, 0, 2, 1:4] = 1
    maps[2, 0, 1:4, 2] = 1
    planes = learn_planes(maps, np.full((3, 3), 1 / 9), 0.7, area=5)
    assert len(planes) == 2
    across = planes[0].reshape(3, 3)
    assert [bool(row.all()) for row in across].count(True) == 1  # a line, seen whole
    assert np.count_nonzero(across) == 3
    np.testing.assert_allclose(across.sum(), 2 * 3 / 3, rtol=1e-6)  # seen twice, times sqrt(1/9)


def test_a_wrong_answer_founds_a_plane():
    taught = Taught(2, threshold=0.0)
    assert taught.teach(np.array([[1.0, 0], [0.9, 0.1], [0, 1]]), np.array([0, 0, 1])) == 2
    assert taught.count == 2
    assert taught.teach(np.array([[1.0, 0], [0, 1]]), np.array([0, 1])) == 0
    assert taught.teach(np.array([[1.0, 0.2]]), np.array([1])) == 1
    assert taught.sorted()[1].tolist() == [0, 1, 1]


def test_fixed_connections():
    assert disk(5, 1.0).sum() == pytest.approx(1)
    assert disk(5, 1.0)[0, 0] == 0
    assert centre_surround(7).sum() == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(
    ("images", "labels", "options", "error", "match"),
    [
        (np.zeros((4, 16, 16)), np.zeros(4, int), {}, DataError, "grey images"),
        (np.zeros((4, 1, 16, 16)), np.zeros(4), {}, DataError, "whole numbers"),
        (np.zeros((4, 1, 16, 16)), np.array([0, 0, 2, 2]), {}, DataError, "got none of 1"),
        (np.zeros((4, 1, 16, 16)), np.zeros(4, int), {"epochs": 0}, UsageError, "must be at least 1"),
    ],
)
def test_what_cannot_be_learnt(images, labels, options, error, match):
    with pytest.raises(error, match=match):
        train_2003(images, labels, **options)


def test_what_1980_refuses():
    with pytest.raises(DataError, match="needs pictures"):
        train_1980(figures()[0])
    with pytest.raises(UsageError, match="above 0"):
        train_1980(figures(), presentations=0)
