"""Steps of training: the same bits for any number of threads, any order of samples, bytes and floats."""

from __future__ import annotations

import numpy as np
import pytest

from striate import models, reference
from striate.engine.inference_session import InferenceSession
from striate.engine.training_session import TrainingSession
from striate.layers import (
    Add,
    BatchNorm,
    Conv2d,
    Dropout,
    Flatten,
    GaussianNoise,
    GlobalAvgPool,
    Input,
    Linear,
    MaxPool2d,
    Pad,
    ReLU,
)  # fmt: skip
from striate.machine import LANES, default_lanes
from striate.network import Network, Sequential
from striate.training.initialisation import initialise

FLOAT, BYTE = np.dtype(np.float32), np.dtype(np.uint8)
PLAIN = "gradient_descent"
ADAM = (0.01, 0.9, 0.999, 1e-8)


def residual() -> Network:
    """Everything that could tell threads apart: statistics of the batch, random numbers, branches."""
    x = Input((2, 9, 9))
    a = ReLU()(BatchNorm()(Conv2d(8, 3, padding=1)(x)))
    b = BatchNorm()(Conv2d(8, 3, padding=1)(Dropout(0.2)(a)))
    c = MaxPool2d(2)(ReLU()(Add()(a, b)))
    d = GlobalAvgPool()(GaussianNoise(0.1)(Conv2d(6, 3, padding="same", groups=2)(c)))
    return Network(Linear(5)(d), "residual")


NETWORKS = {
    "LeNet-5": lambda: models.lenet5(10, (1, 16, 16)),
    "digit recogniser": lambda: models.digit_recogniser(10, (1, 12, 12), dropout=True, hidden=32),
    "residual": residual,
    "multilayer perceptron": lambda: models.mlp(6, 50, hidden=(40, 30)),
}


def session_for(
    network: Network,
    *,
    batch: int,
    threads: int,
    lanes: int | None = None,
    dtype: np.dtype = FLOAT,
    optimizer: str = "adam",
    loss: str = "cross_entropy",
) -> TrainingSession:
    session = TrainingSession(
        network, batch_size=batch, loss=loss, optimizer=optimizer, dtype=dtype, threads=threads, lanes=lanes
    )
    theta, states = initialise(network, "he", 5)
    session.vectors.theta[: len(theta)] = theta
    session.vectors.states[: len(states)] = states
    return session


def adam(number: int) -> tuple[float, ...]:
    """What the kernel of Adam reads in the step ``number``, from 1 on."""
    alpha, beta1, beta2, epsilon = ADAM
    return alpha, beta1, beta2, epsilon, 1 / (1 - beta1**number), 1 / (1 - beta2**number), 0.0


def train(session: TrainingSession, samples: np.ndarray, labels: np.ndarray, steps: int, batch: int) -> list[float]:
    """Take some steps through the samples, epoch after epoch; the last batch of an epoch is smaller."""
    losses = []
    starts = list(range(0, len(samples), batch))
    for i in range(steps):
        start = starts[i % len(starts)]
        index = np.arange(start, min(start + batch, len(samples)))
        some, _ = session.step(samples, index, labels[index], adam(i + 1), seed=3, number=i)
        session.team.rest()
        losses.append(float(some.mean()))
    return losses


def data(network: Network, count: int, dtype: np.dtype = FLOAT) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, network.output_shape[0], count)
    if dtype == BYTE:
        return rng.integers(0, 256, (count, *network.input_shape)).astype(np.uint8), labels
    return rng.normal(size=(count, *network.input_shape)).astype(np.float32), labels


def result(session: TrainingSession) -> bytes:
    vectors = session.vectors
    return b"".join(v.tobytes() for v in (vectors.theta, *vectors.optimizer.values(), vectors.states))


CASES = [*((name, default_lanes()) for name in NETWORKS), *(("residual", lanes) for lanes in LANES)]


@pytest.mark.parametrize(("name", "lanes"), dict.fromkeys(CASES))
def test_weights_are_the_same_for_any_number_of_threads(name: str, lanes: int) -> None:
    network = NETWORKS[name]()
    samples, labels = data(network, 130)
    results = []
    for threads in (1, 2, 3):
        session = session_for(network, batch=50, threads=threads, lanes=lanes)
        losses = train(session, samples, labels, steps=9, batch=50)
        results.append((losses, result(session)))
    assert results[0] == results[1] == results[2]
    assert results[0][0][-1] < 0.9 * results[0][0][0]  # and it learns


