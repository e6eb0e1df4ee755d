"""Whole networks in floats: random graphs and the models people use, engine against reference."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from striate import models
from striate.engine.inference_session import InferenceSession
from striate.engine.training_session import TrainingSession
from striate.machine import default_lanes
from striate.network import Network
from striate.reference import forward
from striate.training.initialisation import initialise
from support.disturbance import FACTOR, UNIT, Expectation, expect, terms
from support.graphs import random_network

FLOAT = np.dtype(np.float32)


class AtKink(Exception):
    """A value that is 0 for good, as the mean of normalised values, meets a ReLU: its gradient is rounding."""


def parameters(network: Network, seed: int) -> np.ndarray:
    """Return initial parameters, the constant ones spread, as float32."""
    theta, _ = initialise(network, "lecun", seed)
    return (theta + 0.1 * np.random.default_rng(seed).normal(size=theta.shape)).astype(np.float32)


def safe_expectation(
    network: Network, theta: np.ndarray, batch: int, seed: int
) -> tuple[np.ndarray, np.ndarray, Expectation]:
    """Draw samples until none is at a kink; return them, their targets, and what the reference says."""
    for attempt in range(8):
        rng = np.random.default_rng(1000 * seed + attempt)
        samples = rng.normal(size=(batch, *network.input_shape)).astype(np.float32)
        targets = rng.normal(size=(batch, *network.output_shape)).astype(np.float32)
        expected = expect(network, theta, samples, targets, seed)
        if expected.safe:
            return samples, targets, expected
    raise AtKink(f"{network.name}: every batch of {batch} is at a kink")


def train(
    network: Network,
    theta: np.ndarray,
    samples: np.ndarray,
    targets: np.ndarray,
    seed: int,
    threads: int,
    lanes: int,
) -> tuple[np.ndarray, np.ndarray]:
    session = TrainingSession(
        network, batch_size=len(samples), loss="mean_squared_error", optimizer="gradient_descent",
        dtype=FLOAT, threads=threads, lanes=lanes,
    )  # fmt: skip
    session.vectors.theta[: len(theta)] = theta
    losses, _ = session.step(samples, np.arange(len(samples)), targets, (0.0,), seed=seed, number=1)
    session.team.rest()
    return losses.copy(), session.vectors.gradient[: len(theta)].copy()


def check_inference(network: Network, theta: np.ndarray, samples: np.ndarray, threads: int, lanes: int) -> None:
    session = InferenceSession(network, batch_size=len(samples), dtype=FLOAT, threads=threads, lanes=lanes)
    session.vectors.theta[: len(theta)] = theta
    fast = session.run(samples, np.arange(len(samples)))
    truth = forward(network, theta, samples).output
    depth = sum(terms(step) ** 0.5 for step in network.steps[1:])
    assert np.abs(fast - truth).max() <= FACTOR * UNIT * depth * np.sqrt(np.mean(truth**2)) * 8


def check_network(network: Network, batch: int, seed: int, lanes: int) -> None:
    theta = parameters(network, seed)
    samples, targets, expected = safe_expectation(network, theta, batch, seed)
    losses, gradient = train(network, theta, samples, targets, seed, threads=1, lanes=lanes)
    expected.check(network, losses, gradient)
    again, same = train(network, theta, samples, targets, seed, threads=2, lanes=lanes)
    assert (losses.tobytes(), gradient.tobytes()) == (again.tobytes(), same.tobytes())


@pytest.mark.parametrize("part", range(8))
def test_random_graphs(part: int) -> None:
    compared = 0
    for seed in range(part * 27, part * 27 + 27):
        network = random_network(seed)
        lanes = (default_lanes(), 8, default_lanes(), 4, 16)[seed % 5]
        try:
            check_network(network, 2 + seed * 5 % 19, seed, lanes)
            compared += 1
        except AtKink:
            continue
        except AssertionError as error:
            raise AssertionError(f"random_network({seed}), {lanes} lanes: {network!r}\n{error}") from error
    assert compared >= 20  # of 27; the others are at a kink


MODELS: dict[str, Callable[[], Network]] = {
    "LeNet-5": models.lenet5,
    "LeNet-5 with tanh and means": lambda: models.lenet5(activation="tanh", pooling="average"),
    "LeNet-5 of 1998": models.lenet5_1998,
    "digit recogniser with dropout": lambda: models.digit_recogniser(dropout=True),
    "logistic regression": lambda: models.logistic_regression(10, 784),
    "multilayer perceptron": lambda: models.mlp(10, 784, hidden=(100, 100)),
    "XOR": models.xor,
    "small VGG": lambda: models.small_vgg(10, (3, 8, 8)),
    "1-D CNN": lambda: models.signal_cnn(5, (2, 128)),
    "3-D CNN": lambda: models.voxnet(4, (1, 14, 14, 14)),
}


@pytest.mark.parametrize("name", MODELS)
def test_models(name: str) -> None:
    network = MODELS[name]()
    batch = 2 if network.step(network.steps[1].name).shape[0] >= 32 else 5  # the larger, the nearer to a kink
    check_network(network, batch, 11, default_lanes())


def test_the_comparison_can_fail() -> None:
    """A gradient with one parameter's part negated, shifted or scaled by 1.001 is found out."""
    network = models.lenet5(10, (1, 16, 16))
    theta = parameters(network, 0)
    samples, targets, expected = safe_expectation(network, theta, 6, 0)
    losses, gradient = train(network, theta, samples, targets, 0, threads=1, lanes=default_lanes())
    expected.check(network, losses, gradient)
    for change in (np.negative, lambda g: np.roll(g, 1), lambda g: g * 1.001):
        for slot in network.parameters:
            wrong = gradient.copy()
            slot.view(wrong)[...] = change(slot.view(gradient).ravel()).reshape(slot.spec.shape)
            with pytest.raises(AssertionError, match=slot.name):
                expected.check(network, losses, wrong)
    with pytest.raises(AssertionError, match="losses"):
        expected.check(network, losses * 1.001, gradient)
