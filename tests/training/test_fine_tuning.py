from __future__ import annotations

import numpy as np
import pytest

from striate import Trainer
from striate.errors import UsageError
from striate.layers import Add, Conv2d, Flatten, GlobalAvgPool, Input, Linear, ReLU, Softmax
from striate.models import lenet5
from striate.network import Network, Sequential
from striate.training.fine_tuning import heads_of, replace_head
from tasks import rich_network, small_network, stripes


@pytest.fixture(scope="module")
def trained():
    trainer = Trainer(rich_network(), learning_rate=0.02, schedule="constant", initial="he", batch_size=25)
    trainer.fit(stripes(150), epochs=6)
    return trainer.model


def test_everything_but_the_head_is_kept(trained):
    before = trained.theta.copy()
    model = replace_head(trained, "vwxyz", seed=3)
    assert model.classes == tuple("vwxyz")
    assert model.network.output_shape == (5,)
    assert np.array_equal(model.parameters["conv1.weight"], trained.parameters["conv1.weight"])
    assert np.array_equal(model.states, trained.states)
    assert model.normalisation == trained.normalisation
    assert model.parameters["linear1.weight"].shape == (5, 36)
    assert np.array_equal(trained.theta, before)


def test_the_head_is_new_also_for_as_many_classes(trained):
    model = replace_head(trained, 3)
    assert model.classes == ()
    assert not np.array_equal(model.parameters["linear1.weight"], trained.parameters["linear1.weight"])


def test_a_frozen_body_learns_new_classes_faster_than_a_fresh_network(trained):
    few, check = stripes(40, seed=5, classes=4), stripes(200, seed=6, classes=4)
    how = {"learning_rate": 0.02, "schedule": "constant", "batch_size": 8}
    tuned = Trainer(replace_head(trained, few.classes, initial="he"), freeze=["conv*", "norm*"], **how)
    start = tuned.model.parameters["conv1.weight"].copy()
    tuned.fit(few, epochs=8)
    fresh = Trainer(replace_head(Trainer(rich_network(), initial="he").model, few.classes, initial="he"), **how)
    fresh.fit(few, epochs=8)
    assert np.array_equal(tuned.model.parameters["conv1.weight"], start)
    assert tuned.model.evaluate(check).accuracy > fresh.model.evaluate(check).accuracy


def test_the_head_is_found_in_every_kind_of_network():
    assert heads_of(lenet5()) == ["linear3"]
    assert heads_of(Sequential([Flatten(), Linear(2)], (1, 2, 2)))[0] == "linear1"
    layers = [Conv2d(8, 3), ReLU(), Conv2d(10, 1, name="classes"), GlobalAvgPool(), Flatten(), Softmax()]
    assert heads_of(Sequential(layers, (1, 8, 8)))[0] == "classes"


def test_networks_without_a_head_are_refused():
    x = Flatten()(Input((1, 4, 4)))
    added = Trainer(Network(Add()(Linear(3)(x), Linear(3)(x)), "sum")).model
    with pytest.raises(UsageError, match="sum: its outputs are not made by a layer such as Linear or Conv2d; add1"):
        replace_head(added, "ab")
    wide = Trainer(Sequential([Conv2d(3, 3), Flatten()], (1, 4, 4), "wide")).model
    with pytest.raises(UsageError, match="wide: conv1 makes 8 outputs for 2 classes"):
        replace_head(wide, "ab")
    with pytest.raises(UsageError, match="needs at least 2 classes, or 1 output; got 'a'"):
        replace_head(Trainer(small_network()).model, "a")
    with pytest.raises(UsageError, match="needs at least 2 classes, or 1 output; got 0"):
        replace_head(Trainer(small_network()).model, 0)
