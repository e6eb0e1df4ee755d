"""The options of losses: what they make of a batch, what each loss reads, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from striate.engine.training_session import TrainingSession
from striate.errors import ShapeError, UsageError
from striate.layers import Conv2d, Linear, LogSoftmax, Reshape, Sigmoid, Softmax
from striate.losses import Loss, MeanSquaredError
from striate.machine import LANES
from striate.network import Network, Sequential
from striate.reference import loss as reference


def numbers(rng: np.random.Generator, n: int, count: int) -> np.ndarray:
    return rng.normal(size=(n, count)).astype(np.float32)


def _session(network: Network, loss: str | Loss, batch: int = 4, lanes: int | None = None) -> TrainingSession:
    return TrainingSession(
        network,
        batch_size=batch,
        loss=loss,
        optimizer="gradient_descent",
        dtype=np.dtype(np.float32),
        lanes=lanes,
    )


def step(
    loss: str | Loss, outputs: np.ndarray, targets: np.ndarray, lanes: int | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return losses, correctness and gradient of the outputs, which are the weights of a dense layer."""
    n, count = outputs.shape
    session = _session(Sequential([Linear(count, bias=False)], n), loss, n, lanes)
    session.vectors.theta[: n * count] = outputs.T.ravel()
    losses, correct = session.step(np.eye(n, dtype=np.float32), np.arange(n), targets, (0.0,))
    session.team.rest()
    gradient = session.vectors.gradient[: n * count].reshape(count, n).T
    return losses.copy(), correct.copy(), gradient.copy()


class WithoutKernel(MeanSquaredError):
    def kernel(self, shape: tuple[int, ...]) -> None:  # type: ignore[override]
        return None


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
    outputs, targets = 2 * numbers(rng, 37, 5), rng.integers(0, 5, 37)
    if options.get("ignored_index") == -100:
        targets[rng.random(37) < 0.3] = -100
    truth, grads = reference.softmax_cross_entropy(outputs.astype(np.float64), targets, **options)
    counts = reference.sample_weights(targets, options.get("class_weights"), options.get("ignored_index"))
    mean, grad = reference.reduce(truth, grads, "mean", counts)
    losses, correct, gradient = step(Loss("cross_entropy", **options), outputs, targets, lanes)
    np.testing.assert_allclose(losses, truth, rtol=2e-6, atol=2e-6)
    np.testing.assert_allclose(gradient, grad, rtol=2e-6, atol=2e-7)
    right = (outputs.argmax(axis=1) == targets) & (targets != options.get("ignored_index"))
    np.testing.assert_array_equal(correct, right)
    weights = Loss("cross_entropy", **options).sample_weights(targets)
    assert losses @ weights == pytest.approx(mean, rel=1e-5)


def test_a_batch_of_ignored_labels_changes_nothing() -> None:
    outputs = numbers(np.random.default_rng(5), 6, 3)
    losses, _, gradient = step(Loss("cross_entropy", ignored_index=9), outputs, np.full(6, 9))
    assert not losses.any()
    assert not gradient.any()


