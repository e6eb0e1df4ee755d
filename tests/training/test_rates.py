from __future__ import annotations

import numpy as np
import pytest

from striate import Trainer
from striate.errors import UsageError
from tasks import rich_network, small_network


def test_frozen_parameters_stay_and_slow_ones_move_less(data):
    network = small_network()
    trainers = [
        Trainer(network, optimizer="sgd", batch_size="full", **arguments)
        for arguments in ({}, {"freeze": "conv*", "rates": {"linear1": 0.25}}, {"rates": {"*.bias": 0.0}})
    ]
    start = network.views(trainers[0].model.theta.copy())
    for trainer in trainers:
        trainer.fit(data, epochs=1)
    full, some, biases = (network.views(trainer.model.theta) for trainer in trainers)
    assert np.array_equal(some["conv1.weight"], start["conv1.weight"])
    assert np.array_equal(some["linear2.weight"], full["linear2.weight"])
    moved, slow = full["linear1.weight"] - start["linear1.weight"], some["linear1.weight"] - start["linear1.weight"]
    assert np.abs(moved).max() > 1e-4
    np.testing.assert_allclose(slow, 0.25 * moved, atol=1e-7)
    for name, values in start.items():
        assert np.array_equal(values, biases[name]) == name.endswith("bias")


def test_a_frozen_normalisation_keeps_its_statistics(data):
    for freeze, still in (("norm*", True), ("*.bias", False)):
        trainer = Trainer(rich_network(), freeze=freeze)
        before = trainer.model.states.copy()
        trainer.fit(data, epochs=1)
        assert np.array_equal(trainer.model.states, before) == still


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"freeze": ["conv2"]},
            "small: a pattern must match a parameter; got 'conv2'. Layers that learn: conv1, linear1",
        ),
        ({"freeze": "*"}, "small: every parameter is frozen"),
        ({"rates": {"conv*": -1}}, r"rates.conv\*: must be at least 0; got -1"),
    ],
)
def test_patterns_that_cannot_mean_anything_are_refused(arguments, message):
    with pytest.raises(UsageError, match=message):
        Trainer(small_network(), **arguments)
