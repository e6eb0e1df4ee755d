"""Layers that do not learn: nothing is computed for them, and what learns learns the same bits."""

from __future__ import annotations

import numpy as np
import pytest
from test_auxiliary import network as two_ends

from striate import Trainer
from striate.engine.training_session import TrainingSession
from striate.layers import Add, BatchNorm, Conv2d, Flatten, Input, Linear, MaxPool2d, ReLU, Sigmoid, Softmax
from striate.network import Network, Sequential
from striate.training import Regularisation
from striate.training.rates import frozen_layers, parameter_rates
from tasks import rich_network, small_network, stripes


def residual() -> Network:
    """Two branches that meet again; one is frozen."""
    first = ReLU()(BatchNorm()(Conv2d(4, 3, padding=1, name="conv1")(Input((1, 8, 8)))))
    branch = ReLU()(Conv2d(4, 3, padding=1, name="conv2")(first))
    joined = MaxPool2d(2)(ReLU()(Add()(branch, first)))
    return Network(Softmax()(Linear(3, name="last")(Flatten()(joined))), "residual")


def signals() -> Network:
    layers = [Conv2d(4, 3, stride=2), Sigmoid(), Conv2d(6, 3), ReLU(), Flatten(), Linear(12), ReLU(), Linear(3)]
    return Sequential(layers, (1, 8, 8), "plain")


CASES = [
    (small_network(), ["conv*"]),
    (small_network(), ["conv*", "linear1"]),
    (small_network(), ["linear*"]),
    (small_network(), ["*.bias"]),
    (rich_network(), ["conv*", "norm*"]),
    (rich_network(), ["conv*"]),
    (residual(), ["conv1", "norm*"]),
    (residual(), ["conv2"]),
    (residual(), ["conv*", "norm*"]),
    (two_ends(), ["conv*"]),
    (two_ends(), ["conv1", "aux*"]),
    (two_ends(), ["conv*", "last"]),
    (signals(), ["conv1"]),
    (signals(), ["conv*", "linear1"]),
]


@pytest.mark.parametrize(
    "arguments", [{}, {"regularisation": Regularisation(clip_norm=0.5, l2=1e-3), "optimizer": "sgd"}]
)
@pytest.mark.parametrize(("network", "freeze"), CASES)
def test_what_learns_learns_the_same_bits(network, freeze, arguments, monkeypatch):
    trainers = []
    for known in (frozen_layers, lambda network, factors: ()):
        monkeypatch.setattr("striate.training.session.frozen_layers", known)
        trainer = Trainer(network, freeze=freeze, batch_size=40, learning_rate=0.05, **arguments)
        trainer.fit(stripes(150), epochs=2)
        trainers.append(trainer)
    few, all_ = trainers
    assert np.array_equal(few.model.theta, all_.model.theta)
    assert np.array_equal(few.model.states, all_.model.states)
    for name, vector in vars(few.state.optimizer).items():
        assert np.array_equal(vector, vars(all_.state.optimizer)[name]), name
    assert few.history["loss"] == all_.history["loss"]
    assert not np.array_equal(few.model.theta, Trainer(network).model.theta)


def rows(network: Network, freeze: list[str]) -> int:
    """Return how many kernel calls a shard makes."""
    frozen = frozen_layers(network, parameter_rates(network, {}, freeze))
    session = TrainingSession(
        network, batch_size=32, loss="cross_entropy", optimizer="adam", dtype=np.dtype(np.uint8), frozen=frozen
    )
    return sum(row.section != "update" for row in session.program.rows) - 1  # without the sum over the shards


def test_below_the_first_layer_that_learns_nothing_is_computed():
    network, lowest = small_network(), small_network()
    forward = 1 + sum(bool(step.inputs) for step in network.steps) + 1  # the samples, the layers, the loss
    counts = [rows(network, freeze) for freeze in ([], ["conv*"], ["conv*", "linear1"])]
    assert counts[0] > counts[1] > counts[2]
    assert counts[2] <= forward + 3  # the last layer's weight, its bias and zeros for what it adds to
    assert forward < rows(lowest, ["linear*"]) < counts[0]  # the gradient goes through what is frozen above


def test_only_layers_that_are_frozen_whole_are_left_out():
    network = small_network()
    assert frozen_layers(network, parameter_rates(network, {}, ["conv1", "*.bias"])) == ("conv1",)
    assert frozen_layers(network, parameter_rates(network, {"linear1": 0.0}, [])) == ("linear1",)


def test_frozen_layers_above_one_that_learns_get_no_gradient() -> None:
    """Their rows are not even in the program."""
    net = signals()
    kernels = []
    for frozen in ((), ("conv2", "linear1")):
        session = TrainingSession(
            net,
            batch_size=16,
            loss="cross_entropy",
            optimizer="momentum",
            dtype=np.dtype(np.float32),
            frozen=frozen,
        )
        x = np.random.default_rng(0).normal(size=(16, 1, 8, 8)).astype(np.float32)
        session.vectors.theta[: net.parameter_count] = np.random.default_rng(1).normal(size=net.parameter_count)
        session.pack()
        session.step(x, np.arange(16), np.arange(16) % 3, (0.1, 0.9))
        kernels.append(net.views(session.vectors.gradient))
    assert all(np.abs(kernels[0][name]).any() for name in ("conv2.weight", "linear1.weight", "conv1.weight"))
    for name in ("conv2.weight", "conv2.bias", "linear1.weight", "linear1.bias"):
        assert not kernels[1][name].any(), name
    np.testing.assert_array_equal(kernels[0]["conv1.weight"], kernels[1]["conv1.weight"])