def test_right_means_the_right_side() -> None:
    outputs = np.array([[2.0, -1.0], [2.0, 1.0], [-0.5, -3.0]], np.float32)
    targets = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 0.0]], np.float32)
    assert step("binary_cross_entropy", outputs, targets)[1].tolist() == [1, 0.5, 1]
    assert step("hinge", outputs, np.array([0, 1, 0]))[1].tolist() == [1, 0, 1]
    assert step("hinge", outputs[:, :1], np.array([1, 0, 0]))[1].tolist() == [1, 0, 1]


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


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "cross_entropie"}, "loss: .*cross_entropy"),
        ({"name": "huber", "margin": 1.0}, "huber: option: .*delta"),
        ({"name": "huber", "reduction": "all"}, "huber: reduction: .*mean"),
        (
            {"name": "cross_entropy", "label_smoothing": 1.0},
            "label_smoothing: must be at least 0 and below 1; got 1",
        ),
        ({"name": "cross_entropy", "class_weights": (1.0, -1.0)}, "class_weights: must be at least 0; got -1"),
        ({"name": "cross_entropy", "ignored_index": 1.5}, "ignored_index: must be a whole number"),
        ({"name": "binary_cross_entropy", "pos_weight": (1.0, 0.0)}, "pos_weight: must be above 0; got 0"),
        ({"name": "binary_cross_entropy", "label_smoothing": -0.1}, "label_smoothing: must be at least 0"),
        ({"name": "huber", "delta": 0.0}, "delta: must be above 0"),
        ({"name": "hinge", "margin": 0.0}, "margin: must be above 0"),
        ({"name": "hinge", "label_smoothing": 0.1}, "hinge: option: .*margin"),
    ],
)
def test_options_that_mean_nothing_are_refused(arguments: dict, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Loss(**arguments)
    with pytest.raises(UsageError, match=message):
        Loss.from_description(arguments)


def test_outputs_that_a_loss_cannot_take_are_refused() -> None:
    with pytest.raises(ShapeError, match=r"hinge: needs one row of outputs .*; got 2 x 3 x 3"):
        _session(Sequential([Conv2d(2, 2)], (1, 4, 4)), "hinge")
    with pytest.raises(ShapeError, match=r"got 3 outputs\. Use an even number"):
        _session(Sequential([Linear(3)], 4), "gaussian_negative_log_likelihood")
    with pytest.raises(UsageError, match="class_weights: needs one for each of the 3 classes; got 2"):
        _session(Sequential([Linear(3)], 4), Loss("cross_entropy", class_weights=(1.0, 2.0)))
    with pytest.raises(UsageError, match="pos_weight: needs one for each of the 3 outputs, or one for all; got 2"):
        _session(Sequential([Linear(3)], 4), Loss("binary_cross_entropy", pos_weight=(1.0, 2.0)))


@pytest.mark.parametrize("lanes", LANES)
@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_a_class_at_each_position_follows_the_definition(options: dict, lanes: int) -> None:
    rng = np.random.default_rng(6)
    outputs, targets = 2 * numbers(rng, 19, 5 * 6).reshape(19, 5, 2, 3), rng.integers(0, 5, (19, 2, 3))
    if options.get("ignored_index") == -100:
        targets[rng.random((19, 2, 3)) < 0.3] = -100
    loss = Loss("cross_entropy", **options)
    session = _session(Sequential([Linear(30, bias=False), Reshape((5, 2, 3))], 19), loss, 19, lanes)
    session.vectors.theta[: 19 * 30] = outputs.reshape(19, 30).T.ravel()
    losses, correct = session.step(np.eye(19, dtype=np.float32), np.arange(19), targets, (0.0,))
    truth, grads = loss.reference(outputs.astype(np.float64), targets)
    _, grad = reference.reduce(truth, grads, "mean", loss.counts(targets))
    np.testing.assert_allclose(losses, truth, rtol=2e-6, atol=2e-6)
    found = session.vectors.gradient[: 19 * 30].reshape(30, 19).T
    np.testing.assert_allclose(found, grad.reshape(19, 30), rtol=2e-6, atol=2e-7)
    right = (outputs.argmax(axis=1) == targets) & (targets != options.get("ignored_index"))
    np.testing.assert_allclose(correct, right.mean(axis=(1, 2)), rtol=1e-6)


@pytest.mark.parametrize("lanes", LANES)
def test_a_loss_without_a_kernel_runs_through_its_reference(lanes: int) -> None:
    rng = np.random.default_rng(7)
    outputs, targets = numbers(rng, 37, 4), numbers(rng, 37, 4)
    expected = step("mean_squared_error", outputs, targets, lanes)
    found = step(WithoutKernel(), outputs, targets, lanes)
    np.testing.assert_allclose(found[0], expected[0], rtol=1e-6)
    np.testing.assert_allclose(found[2], expected[2], rtol=1e-6, atol=1e-8)
