"""Kernels of losses against their definitions: a number for each sample, and the gradient of the weighted sum."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from striate.engine.machine import LANES
from striate.engine.session import TrainingSession
from striate.layers import Linear
from striate.network import Sequential
from striate.reference.activation import softmax
from striate.reference.loss import mean_squared_error, softmax_cross_entropy
from support.bounds import gamma
from support.choices import examples
from support.probe import check

Loss = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]
Rng = np.random.Generator


@dataclass(frozen=True)
class Line:
    """A loss: its definition, how its targets are drawn, and whether it is one of softmax."""

    reference: Loss
    targets: Callable[[Rng, tuple[int, int]], np.ndarray]
    softmax: bool


def soft_cross_entropy(logits: np.ndarray, shares: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The sum over all classes t of the cross-entropy with t, each weighted with its share."""
    losses, grads = np.zeros(len(logits)), np.zeros_like(logits)
    for t in range(logits.shape[1]):
        loss, grad = softmax_cross_entropy(logits, np.full(len(logits), t))
        losses += shares[:, t] * loss
        grads += shares[:, t, None] * grad
    return losses, grads


def labels(rng: Rng, shape: tuple[int, int]) -> np.ndarray:
    return rng.integers(0, shape[1], shape[0])


def shares(rng: Rng, shape: tuple[int, int]) -> np.ndarray:
    return rng.dirichlet(np.ones(shape[1]), shape[0]).astype(np.float32)


def numbers(rng: Rng, shape: tuple[int, int]) -> np.ndarray:
    return rng.normal(size=shape).astype(np.float32)


TABLE = {
    "cross_entropy": Line(softmax_cross_entropy, labels, True),
    "soft_cross_entropy": Line(soft_cross_entropy, shares, True),
    "mean_squared_error": Line(mean_squared_error, numbers, False),
}


def step(
    loss: str, outputs: np.ndarray, targets: np.ndarray, weights: np.ndarray | None, lanes: int | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return losses, correctness and gradient of the outputs, which are the weights of a dense layer."""
    n, count = outputs.shape
    session = TrainingSession(
        Sequential([Linear(count, bias=False)], n),
        batch_size=n,
        loss=loss,
        optimizer="gradient_descent",
        dtype=np.dtype(np.float32),
        threads=2,
        lanes=lanes,
    )
    session.vectors.theta[: n * count] = outputs.T.ravel()
    losses, correct = session.step(np.eye(n, dtype=np.float32), np.arange(n), targets, (0.0,), weights)
    session.team.rest()
    gradient = session.vectors.gradient[: n * count].reshape(count, n).T
    return losses.copy(), correct.copy(), gradient.copy()


def compare(loss: str, outputs: np.ndarray, targets: np.ndarray, weights: np.ndarray, lanes: int) -> None:
    line = TABLE[loss]
    exact_targets = targets if targets.dtype.kind == "i" else targets.astype(np.float64)
    truth, grad = line.reference(outputs.astype(np.float64), exact_targets)
    losses, _, gradient = step(loss, outputs, targets, weights, lanes)
    count = outputs.shape[1]
    if line.softmax:  # a power of e is off by what its exponent is off; then a sum, a logarithm, a division
        depth = 4.0 * np.abs(outputs).max(axis=1) + 12 + count
        bound = gamma(4) * (depth + np.abs(truth))
        slope = gamma(4) * (depth[:, None] * softmax(outputs.astype(np.float64)) + np.abs(grad))
    else:
        sizes = np.abs(outputs) + np.abs(exact_targets)
        bound = gamma(count + 6) * (sizes**2).mean(axis=1)
        slope = gamma(6) * 2 * sizes / count
    check(losses, truth, bound, False, "loss")
    check(gradient, grad * weights[:, None], slope * weights[:, None], False, "gradient")


@pytest.mark.parametrize("loss", TABLE)
def test_same_as_definition(loss: str) -> None:
    @examples(60)
    @given(
        st.integers(1, 70),
        st.integers(1, 40),
        st.sampled_from([0.1, 1.0, 10.0, 60.0]),
        st.sampled_from(LANES),
        st.integers(0, 2**31),
    )
    def run(n: int, count: int, scale: float, lanes: int, seed: int) -> None:
        rng = np.random.default_rng(seed)
        outputs = (scale * rng.normal(size=(n, count))).astype(np.float32)
        weights = rng.choice([0.0, 0.5, 1.0, 1 / n], n).astype(np.float32)
        compare(loss, outputs, TABLE[loss].targets(rng, (n, count)), weights, lanes)

    run()


@pytest.mark.parametrize("loss", TABLE)
def test_weights_are_one_over_n_by_default(loss: str) -> None:
    rng = np.random.default_rng(0)
    outputs, targets = numbers(rng, (5, 3)), TABLE[loss].targets(rng, (5, 3))
    plain = step(loss, outputs, targets, None)
    stated = step(loss, outputs, targets, np.full(5, 0.2, np.float32))
    for a, b in zip(plain, stated, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("lanes", LANES)
def test_correct_takes_the_first_of_equal_logits(lanes: int) -> None:
    outputs = np.random.default_rng(1).integers(0, 3, (60, 7)).astype(np.float32)
    labels = np.arange(60) % 7
    _, correct, _ = step("cross_entropy", outputs, labels, None, lanes)
    np.testing.assert_array_equal(correct, outputs.argmax(axis=1) == labels)


@pytest.mark.parametrize("loss", ["cross_entropy", "soft_cross_entropy"])
def test_large_logits_neither_overflow_nor_lose_the_loss(loss: str) -> None:
    outputs = np.array([[1e30, -1e30, 0], [-1e4, 1e4, 0], [88, 89, -200], [3e38, 3e38, 3e38]], np.float32)
    targets = np.array([0, 0, 1, 2])
    shares = np.eye(3, dtype=np.float32)[targets]
    losses, _, gradient = step(loss, outputs, targets if loss == "cross_entropy" else shares, None)
    np.testing.assert_allclose(losses, [0, 2e4, np.log1p(np.exp(-1)), np.log(3)], rtol=1e-6)
    assert np.isfinite(gradient).all()
    np.testing.assert_allclose(gradient.sum(axis=1), 0, atol=1e-7)


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
@pytest.mark.parametrize("loss", TABLE)
def test_a_sample_that_is_not_a_number_shows_in_its_loss_alone(loss: str, wrong: float) -> None:
    rng = np.random.default_rng(2)
    outputs, targets = numbers(rng, (20, 4)), TABLE[loss].targets(rng, (20, 4))
    expected, _, _ = step(loss, outputs, targets, None)
    outputs[7, 2] = wrong
    # the one-hot input times NaN would spoil every sample: give each sample an input of its own
    session = TrainingSession(
        Sequential([Linear(4)], 4),
        batch_size=20,
        loss=loss,
        optimizer="gradient_descent",
        dtype=np.dtype(np.float32),
    )
    session.network.views(session.vectors.theta)["linear1.weight"][:] = np.eye(4)
    losses, _ = session.step(outputs, np.arange(20), targets, (0.0,))
    session.team.rest()
    assert not np.isfinite(losses[7])
    np.testing.assert_allclose(np.delete(losses, 7), np.delete(expected, 7), rtol=1e-5)