def test_the_same_for_another_batch_size_of_the_plan() -> None:
    """A plan for larger batches cuts them otherwise; the gradient is the same up to the order of its sums."""
    network = models.lenet5(10, (1, 16, 16))
    samples, labels = data(network, 40)
    gradients = []
    for batch in (40, 64, 200):
        session = session_for(network, batch=batch, threads=2)
        train(session, samples, labels, steps=1, batch=40)
        gradients.append(session.vectors.gradient[: network.parameter_count].copy())
    for gradient in gradients[1:]:
        np.testing.assert_allclose(gradient, gradients[0], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", NETWORKS)
def test_small_batch_gives_what_it_gives_alone(name: str) -> None:
    """Samples that fill up a block, and those of a larger batch before, leave no trace."""
    network = NETWORKS[name]()
    samples, labels = data(network, 60)
    alone, after = (session_for(network, batch=60, threads=2) for _ in range(2))
    big = samples.copy()
    big[30:] = 1e30  # what the lanes held before must not be multiplied by a weight of zero
    after.step(big, np.arange(60), labels, adam(1), seed=3, number=0)
    after.team.rest()
    restart = session_for(network, batch=60, threads=1)
    after.vectors.theta[:], after.vectors.states[:] = restart.vectors.theta, restart.vectors.states
    for name_of, vector in after.vectors.optimizer.items():
        vector[:] = restart.vectors.optimizer[name_of]
    for session in (alone, after):
        train(session, samples[:17], labels[:17], steps=2, batch=17)
    assert result(alone) == result(after)


@pytest.mark.parametrize("name", ["LeNet-5", "multilayer perceptron"])
def test_gradient_does_not_depend_on_where_samples_lie(name: str) -> None:
    network = NETWORKS[name]()
    samples, labels = data(network, 37)
    order = np.random.default_rng(1).permutation(37)
    moved = np.zeros((90, *network.input_shape), np.float32)
    places = np.random.default_rng(2).permutation(90)[:37]
    moved[places] = samples
    gradients = []
    for inputs, index in ((samples, order), (moved, places[order])):
        session = session_for(network, batch=37, threads=2, optimizer=PLAIN)
        session.step(inputs, index, labels[order], (0.0,))
        session.team.rest()
        gradients.append(session.vectors.gradient.tobytes())
    assert gradients[0] == gradients[1]


@pytest.mark.parametrize("lanes", LANES)
def test_bytes_are_normalised_as_floats_are(lanes: int) -> None:
    network = Sequential([Pad(2), Conv2d(4, 5), ReLU(), Flatten(), Linear(3)], (2, 7, 5))
    samples, labels = data(network, 21, BYTE)
    mean, scale = np.array([100.0, 30.0]), np.array([50.0, 80.0])
    losses = []
    for array, dtype in ((samples, BYTE), (samples.astype(np.float32), FLOAT)):
        session = session_for(network, batch=21, threads=1, lanes=lanes, dtype=dtype, optimizer=PLAIN)
        session.normalise(mean, scale)
        some, _ = session.step(array, np.arange(21), labels, (0.0,))
        session.team.rest()
        losses.append((some.tobytes(), session.vectors.gradient.tobytes()))
    assert losses[0] == losses[1]
    theta = session.vectors.theta[: network.parameter_count]
    exact = (samples - mean[:, None, None]) / scale[:, None, None]
    logits = reference.forward(network, theta, exact).output
    truth, _ = reference.loss.softmax_cross_entropy(logits, labels)
    np.testing.assert_allclose(some, truth, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("dtype", [BYTE, FLOAT])
def test_inference_normalises_and_takes_any_batch(dtype: np.dtype) -> None:
    network = models.lenet5(10, (3, 13, 11))
    samples, _ = data(network, 45, dtype)
    theta, _ = initialise(network, "he", 0)
    session = InferenceSession(network, batch_size=32, dtype=dtype, threads=2)
    session.vectors.theta[: len(theta)] = theta
    mean, scale = np.array([10.0, 0.0, -3.0]), np.array([40.0, 60.0, 25.0])
    session.normalise(mean, scale)
    exact = (samples - mean[:, None, None]) / scale[:, None, None]
    truth = reference.forward(network, theta, exact).output
    for index in (np.arange(32), np.array([44]), np.arange(45)[::-2], np.array([3, 3, 3])):
        np.testing.assert_allclose(session.run(samples, index), truth[index], rtol=2e-5, atol=2e-6)


def test_frozen_learning_rate_keeps_every_bit() -> None:
    network = models.lenet5(10, (1, 12, 12))
    samples, labels = data(network, 30)
    session = session_for(network, batch=30, threads=2, optimizer=PLAIN)
    before = session.vectors.theta.tobytes()
    for _ in range(3):
        session.step(samples, np.arange(30), labels, (0.0,))
        session.team.rest()
    assert session.vectors.theta.tobytes() == before


def test_gradient_descent_takes_the_step_of_the_textbook() -> None:
    network = models.mlp(4, 20, hidden=(10,))
    samples, labels = data(network, 16)
    session = session_for(network, batch=16, threads=2, optimizer=PLAIN)
    theta = session.vectors.theta.astype(np.float64)
    session.step(samples, np.arange(16), labels, (0.25,))
    session.team.rest()
    expected = theta - 0.25 * session.vectors.gradient
    np.testing.assert_allclose(session.vectors.theta, expected, rtol=2**-23, atol=2**-26)
