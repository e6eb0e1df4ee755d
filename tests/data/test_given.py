"""Training on arrays."""

from __future__ import annotations

import numpy as np
import pytest

from striate import Dataset, Sequential, Trainer
from striate.errors import UsageError
from striate.layers import Flatten, Linear
from tasks import line, small_network, stripes

DATA = stripes(60)


def trained(*arguments, network=None, **more):
    trainer = Trainer(network or small_network(), seed=3, batch_size=20)
    trainer.fit(*arguments, epochs=2, **more)
    return trainer


def test_arrays_train_like_a_data_set():
    plain = Dataset(DATA.inputs, DATA.targets)
    expected = trained(plain, plain)
    x, y = DATA.inputs, DATA.targets
    for arguments, more in (
        ((x, y), {"validation": (x, y)}),
        (((x, y), (x, y)), {}),
        ((x[:, 0], y), {"validation": (x[:, 0], y)}),
        ((plain,), {"validation": plain}),
    ):
        found = trained(*arguments, **more)
        assert np.array_equal(found.model.theta, expected.model.theta)
        assert found.history["val_loss"] == expected.history["val_loss"]


def test_names_of_classes_become_classes():
    names = np.array(["b", "a", "c"])[DATA.targets]
    found = trained(DATA.inputs, names, validation=(DATA.inputs[:9], names[:9]))
    assert found.model.classes == ("a", "b", "c")
    with pytest.raises(UsageError, match="validation data has the class 'd', which the training data do not have"):
        trained(DATA.inputs, names, validation=(DATA.inputs[:1], np.array(["d"])))


def test_numbers_are_a_regression():
    data = line(40)
    found = trained(data.inputs, data.targets[:, 0], network=Sequential([Flatten(), Linear(1)], (5, 1, 1)))
    assert found.model.kind == "numbers"


@pytest.mark.parametrize("kind", [np.int64, np.uint8, bool, np.float64])
def test_rows_of_zeros_and_ones_are_labels(kind):
    x = np.random.default_rng(0).normal(size=(40, 5))
    found = trained(x, (x[:, :3] > 0).astype(kind), network=Sequential([Linear(3)], 5))
    assert found.model.kind == "labels"
    assert found.model.loss.name == "binary_cross_entropy"


@pytest.mark.parametrize(
    ("arguments", "more", "message"),
    [
        ((DATA.inputs,), {}, "needs a Dataset, or arrays of samples and targets; got tuple"),
        ((DATA, DATA), {"validation": DATA}, "the data set already has targets; got y as well"),
        ((DATA, 3), {}, "needs a Dataset, or arrays of samples and targets; got int"),
    ],
)
def test_what_is_neither(arguments, more, message):
    with pytest.raises(UsageError, match=message):
        trained(*arguments, **more)


def test_progress_is_shown_on_request(capsys):
    trained(DATA, progress=True)
    assert "epoch 2/2  loss" in capsys.readouterr().err
    trained(DATA)
    assert capsys.readouterr().err == ""
