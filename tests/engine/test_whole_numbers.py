"""Random networks and models in whole numbers: the engine gives the reference's result to the last bit."""

from __future__ import annotations

import numpy as np
import pytest

from striate import models
from striate.engine.inference_session import InferenceSession
from striate.engine.training_session import TrainingSession
from striate.machine import LANES, default_lanes
from striate.network import Network
from striate.reference import forward
from support.graphs import random_network
from support.whole import WHOLE, Task, task

FLOAT = np.dtype(np.float32)


def check_training(drawn: Task, lanes: int, threads: int, seed: int) -> None:
    """Compare losses and gradient of a step, of a step with a smaller batch, and of the first step again."""
    n = len(drawn.samples)
    session = TrainingSession(
        drawn.network, batch_size=n, loss="mean_squared_error", optimizer="gradient_descent",
        dtype=FLOAT, threads=threads, lanes=lanes,
    )  # fmt: skip
    count = drawn.network.parameter_count
    session.vectors.theta[:count] = drawn.theta
    samples, targets = drawn.samples.astype(np.float32), drawn.targets.astype(np.float32)
    for part in (n, (n + 1) // 2, n):
        losses, _ = session.step(
            samples, np.arange(part), targets[:part], (0.0,), np.ones(part, np.float32), seed=seed, number=1
        )
        session.team.rest()
        np.testing.assert_array_equal(losses, drawn.losses[:part])
    np.testing.assert_array_equal(session.vectors.gradient[:count], drawn.gradient)
    assert not session.vectors.gradient[count:].any()
    np.testing.assert_array_equal(session.vectors.theta[:count], drawn.theta)


def check_inference(drawn: Task, lanes: int, threads: int) -> None:
    session = InferenceSession(
        drawn.network, batch_size=len(drawn.samples), dtype=FLOAT, threads=threads, lanes=lanes
    )
    session.vectors.theta[: drawn.network.parameter_count] = drawn.theta
    order = np.random.default_rng(0).permutation(len(drawn.samples))
    out = session.run(drawn.samples.astype(np.float32), order)
    np.testing.assert_array_equal(out, forward(drawn.network, drawn.theta, drawn.samples).output[order])


@pytest.mark.parametrize("part", range(8))
def test_random_networks(part: int) -> None:
    exact = 0
    for seed in range(part * 40, part * 40 + 40):
        network = random_network(seed, WHOLE)
        drawn = task(network, batch=1 + seed * 7 % 40, seed=seed)
        if not drawn.exact:
            continue
        exact += 1
        lanes = (default_lanes(), 4, default_lanes(), 8, 16)[seed % 5]
        try:
            check_training(drawn, lanes, 1 + seed % 2, seed)
            check_inference(drawn, lanes, 2 - seed % 2)
        except AssertionError as error:
            raise AssertionError(f"random_network({seed}), {lanes} lanes: {network!r}\n{error}") from error
    assert exact >= 25  # of 40, so that over 200 networks are compared


MODELS = {
    "LeNet-5": models.lenet5(8, (1, 16, 16)),
    "LeNet-5 with mean pooling": models.lenet5(8, (2, 20, 20), pooling="average", bias=False),
    "digit recogniser": models.digit_recogniser(8, (1, 12, 12), hidden=32),
    "multilayer perceptron": models.mlp(8, 40, hidden=(30, 20)),
    "1-D CNN": models.signal_cnn(8, (2, 64)),
}


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("lanes", LANES)
def test_models(name: str, lanes: int) -> None:
    network = without_softmax(MODELS[name])
    drawn = task(network, batch=21, seed=3, density=0.02)
    assert drawn.exact
    assert np.abs(drawn.gradient).sum() > 10
    check_training(drawn, lanes, 2, 3)
    check_inference(drawn, lanes, 1)


def without_softmax(network: Network) -> Network:
    """Return the network up to its logits."""
    from striate.network_description import from_description

    description = network.describe()
    if description["layers"][-1]["type"] == "Softmax":
        description["layers"].pop()
    return from_description(description)
