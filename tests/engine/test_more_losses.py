"""Losses of signs, margins and densities, and the options of cross-entropy, against their definitions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from striate.engine.losses import LOSSES, Loss
from striate.engine.machine import LANES
from striate.engine.session import TrainingSession
from striate.errors import ShapeError, UsageError
from striate.layers import Conv2d, Linear, LogSoftmax, Sigmoid, Softmax
from striate.network import Sequential
from striate.reference import loss as reference
from support.bounds import gamma
from support.choices import examples
from support.probe import check

from .test_losses import TABLE, labels, numbers, step

Rng = np.random.Generator
Pair = tuple[np.ndarray, np.ndarray]
DELTA, MARGIN = 0.75, 1.5


@dataclass(frozen=True)
class Line:
    """A loss, its definition, its targets, and what is summed in a loss and in a gradient without its signs."""

    loss: Loss
    reference: Callable[[np.ndarray, np.ndarray], Pair]
    targets: Callable[[Rng, tuple[int, int]], np.ndarray]
    magnitudes: Callable[[np.ndarray, np.ndarray], Pair]
    most: float = np.inf  # of an output


def absolute(y: np.ndarray, t: np.ndarray) -> Pair:
    return (np.abs(y) + np.abs(t)).mean(axis=1), np.full(y.shape, 1.0 / y.shape[1])


def bent(y: np.ndarray, t: np.ndarray) -> Pair:
    size, error = np.abs(y) + np.abs(t), np.abs(y - t)
    terms = np.where(error <= DELTA, error**2, DELTA * (size + DELTA))
    return terms.mean(axis=1), np.minimum(error, DELTA) / y.shape[1]


def logits(y: np.ndarray, t: np.ndarray) -> Pair:
    return (2 * np.abs(y) + 4).mean(axis=1), (np.abs(y) + 8) * np.ones_like(y) / y.shape[1]


def margins(y: np.ndarray, t: np.ndarray) -> Pair:
    """Where rounding decides on which side of the corner a term lies, the gradient may be off by 1."""
    count = y.shape[1]
    if count == 1:
        size, short = np.abs(y) + MARGIN, MARGIN - np.where(t == 1, 1, -1)[:, None] * y
    else:
        chosen = np.take_along_axis(y, t[:, None], axis=1)
        size, short = np.abs(y) + np.abs(chosen) + MARGIN, MARGIN + y - chosen
    corner = (np.abs(short) <= gamma(3) * size) / gamma(1)
    return size.sum(axis=1), 1.0 + count + corner + corner.sum(axis=1, keepdims=True)


def densities(y: np.ndarray, t: np.ndarray) -> Pair:
    half = t.shape[1]
    mean, spread = y[:, :half], y[:, half:]
    squares = (np.abs(mean - t) ** 2 * np.exp(-spread)) * (4 + np.abs(spread))
    terms = np.abs(spread) + squares + 2
    slope = np.abs(mean - t) * np.exp(-spread) * (4 + np.abs(spread))
    return terms.mean(axis=1), np.concatenate([slope, 1 + squares], axis=1) / half


def coins(rng: Rng, shape: tuple[int, int]) -> np.ndarray:
    return rng.choice([0.0, 0.25, 1.0], shape).astype(np.float32)


def classes(rng: Rng, shape: tuple[int, int]) -> np.ndarray:
    return rng.integers(0, max(2, shape[1]), shape[0])


def halves(rng: Rng, shape: tuple[int, int]) -> np.ndarray:
    return numbers(rng, (shape[0], shape[1] // 2))


MORE = {
    line.loss.name: line
    for line in (
        Line(Loss("mean_absolute_error"), reference.mean_absolute_error, numbers, absolute),
        Line(Loss("huber", delta=DELTA), lambda y, t: reference.huber(y, t, DELTA), numbers, bent),
        Line(Loss("binary_cross_entropy"), reference.binary_cross_entropy, coins, logits),
        Line(Loss("hinge", margin=MARGIN), lambda y, t: reference.hinge(y, t, MARGIN), classes, margins),
        Line(
            Loss("gaussian_negative_log_likelihood"),
            reference.gaussian_negative_log_likelihood,
            halves,
            densities,
            most=20.0,
        ),
    )
}


@pytest.mark.parametrize("name", MORE)
def test_same_as_definition(name: str) -> None:
    line = MORE[name]

    @examples(50)
    @given(
        st.integers(1, 70),
        st.integers(1, 40),
        st.sampled_from([0.1, 1.0, 10.0, 60.0]),
        st.sampled_from(LANES),
        st.integers(0, 2**31),
    )
    def run(n: int, count: int, scale: float, lanes: int, seed: int) -> None:
        rng = np.random.default_rng(seed)
        count += count % 2 if name.startswith("gaussian") else 0
        outputs = np.clip(scale * rng.normal(size=(n, count)), -line.most, line.most).astype(np.float32)
        weights = rng.choice([0.0, 0.5, 1.0, 1 / n], n).astype(np.float32)
        targets = line.targets(rng, (n, count))
        exact = targets if targets.dtype.kind == "i" else targets.astype(np.float64)
        truth, grad = line.reference(outputs.astype(np.float64), exact)
        sizes, slopes = line.magnitudes(outputs.astype(np.float64), exact)
        losses, _, gradient = step(line.loss, outputs, targets, weights, lanes)
        check(losses, truth, gamma(count + 12) * sizes, False, "loss")
        check(gradient, grad * weights[:, None], gamma(12) * slopes * weights[:, None], False, "gradient")

    run()


def test_every_loss_has_a_line() -> None:
    assert set(TABLE) | set(MORE) == set(LOSSES)


OPTIONS = {
    "smoothing": {"label_smoothing": 0.1},
    "class weights": {"class_weights": (0.5, 2.0, 0.0, 1.0, 3.0)},
    "ignored": {"ignored_index": -100},
    "ignored class": {"ignored_index": 2},
    "all": {"label_smoothing": 0.2, "class_weights": (0.5, 2.0, 0.1, 1.0, 3.0), "ignored_index": -100},
}


@pytest.mark.parametrize("lanes", LANES)
@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_options_of_cross_entropy_and_their_mean(options: dict, lanes: int) -> None:
    rng = np.random.default_rng(4)
    outputs, targets = 2 * numbers(rng, (37, 5)), labels(rng, (37, 5))
    if options.get("ignored_index") == -100:
        targets[rng.random(37) < 0.3] = -100
    truth, grads = reference.softmax_cross_entropy(outputs.astype(np.float64), targets, **options)
    counts = reference.sample_weights(targets, options.get("class_weights"), options.get("ignored_index"))
    mean, grad = reference.reduce(truth, grads, "mean", counts)
    losses, correct, gradient = step(Loss("cross_entropy", **options), outputs, targets, None, lanes)
    np.testing.assert_allclose(losses, truth, rtol=2e-6, atol=2e-6)
    np.testing.assert_allclose(gradient, grad, rtol=2e-6, atol=2e-7)
    np.testing.assert_array_equal(correct, outputs.argmax(axis=1) == targets)
    weights = Loss("cross_entropy", **options).sample_weights(targets)
    assert losses @ weights == pytest.approx(mean, rel=1e-5)


def test_a_batch_of_ignored_labels_changes_nothing() -> None:
    outputs = numbers(np.random.default_rng(5), (6, 3))
    losses, _, gradient = step(Loss("cross_entropy", ignored_index=9), outputs, np.full(6, 9), None)
    assert not losses.any()
    assert not gradient.any()


def test_right_means_the_right_side() -> None:
    outputs = np.array([[2.0, -1.0], [2.0, 1.0], [-0.5, -3.0]], np.float32)
    targets = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 0.0]], np.float32)
    assert step("binary_cross_entropy", outputs, targets, None)[1].tolist() == [1, 0, 1]
    assert step("hinge", outputs, np.array([0, 1, 0]), None)[1].tolist() == [1, 0, 1]
    assert step("hinge", outputs[:, :1], np.array([1, 0, 0]), None)[1].tolist() == [1, 0, 1]


@pytest.mark.parametrize(
    ("loss", "last", "read"),
    [
        ("cross_entropy", Softmax(), "linear1"),
        ("cross_entropy", LogSoftmax(), "linear1"),
        ("soft_cross_entropy", Softmax(), "linear1"),
        ("binary_cross_entropy", Sigmoid(), "linear1"),
        ("mean_squared_error", Softmax(), "softmax1"),
        ("cross_entropy", Sigmoid(), "sigmoid1"),
    ],
)
def test_reads_the_logits_before_what_it_contains(loss: str, last: object, read: str) -> None:
    network = Sequential([Linear(3), last], 4)  # type: ignore[list-item]
    assert Loss(loss).reads(network, network.steps[-1].name) == read


@pytest.mark.parametrize("name", ["cross_entropy", "binary_cross_entropy", "hinge", "huber", "mean_absolute_error"])
def test_a_sample_that_is_not_a_number_shows_in_its_loss_alone(name: str) -> None:
    rng = np.random.default_rng(2)
    loss = Loss("cross_entropy", label_smoothing=0.1) if name == "cross_entropy" else Loss(name)
    samples = numbers(rng, (20, 4))
    line = MORE.get(name)
    targets = line.targets(rng, (20, 4)) if line else labels(rng, (20, 4))
    session = TrainingSession(
        Sequential([Linear(4)], 4),
        batch_size=20,
        loss=loss,
        optimizer="gradient_descent",
        dtype=np.dtype(np.float32),
    )
    session.network.views(session.vectors.theta)["linear1.weight"][:] = np.eye(4)
    expected = session.step(samples, np.arange(20), targets, (0.0,))[0].copy()
    samples[7, 2] = np.nan
    losses, _ = session.step(samples, np.arange(20), targets, (0.0,))
    session.team.rest()
    assert np.isnan(losses[7])
    np.testing.assert_array_equal(np.delete(losses, 7), np.delete(expected, 7))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("cross_entropie",), "loss: .*cross_entropy"),
        (("cross_entropy", 1.0), "label_smoothing: must be at least 0 and below 1; got 1"),
        (("cross_entropy", 0.0, (1.0, -1.0)), "class_weights: must be at least 0; got -1"),
        (("cross_entropy", 0.0, None, 1.5), "ignored_index: must be a whole number"),
        (("huber", 0.0, None, None, 0.0), "delta: must be above 0"),
        (("hinge", 0.0, None, None, 1.0, 0.0), "margin: must be above 0"),
        (("hinge", 0.1), "hinge: label smoothing, .* are options of cross-entropy"),
    ],
)
def test_options_that_mean_nothing_are_refused(arguments: tuple, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Loss(*arguments)


def test_outputs_that_a_loss_cannot_take_are_refused() -> None:
    with pytest.raises(ShapeError, match=r"cross_entropy: needs one row of outputs .*; got 2 x 3 x 3"):
        _session(Sequential([Conv2d(2, 2)], (1, 4, 4)), "cross_entropy")
    with pytest.raises(ShapeError, match=r"got 3 outputs\. Use an even number"):
        _session(Sequential([Linear(3)], 4), "gaussian_negative_log_likelihood")
    with pytest.raises(UsageError, match="class_weights: needs one for each of the 3 classes; got 2"):
        _session(Sequential([Linear(3)], 4), Loss("cross_entropy", class_weights=(1.0, 2.0)))


def _session(network: object, loss: str | Loss) -> TrainingSession:
    return TrainingSession(
        network,  # type: ignore[arg-type]
        batch_size=4,
        loss=loss,
        optimizer="gradient_descent",
        dtype=np.dtype(np.float32),
    )
