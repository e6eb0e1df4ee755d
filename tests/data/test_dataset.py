"""Data sets as they are built in Python: numbers of any kind, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from striate import Sequential, Trainer
from striate.data.dataset import Dataset
from striate.errors import DataError
from striate.layers import Linear, Softmax

X = np.random.default_rng(0).integers(0, 200, (24, 4))
LABELS = np.arange(24) % 3


def network():
    return Sequential([Linear(3), Softmax()], 4)


@pytest.mark.parametrize("kind", ["float64", "float16", ">f4", "int64", "int32", "uint16", "bool"])
def test_numbers_of_any_kind_teach_the_same_as_float32(kind):
    inputs = X.astype(kind)
    trained = []
    for given in (inputs, inputs.astype(np.float32), inputs.astype(np.float32).tolist()):
        trainer = Trainer(network(), seed=0, batch_size=8)
        trainer.fit(Dataset(given, LABELS, ("a", "b", "c")), epochs=2)
        trained.append(trainer.model.theta.tobytes())
    assert len(set(trained)) == 1
    assert Dataset(inputs, LABELS).inputs.dtype == np.float32
    model = trainer.model
    assert np.array_equal(model.outputs(inputs), model.outputs(inputs.astype(np.float32)))


def test_what_can_be_read_is_not_copied():
    for kind in (np.uint8, np.float32):
        inputs = X.astype(kind)
        assert Dataset(inputs, LABELS).inputs is inputs


def test_true_and_false_are_classes():
    assert Dataset(X, LABELS == 0, ("no", "yes")).targets.dtype == np.int64


@pytest.mark.parametrize(
    ("inputs", "targets", "message"),
    [
        (X[:0], LABELS[:0], "set: a data set needs at least one sample; got none"),
        (X, LABELS[:5], "set: every sample needs one target; got 24 samples and 5 targets"),
        (X, LABELS + 1, "set: labels must be 0 to 2 for 3 classes; got 1 to 3"),
        (X, LABELS - 1, "set: labels must be 0 to 2 for 3 classes; got -1 to 1"),
        (X.astype(str), LABELS, "set: inputs: must be real numbers; got <U"),
        (X.astype(complex), LABELS, "set: inputs: must be real numbers; got complex128"),
        (X.astype(object), LABELS, "set: inputs: must be real numbers; got object"),
        (X, np.array(["a", "b"] * 12), r"set: targets must be numbers.*got <U1\. Convert text with np\.unique"),
        (X, ["a", None] * 12, "set: targets must be numbers, class numbers from 0; got object"),
        (X, [[1, 2], [3]] * 12, "set: targets: must be an array of numbers; setting an array element"),
        (X, 1, "set: targets: must be an array of numbers; got int"),
        (X, np.ma.masked_equal(LABELS, 2), "set: targets: must have no masked values; got 8"),
        (5, LABELS, "set: inputs: must be an array of numbers; got int"),
    ],
)
def test_what_is_no_data_set_is_refused(inputs, targets, message):
    with pytest.raises(DataError, match=message):
        Dataset(inputs, targets, ("a", "b", "c"), "set")


def test_samples_that_are_no_numbers_are_refused():
    with pytest.raises(DataError, match=r"network: samples: must be real numbers; got <U1\. Convert them"):
        Trainer(network()).model.outputs(np.full((2, 4), "a"))
