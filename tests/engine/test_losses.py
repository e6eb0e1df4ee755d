"""Kernels of losses against their definitions: a number for each sample, and the gradient of the weighted sum."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from striate.engine.training_session import TrainingSession
from striate.layers import Linear
from striate.losses import LOSSES, Loss
from striate.machine import LANES
from striate.network import Sequential
from striate.reference import loss as definition
from striate.reference.activation import sigmoid, softmax
from striate.testing.bounds import gamma
from striate.testing.comparisons import check
from support.choices import examples

Array = np.ndarray
Rng = np.random.Generator
WEIGHTED_LABELS = (0.5, 2.0, 3.0, 1.0, 1.5)
WEIGHTS = (0.5, 2.0, 0.0, 1.0, 1.5)
ROUNDINGS = 12  # of a logarithm, an exponential and what is done with them, beside sums


def labels(rng: Rng, n: int, count: int) -> Array:
    return rng.integers(0, count, n)


def some_ignored(rng: Rng, n: int, count: int) -> Array:
    return np.where(rng.random(n) < 0.3, -100, labels(rng, n, count))


def shares(rng: Rng, n: int, count: int) -> Array:
    return rng.dirichlet(np.ones(count), n).astype(np.float32)


def some_shares(rng: Rng, n: int, count: int) -> Array:
    """Shares of which some are 0, where their logarithm is not finite."""
    kept = shares(rng, n, count) * (rng.random((n, count)) < 0.7)
    kept[:, 0] += 0.01
    return (kept / kept.sum(axis=1, keepdims=True)).astype(np.float32)


def counts(rng: Rng, n: int, count: int) -> Array:
    return rng.poisson(3.0, (n, count)).astype(np.float32)


def numbers(rng: Rng, n: int, count: int) -> Array:
    return rng.normal(size=(n, count)).astype(np.float32)


def halves(rng: Rng, n: int, count: int) -> Array:
    return numbers(rng, n, count // 2)


def fractions(rng: Rng, n: int, count: int) -> Array:
    return rng.choice([0.0, 0.25, 1.0], (n, count)).astype(np.float32)


Magnitudes = Callable[[Array, Array, Array, Array], tuple[Array, Array]]
"""(outputs, targets, losses, gradient) -> what is summed without signs in losses and gradient."""


def of_softmax(z: Array, targets: Array, losses: Array, grad: Array) -> tuple[Array, Array]:
    """A power of e is off by what its exponent is off; no class counts more than 2."""
    depth = 4.0 * np.abs(z).max(axis=1) + 12 + z.shape[1]
    return 2 * depth + np.abs(losses), 2 * depth[:, None] * softmax(z) + np.abs(grad)


def of_divergence(z: Array, targets: Array, losses: Array, grad: Array) -> tuple[Array, Array]:
    size, slope = of_softmax(z, targets, losses, grad)
    return size + 1 + np.log(z.shape[1]), slope


def of_errors(z: Array, targets: Array, losses: Array, grad: Array) -> tuple[Array, Array]:
    size = np.abs(z) + np.abs(targets)
    return (size**2 + size).mean(axis=1), 2 * size / z.shape[1] + np.abs(grad)


def of_expression(z: Array, targets: Array, losses: Array, grad: Array) -> tuple[Array, Array]:
    size = np.abs(z) + np.abs(targets)
    return (2 + size).mean(axis=1), size / z.shape[1] + np.abs(grad)


def of_binary(z: Array, targets: Array, losses: Array, grad: Array) -> tuple[Array, Array]:
    """No label counts more than 3; a power of e is off by what its exponent is off."""
    return 3 * (1 + 2 * np.abs(z)).mean(axis=1), 3 * (sigmoid(z) + targets + 1) / z.shape[1]


def of_hinge(z: Array, targets: Array, losses: Array, grad: Array) -> tuple[Array, Array]:
    return z.shape[1] * (1 + 2 * np.abs(z).max(axis=1)), np.abs(grad)


def of_poisson(z: Array, targets: Array, losses: Array, grad: Array) -> tuple[Array, Array]:
    rates = np.exp(z) * (1 + np.abs(z))
    return (rates + np.abs(targets * z)).mean(axis=1), (rates + targets) / z.shape[1]


def of_gaussian(z: Array, targets: Array, losses: Array, grad: Array) -> tuple[Array, Array]:
    mean, log_variance = np.split(z, 2, axis=1)
    size = np.abs(mean) + np.abs(targets)
    scale = np.exp(-log_variance) * (1 + np.abs(log_variance))
    parts = [2 * size * scale, 1 + size**2 * scale]
    return (np.abs(log_variance) + size**2 * scale + 2).mean(axis=1), np.concatenate(parts, axis=1) / targets.shape[
        1
    ]


@dataclass(frozen=True)
class Line:
    """A loss: its options, its definition, how its targets are drawn, and the other half of its bound."""

    loss: Loss
    reference: Callable[[Array, Array], tuple[Array, Array]]
    targets: Callable[[Rng, int, int], Array]
    magnitudes: Magnitudes
    counts: tuple[int, int] = (1, 40)
    even: int = 1
    scales: tuple[float, ...] = (0.1, 1.0, 10.0, 60.0)


entropy = definition.softmax_cross_entropy
smooth = functools.partial(entropy, label_smoothing=0.1)
weighted = functools.partial(entropy, class_weights=np.array(WEIGHTS), label_smoothing=0.25)
ignoring = functools.partial(entropy, ignored_index=-100)


def pseudo_huber(outputs: Array, targets: Array) -> tuple[Array, Array]:
    root = np.sqrt(1 + (outputs - targets) ** 2)
    return (root - 1).mean(axis=1), (outputs - targets) / root / outputs.shape[1]


TABLE = {
    "cross-entropy": Line(Loss("cross_entropy"), entropy, labels, of_softmax),
    "smoothed": Line(Loss("cross_entropy", label_smoothing=0.1), smooth, labels, of_softmax),
    "weighted": Line(
        Loss("cross_entropy", class_weights=WEIGHTS, label_smoothing=0.25), weighted, labels, of_softmax, (5, 5)
    ),
    "ignoring": Line(Loss("cross_entropy", ignored_index=-100), ignoring, some_ignored, of_softmax),
    "soft": Line(Loss("soft_cross_entropy"), definition.soft_cross_entropy, shares, of_softmax),
    "divergence": Line(Loss("kl_divergence"), definition.kl_divergence, some_shares, of_divergence),
    "binary": Line(Loss("binary_cross_entropy"), definition.binary_cross_entropy, fractions, of_binary),
    "smoothed binary": Line(
        Loss("binary_cross_entropy", label_smoothing=0.1),
        functools.partial(definition.binary_cross_entropy, label_smoothing=0.1),
        fractions,
        of_binary,
    ),
    "weighted binary": Line(
        Loss("binary_cross_entropy", label_smoothing=0.2, pos_weight=WEIGHTED_LABELS),
        functools.partial(
            definition.binary_cross_entropy, label_smoothing=0.2, pos_weight=np.array(WEIGHTED_LABELS)
        ),
        fractions,
        of_binary,
        (5, 5),
    ),
    "hinge": Line(Loss("hinge"), definition.hinge, labels, of_hinge, (2, 40)),
    "two-class hinge": Line(Loss("hinge"), definition.hinge, lambda r, n, c: labels(r, n, 2), of_hinge, (1, 1)),
    "wide hinge": Line(
        Loss("hinge", margin=2.5), functools.partial(definition.hinge, margin=2.5), labels, of_hinge, (2, 40)
    ),
    "squared": Line(Loss("mean_squared_error"), definition.mean_squared_error, numbers, of_errors),
    "absolute": Line(Loss("mean_absolute_error"), definition.mean_absolute_error, numbers, of_errors),
    "Huber": Line(Loss("huber"), definition.huber, numbers, of_errors),
    "narrow Huber": Line(
        Loss("huber", delta=0.25), functools.partial(definition.huber, delta=0.25), numbers, of_errors
    ),
    "expression": Line(
        Loss("expression", expression="e = output - target; sqrt(1 + e**2) - 1"),
        pseudo_huber,
        numbers,
        of_expression,
    ),
    "Gaussian": Line(
        Loss("gaussian_negative_log_likelihood"),
        definition.gaussian_negative_log_likelihood,
        halves,
        of_gaussian,
        even=2,
        scales=(0.1, 1.0, 3.0),
    ),
    "Poisson": Line(
        Loss("poisson_negative_log_likelihood"),
        definition.poisson_negative_log_likelihood,
        counts,
        of_poisson,
        scales=(0.1, 1.0, 3.0),
    ),
}


def step(
    loss: Loss, outputs: Array, targets: Array, weights: Array | None, lanes: int | None = None
) -> tuple[Array, Array, Array]:
    """Return losses, correctness and gradient of the outputs, which are the weights of a dense layer."""
    n, count = outputs.shape
    session = TrainingSession(
        Sequential([Linear(count, bias=False)], n), batch_size=n, loss=loss, optimizer="gradient_descent",
        dtype=np.dtype(np.float32), threads=2, lanes=lanes,
    )  # fmt: skip
    session.vectors.theta[: n * count] = outputs.T.ravel()
    losses, correct = session.step(np.eye(n, dtype=np.float32), np.arange(n), targets, (0.0,), weights)
    session.team.rest()
    gradient = session.vectors.gradient[: n * count].reshape(count, n).T
    return losses.copy(), correct.copy(), gradient.copy()


def compare(line: Line, outputs: Array, targets: Array, weights: Array, lanes: int) -> None:
    plain = targets if targets.dtype.kind == "i" else targets.astype(np.float64)
    z = outputs.astype(np.float64)
    truth, grad = line.reference(z, plain)
    losses, _, gradient = step(line.loss, outputs, targets, weights, lanes)
    size, slope = line.magnitudes(z, plain, truth, grad)
    error = gamma(ROUNDINGS + z.shape[1])
    check(losses, truth, error * size, False, "loss")
    check(gradient, grad * weights[:, None], error * slope * weights[:, None], False, "gradient")


@pytest.mark.parametrize("name", TABLE)
def test_same_as_definition(name: str) -> None:
    line = TABLE[name]
    low, high = line.counts

    @examples(40)
    @given(
        st.integers(1, 70),
        st.integers(low, high),
        st.sampled_from(line.scales),
        st.sampled_from(LANES),
        st.integers(0, 2**31),
    )
    def run(n: int, count: int, scale: float, lanes: int, seed: int) -> None:
        rng = np.random.default_rng(seed)
        outputs = (scale * rng.normal(size=(n, count * line.even))).astype(np.float32)
        weights = rng.choice([0.0, 0.5, 1.0, 1 / n], n).astype(np.float32)
        compare(line, outputs, line.targets(rng, n, count * line.even), weights, lanes)

    run()


def test_every_loss_has_a_line() -> None:
    assert {line.loss.name for line in TABLE.values()} == set(LOSSES)


def test_the_comparison_can_fail() -> None:
    for name, line in TABLE.items():
        rng = np.random.default_rng(0)
        count = max(line.counts[0], 4) if line.counts != (1, 1) else 1
        outputs, targets = numbers(rng, 12, count), line.targets(rng, 12, count)
        other = Line(line.loss, lambda z, t, line=line: line.reference(z * 1.01, t), line.targets, line.magnitudes)
        with pytest.raises(AssertionError, match=r"loss|gradient"):
            compare(other, outputs, targets, np.ones(12, np.float32), 8)
        compare(line, outputs, targets, np.ones(12, np.float32), 8)
        assert name


@pytest.mark.parametrize("name", TABLE)
def test_default_weights_make_the_mean(name: str) -> None:
    line = TABLE[name]
    rng = np.random.default_rng(0)
    count = line.counts[0] * line.even
    outputs, targets = numbers(rng, 9, count), line.targets(rng, 9, count)
    losses, grads = line.reference(outputs.astype(np.float64), targets)
    weights = line.loss.counts(targets)
    _, mean = definition.reduce(losses, grads, "mean", weights)
    _, _, gradient = step(line.loss, outputs, targets, None)
    np.testing.assert_allclose(gradient, mean, rtol=2e-6, atol=2e-6 * np.abs(mean).max())


@pytest.mark.parametrize("lanes", LANES)
def test_correct_takes_the_first_of_equal_logits(lanes: int) -> None:
    outputs = np.random.default_rng(1).integers(0, 3, (60, 7)).astype(np.float32)
    classes = np.arange(60) % 7
    one_hot = np.eye(7, dtype=np.float32)[classes]
    for loss, targets in (("cross_entropy", classes), ("soft_cross_entropy", one_hot), ("hinge", classes)):
        _, correct, _ = step(Loss(loss), outputs, targets, None, lanes)
        np.testing.assert_array_equal(correct, outputs.argmax(axis=1) == classes, err_msg=loss)


@pytest.mark.parametrize("name", ["cross-entropy", "smoothed", "soft"])
def test_large_logits_neither_overflow_nor_lose_the_loss(name: str) -> None:
    outputs = np.array([[-1e4, 1e4, 0], [88, 89, -200], [3e38, 3e38, 3e38]], np.float32)
    targets = np.array([0, 1, 2])
    losses, _, gradient = step(
        TABLE[name].loss, outputs, np.eye(3, dtype=np.float32)[targets] if name == "soft" else targets, None
    )
    if name != "smoothed":
        np.testing.assert_allclose(losses, [2e4, math.log1p(math.exp(-1)), math.log(3)], rtol=1e-6)
    assert np.isfinite(losses).all()
    assert np.isfinite(gradient).all()
    np.testing.assert_allclose(gradient.sum(axis=1), 0, atol=1e-7)


def test_large_numbers_in_binary_cross_entropy() -> None:
    outputs = np.array([[1e30], [-1e30], [120.0]], np.float32)
    losses, _, gradient = step(Loss("binary_cross_entropy"), outputs, np.array([[1], [1], [0]], np.float32), None)
    np.testing.assert_allclose(losses, [0, 1e30, 120], rtol=1e-6)
    np.testing.assert_allclose(gradient[:, 0] * 3, [0, -1, 1], rtol=1e-6)


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
@pytest.mark.parametrize("name", ["cross-entropy", "soft", "weighted", "binary", "squared", "absolute", "Huber"])
def test_a_sample_that_is_not_a_number_shows_in_its_loss_alone(name: str, wrong: float) -> None:
    line, rng = TABLE[name], np.random.default_rng(2)
    outputs, targets = numbers(rng, 20, 5), line.targets(rng, 20, 5)
    if name == "binary":
        targets[7] = 0.25  # the loss of an infinite logit is infinite unless its target is 1
    session = TrainingSession(
        Sequential([Linear(5)], 5), batch_size=20, loss=line.loss, optimizer="gradient_descent",
        dtype=np.dtype(np.float32),
    )  # fmt: skip
    session.network.views(session.vectors.theta)["linear1.weight"][:] = np.eye(5)

    def run() -> Array:
        losses, _ = session.step(outputs, np.arange(20), targets, (0.0,))
        session.team.rest()
        return losses.copy()

    before = run()
    outputs[7, 2] = wrong
    after = run()
    assert not np.isfinite(after[7])
    np.testing.assert_array_equal(np.delete(after, 7), np.delete(before, 7))
