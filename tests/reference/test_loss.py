"""Losses against PyTorch and finite differences; options, reductions and refusals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from striate.errors import DataError, UsageError
from striate.reference import loss
from striate.reference.registry import Array
from support.choices import examples
from support.peers import torch_or_skip

Loss = Callable[[Array], tuple[Array, Array]]


def losses(rng: np.random.Generator, n: int, classes: int) -> dict[str, tuple[Loss, Array]]:
    labels = rng.integers(0, classes, n)
    targets, outputs = rng.normal(size=(n, classes)), rng.normal(0.0, 2.0, (n, classes))
    weights = rng.uniform(0.0, 2.0, classes)
    truth = rng.uniform(0.0, 1.0, (n, classes))
    return {
        "cross-entropy": (lambda z: loss.softmax_cross_entropy(z, labels), outputs),
        "with options": (
            lambda z: loss.softmax_cross_entropy(
                z, labels, class_weights=weights, label_smoothing=0.1, ignored_index=0
            ),
            outputs,
        ),
        "binary": (lambda z: loss.binary_cross_entropy(z, truth), outputs),
        "binary with options": (
            lambda z: loss.binary_cross_entropy(z, truth, label_smoothing=0.2, pos_weight=weights),
            outputs,
        ),
        "shares": (lambda z: loss.soft_cross_entropy(z, truth), outputs),
        "divergence": (lambda z: loss.kl_divergence(z, truth), outputs),
        "Poisson": (lambda y: loss.poisson_negative_log_likelihood(y, 5.0 * truth), outputs),
        "squared": (lambda y: loss.mean_squared_error(y, targets), outputs),
        "absolute": (lambda y: loss.mean_absolute_error(y, targets), outputs),
        "huber": (lambda y: loss.huber(y, targets, 0.7), outputs),
        "gaussian": (
            lambda y: loss.gaussian_negative_log_likelihood(y, targets),
            np.concatenate([outputs, targets], axis=1),
        ),
        "hinge": (lambda y: loss.hinge(y, labels, 0.9), outputs),
        "hinge of two": (lambda y: loss.hinge(y, labels % 2), outputs[:, :1]),
    }


NAMES = list(losses(np.random.default_rng(0), 1, 2))


@pytest.mark.parametrize("name", NAMES)
def test_gradient_is_the_slope_for_each_sample(name: str) -> None:
    rng = np.random.default_rng(0)
    for n, classes in [(1, 2), (5, 3), (7, 10)]:
        function, outputs = losses(rng, n, classes)[name]
        direction, h = rng.normal(size=outputs.shape), 1e-6
        slope = (function(outputs)[1] * direction).sum(axis=1)
        differences = (function(outputs + h * direction)[0] - function(outputs - h * direction)[0]) / (2 * h)
        np.testing.assert_allclose(slope, differences, rtol=1e-6, atol=1e-8)


@examples(60)
@given(
    n=st.integers(1, 9),
    classes=st.integers(2, 6),
    smoothing=st.sampled_from([0.0, 0.1, 0.5]),
    weighted=st.booleans(),
    ignored=st.sampled_from([None, 0, -100]),
    reduction=st.sampled_from(["mean", "sum"]),
    seed=st.integers(0, 2**32),
)
def test_cross_entropy_is_that_of_torch(
    n: int, classes: int, smoothing: float, weighted: bool, ignored: int | None, reduction: str, seed: int
) -> None:
    torch = torch_or_skip()
    rng = np.random.default_rng(seed)
    labels, logits = rng.integers(0, classes, n), rng.normal(0, 3, (n, classes))
    labels[0] = 1
    if ignored is not None:
        labels[n // 2 + 1 :: 2] = ignored
    weights = rng.uniform(0.5, 2.0, classes) if weighted else None
    ours, gradient = loss.reduce(
        *loss.softmax_cross_entropy(
            logits, labels, class_weights=weights, label_smoothing=smoothing, ignored_index=ignored
        ),
        reduction,
        loss.sample_weights(labels, weights, ignored),
    )
    z = torch.tensor(logits, requires_grad=True)
    theirs = torch.nn.functional.cross_entropy(
        z, torch.tensor(labels), None if weights is None else torch.tensor(weights),
        ignore_index=-1 if ignored is None else ignored, label_smoothing=smoothing, reduction=reduction,
    )  # fmt: skip
    theirs.backward()
    assert ours == pytest.approx(theirs.item(), rel=1e-11)
    np.testing.assert_allclose(gradient, z.grad.numpy(), rtol=1e-10, atol=1e-13)


def test_other_losses_are_those_of_torch() -> None:
    torch = torch_or_skip()
    functional = torch.nn.functional
    rng = np.random.default_rng(1)
    y, t, labels = rng.normal(0, 2, (6, 4)), rng.normal(size=(6, 4)), rng.integers(0, 4, 6)
    p, s = rng.uniform(size=(6, 4)), rng.normal(size=(6, 4))
    q, w, c = rng.dirichlet(np.ones(4), 6), rng.uniform(0.5, 3.0, 4), rng.poisson(2.0, (6, 4)).astype(float)
    q[0] = [1.0, 0.0, 0.0, 0.0]
    ty, tt, tp, tq = map(torch.tensor, (y, t, p, q))
    gaussian = functional.gaussian_nll_loss(ty, tt, torch.tensor(np.exp(s)), full=True, eps=1e-300)
    pairs: list[tuple[tuple[Array, Array], Any]] = [
        (loss.binary_cross_entropy(y, p), functional.binary_cross_entropy_with_logits(ty, tp)),
        (
            loss.binary_cross_entropy(y, p, pos_weight=w),
            functional.binary_cross_entropy_with_logits(ty, tp, pos_weight=torch.tensor(w)),
        ),
        (
            loss.binary_cross_entropy(y, p, label_smoothing=0.1),
            functional.binary_cross_entropy_with_logits(ty, 0.9 * tp + 0.05),
        ),
        (loss.soft_cross_entropy(y, q), functional.cross_entropy(ty, tq)),
        (
            loss.kl_divergence(y, q),
            functional.kl_div(torch.log_softmax(ty, dim=1), tq, reduction="batchmean"),
        ),
        (loss.poisson_negative_log_likelihood(y, c), functional.poisson_nll_loss(ty, torch.tensor(c))),
        (loss.mean_squared_error(y, t), functional.mse_loss(ty, tt)),
        (loss.mean_absolute_error(y, t), functional.l1_loss(ty, tt)),
        (loss.huber(y, t, 0.7), functional.huber_loss(ty, tt, delta=0.7)),
        (loss.gaussian_negative_log_likelihood(np.concatenate([y, s], axis=1), t), gaussian),
        (loss.hinge(y, labels), 4 * functional.multi_margin_loss(ty, torch.tensor(labels))),
    ]
    for ours, theirs in pairs:
        assert loss.reduce(*ours)[0] == pytest.approx(theirs.item(), rel=1e-12)


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("ignored", [None, 1])
@pytest.mark.parametrize("weighted", [False, True])
def test_cross_entropy_over_space_is_that_of_torch(smoothing: float, ignored: int | None, weighted: bool) -> None:
    torch = torch_or_skip()
    rng = np.random.default_rng(3)
    labels, logits = rng.integers(0, 4, (5, 3, 2)), rng.normal(0, 3, (5, 4, 3, 2))
    weights = rng.uniform(0.5, 2.0, 4) if weighted else None
    options: dict[str, Any] = {"label_smoothing": smoothing, "ignored_index": ignored, "class_weights": weights}
    found = loss.softmax_cross_entropy(logits, labels, **options)
    ours, gradient = loss.reduce(*found, weights=loss.sample_weights(labels, weights, ignored))
    z = torch.tensor(logits, requires_grad=True)
    theirs = torch.nn.functional.cross_entropy(
        z, torch.tensor(labels), None if weights is None else torch.tensor(weights),
        ignore_index=-1 if ignored is None else ignored, label_smoothing=smoothing,
    )  # fmt: skip
    theirs.backward()
    assert ours == pytest.approx(theirs.item(), rel=1e-11)
    np.testing.assert_allclose(gradient, z.grad.numpy(), rtol=1e-10, atol=1e-13)


def test_the_loss_of_labels_over_space_is_that_of_their_row() -> None:
    rng = np.random.default_rng(4)
    logits, truth, weights = rng.normal(size=(3, 2, 4, 5)), rng.uniform(size=(3, 2, 4, 5)), np.array([2.0, 0.5])
    losses, gradient = loss.binary_cross_entropy(logits, truth, pos_weight=weights[:, None, None])
    rows = loss.binary_cross_entropy(logits.reshape(3, 40), truth.reshape(3, 40), pos_weight=np.repeat(weights, 20))
    np.testing.assert_allclose(losses, rows[0], rtol=1e-12)
    np.testing.assert_allclose(gradient.reshape(3, 40), rows[1], rtol=1e-12)


def test_a_class_without_a_share_may_have_a_logit_of_minus_infinity() -> None:
    losses, gradient = loss.softmax_cross_entropy(np.array([[0.0, -np.inf, 0.0]]), np.array([0]))
    assert losses[0] == pytest.approx(np.log(2.0))
    np.testing.assert_allclose(gradient, [[-0.5, 0.0, 0.5]])


def test_extreme_logits_do_not_overflow() -> None:
    logits = np.array([[1e4, -1e4, 0.0], [-1e4, 1e4, 0.0]])
    values, gradient = loss.softmax_cross_entropy(logits, np.array([0, 0]))
    assert values.tolist() == [0.0, 2e4]
    assert gradient.tolist() == [[0, 0, 0], [-1, 1, 0]]
    values, gradient = loss.binary_cross_entropy(np.array([[1e4], [-1e4]]), np.array([[1.0], [1.0]]))
    assert values.tolist() == [0.0, 1e4]
    assert gradient.tolist() == [[0.0], [-1.0]]


def test_ignored_samples_count_nothing() -> None:
    logits, labels = np.random.default_rng(2).normal(size=(4, 3)), np.array([0, 7, 2, 7])
    values, gradient = loss.softmax_cross_entropy(logits, labels, ignored_index=7)
    assert values[1] == values[3] == 0
    assert not gradient[[1, 3]].any()
    assert loss.sample_weights(labels, ignored_index=7).tolist() == [1, 0, 1, 0]
    only = loss.softmax_cross_entropy(logits[[0, 2]], labels[[0, 2]])
    both = loss.reduce(values, gradient, weights=loss.sample_weights(labels, ignored_index=7))
    assert both[0] == pytest.approx(loss.reduce(*only)[0], rel=1e-15)


LOGITS = np.zeros((2, 3))
WRONG: list[tuple[Any, type[Exception], str]] = [
    (
        lambda: loss.softmax_cross_entropy(LOGITS, np.array([0, 3])),
        DataError,
        "0 to 2; got 3 at sample 1. Renumber",
    ),
    (lambda: loss.softmax_cross_entropy(LOGITS, np.array([-1, 0])), DataError, "0 to 2; got -1 at sample 0"),
    (lambda: loss.hinge(LOGITS, np.array([0, 5])), DataError, "0 to 2; got 5"),
    (lambda: loss.hinge(LOGITS[:, :1], np.array([0, 2])), DataError, "0 to 1; got 2"),
    (lambda: loss.hinge(LOGITS, np.array([0, 1]), 0.0), UsageError, "margin: must be above 0; got 0"),
    (lambda: loss.huber(LOGITS, LOGITS, -1.0), UsageError, "delta: must be above 0; got -1"),
    (lambda: loss.binary_cross_entropy(LOGITS, LOGITS + 2), DataError, "targets are from 0 to 1; got 2. Rescale"),
    (lambda: loss.binary_cross_entropy(LOGITS, LOGITS * np.nan), DataError, "targets are from 0 to 1; got nan"),
    (
        lambda: loss.softmax_cross_entropy(LOGITS, np.array([0, 1]), label_smoothing=1.0),
        UsageError,
        "label_smoothing: must be at least 0 and below 1; got 1",
    ),
    (
        lambda: loss.softmax_cross_entropy(LOGITS, np.array([0, 1]), class_weights=np.array([1.0, 2.0])),
        UsageError,
        "class_weights: needs 3 numbers of at least 0",
    ),
    (
        lambda: loss.softmax_cross_entropy(LOGITS, np.array([0, 1]), class_weights=np.array([1.0, 2.0, -1.0])),
        UsageError,
        "class_weights: needs 3 numbers of at least 0",
    ),
    (lambda: loss.reduce(np.zeros(2), LOGITS, "max"), UsageError, "reduction: unknown name 'max'"),
    (
        lambda: loss.reduce(np.zeros(2), LOGITS, "mean", np.zeros(2)),
        UsageError,
        "reduction: a mean needs samples that count; got none",
    ),
]


@pytest.mark.parametrize(("call", "error", "message"), WRONG)
def test_impossible_arguments_are_refused(call: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call()
