from __future__ import annotations

import numpy as np
import pytest

from striate import Trainer
from striate.data.dataset import Dataset
from striate.data.normalisation import Normalisation
from striate.errors import DataError, UsageError
from striate.layers import Flatten, Linear
from striate.network import Sequential
from striate.training.weights import class_weights
from tasks import line, small_network


def test_weights_of_samples_and_classes_count(data):
    weights = np.where(data.targets == 0, 2.0, 1.0)
    twice = data.take(np.concatenate([np.arange(len(data)), np.flatnonzero(data.targets == 0)]))
    thetas = []
    for arguments, by_sample, use in (
        ({"class_weights": {"a": 2.0}, "batch_size": "full"}, None, data),
        ({"class_weights": [2, 1, 1], "batch_size": "full"}, None, data),
        ({"batch_size": "full"}, weights, data),
        ({"learning_rate": 0.001 * len(twice) / len(data), "batch_size": "full"}, None, twice),
    ):
        trainer = Trainer(small_network(), **{"optimizer": "sgd", "learning_rate": 0.001, **arguments})
        trainer.model.normalisation = Normalisation((120.0,), (60.0,))
        trainer.fit(use, epochs=1, sample_weights=by_sample)
        thetas.append(trainer.model.theta)
    assert np.array_equal(thetas[0], thetas[1])
    assert np.array_equal(thetas[0], thetas[2])
    np.testing.assert_allclose(thetas[0], thetas[3], atol=1e-6)


def test_class_weights_reach_the_validation_where_asked(data):
    rare = data.take(np.flatnonzero((data.targets != 2) | (np.arange(len(data)) < 9)))
    trainer = Trainer(small_network(), class_weights="balanced", learning_rate=0.0)
    trainer.fit(rare, rare, epochs=1, weighted_validation=True)
    trainer.fit(rare, rare, epochs=1)
    weighted, plain = trainer.history["val_accuracy"]
    evaluation = trainer.model.evaluate(rare)
    recalls = evaluation.confusion.diagonal() / evaluation.confusion.sum(axis=1)
    assert weighted == pytest.approx(recalls.mean(), rel=1e-6)
    assert plain == evaluation.accuracy


@pytest.mark.parametrize(
    ("arguments", "by_sample", "message"),
    [
        ({"class_weights": "equal"}, None, "class_weights: unknown name 'equal'"),
        ({"class_weights": {"z": 1}}, None, "class weights: class: unknown name 'z'"),
        ({"class_weights": [1, 2]}, None, "class weights: need one for each of 3 classes; got 2"),
        ({"class_weights": [1, 2, -1]}, None, "class_weights: must be at least 0; got -1"),
        ({}, np.ones(3), "stripes: every sample needs one weight"),
        ({}, np.full(150, np.nan), "sample weights: must be finite"),
        ({}, np.zeros(150), "stripes: all samples have the weight 0"),
    ],
)
def test_weights_that_cannot_mean_anything_are_refused(data, arguments, by_sample, message):
    with pytest.raises((UsageError, DataError), match=message):
        Trainer(small_network(), **arguments).fit(data, sample_weights=by_sample)


@pytest.mark.parametrize(
    ("targets", "classes", "fix"),
    [
        (
            np.zeros((4, 3, 3), int),
            ("a", "b"),
            r'one for each position\. Set loss = . name = "cross_entropy", class_w',
        ),
        (
            np.zeros((4, 2), np.float32),
            ("a", "b"),
            r'on or off\. Set loss = . name = "binary_cross_entropy", pos_w',
        ),
        (np.zeros((4, 2), np.float32), (), "numbers. Use sample weights"),
    ],
)
def test_class_weights_of_other_targets_say_what_to_do(targets, classes, fix):
    with pytest.raises(UsageError, match=fix):
        class_weights(Dataset(np.zeros((4, 1, 3, 3), np.uint8), targets, classes), "balanced")


def test_class_weights_need_classes():
    with pytest.raises(UsageError, match="class weights: need one class number for each sample; line has"):
        Trainer(Sequential([Flatten(), Linear(2)], (5, 1, 1)), class_weights="balanced").fit(line())
