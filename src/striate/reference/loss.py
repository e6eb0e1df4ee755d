"""The meaning of losses of classifiers: a number for each sample, and its gradient with respect to the output.

Losses of regressions stand in ``regression_loss``; ``reduce`` makes one number of the losses of a batch.
"""

from __future__ import annotations

import numpy as np

from striate.errors import DataError, UsageError
from striate.layers.arguments import choice, real
from striate.reference.activation import log_softmax, sigmoid, softmax
from striate.reference.registry import Array
from striate.reference.regression_loss import (
    gaussian_negative_log_likelihood,
    huber,
    mean_absolute_error,
    mean_squared_error,
)

__all__ = [
    "binary_cross_entropy",
    "check_labels",
    "gaussian_negative_log_likelihood",
    "hinge",
    "huber",
    "mean_absolute_error",
    "mean_squared_error",
    "reduce",
    "sample_weights",
    "softmax_cross_entropy",
]


def softmax_cross_entropy(
    logits: Array,
    labels: Array,
    *,
    class_weights: Array | None = None,
    label_smoothing: float = 0.0,
    ignored_index: int | None = None,
) -> tuple[Array, Array]:
    """Return the negative log-likelihood of each sample and its gradient with respect to the logits.

    ``loss[n] = -sum over c of q[n, c] * log p[n, c]`` with ``p = softmax(logits)`` and
    ``q[n, c] = class_weights[c] * ((1 - label_smoothing) * [c = t] + label_smoothing / C)``, so
    ``grad[n, c] = p[n, c] * sum over d of q[n, d] - q[n, c]``. Without options it is
    ``log(sum over c of exp(z[n, c])) - z[n, t]`` and ``softmax(z)[n, c] - [c = t]``.

    Parameters
    ----------
    logits : float64[N, C]
    labels : int64[N]
        The true class t of each sample.
    class_weights : float64[C], optional
        At least 0; the mean over a batch divides by the sum of the weights of its labels.
    label_smoothing : float
        From 0 to below 1: this share of the truth is spread over all classes.
    ignored_index : int, optional
        Samples with this label count nothing.

    Returns
    -------
    losses : float64[N]
    grad_logits : float64[N, C]

    Raises
    ------
    DataError
        If a label is none of the classes and not the ignored index.
    UsageError
        If the options mean nothing.

    References
    ----------
    Goodfellow, Bengio and Courville (2016), "Deep Learning", section 6.2.2.3; Szegedy et al. (2016),
    "Rethinking the Inception architecture for computer vision", section 7 (label smoothing).
    """
    classes = logits.shape[1]
    counted = check_labels(labels, classes, ignored_index)
    smoothing = real(label_smoothing, "label_smoothing", above=0, below=1, closed=True)
    truth = np.full(logits.shape, smoothing / classes)
    truth[counted, labels[counted]] += 1.0 - smoothing
    truth *= _class_weights(class_weights, classes)
    truth[~counted] = 0.0
    losses = -(truth * log_softmax(logits)).sum(axis=1)
    return losses, softmax(logits) * truth.sum(axis=1, keepdims=True) - truth


def binary_cross_entropy(logits: Array, targets: Array) -> tuple[Array, Array]:
    """Return the mean over the outputs of the binary cross-entropy of each sample, and its gradient.

    ``loss[n] = 1/T * sum over t of (max(z, 0) - z * target + log(1 + exp(-|z|)))``, which is
    ``-target * log(sigmoid(z)) - (1 - target) * log(1 - sigmoid(z))`` without overflow;
    ``grad[n, t] = (sigmoid(z) - target) / T``.

    Parameters
    ----------
    logits : float64[N, T]
    targets : float64[N, T]
        From 0 to 1.

    Raises
    ------
    DataError
        If a target is not between 0 and 1.
    """
    if not ((targets >= 0) & (targets <= 1)).all():
        wrong = targets[~((targets >= 0) & (targets <= 1))][0]
        raise DataError(f"binary cross-entropy: targets are from 0 to 1; got {wrong:g}. Rescale them.")
    losses = np.maximum(logits, 0.0) - logits * targets + np.log1p(np.exp(-np.abs(logits)))
    return losses.mean(axis=1), (sigmoid(logits) - targets) / logits.shape[1]


def hinge(outputs: Array, labels: Array, margin: float = 1.0) -> tuple[Array, Array]:
    """Return the hinge loss of each sample and its gradient.

    With one output per class ``loss[n] = sum over c other than t of max(0, margin + y[n, c] - y[n, t])``;
    with a single output, for classes 0 and 1, ``max(0, margin - s * y[n, 0])`` with s = -1 for 0 and 1 for 1.
    At the corner the gradient is 0.

    Parameters
    ----------
    outputs : float64[N, C] or float64[N, 1]
    labels : int64[N]

    Raises
    ------
    DataError
        If a label is none of the classes.

    References
    ----------
    Weston and Watkins (1999), "Support vector machines for multi-class pattern recognition".
    """
    margin = real(margin, "margin", above=0)
    check_labels(labels, max(outputs.shape[1], 2))
    if outputs.shape[1] == 1:
        sign = np.where(labels == 1, 1.0, -1.0)[:, None]
        terms = np.maximum(0.0, margin - sign * outputs)
        return terms[:, 0], np.where(terms > 0, -sign, 0.0)
    rows = np.arange(len(outputs))
    terms = np.maximum(0.0, margin + outputs - outputs[rows, labels][:, None])
    terms[rows, labels] = 0.0
    gradient = (terms > 0).astype(float)
    gradient[rows, labels] = -gradient.sum(axis=1)
    return terms.sum(axis=1), gradient


def check_labels(labels: Array, classes: int, ignored_index: int | None = None) -> Array:
    """Return bool[N]: which samples count, those whose label is not the ignored index.

    Raises
    ------
    DataError
        If a label that counts is not from 0 to ``classes - 1``.
    """
    counted = np.ones(len(labels), bool) if ignored_index is None else labels != ignored_index
    wrong = counted & ((labels < 0) | (labels >= classes))
    if wrong.any():
        raise DataError(
            f"labels: classes are numbered 0 to {classes - 1}; got {labels[wrong][0]} at sample "
            f"{np.flatnonzero(wrong)[0]}. Renumber them, or give the network more outputs."
        )
    return counted


def sample_weights(labels: Array, class_weights: Array | None = None, ignored_index: int | None = None) -> Array:
    """Return float64[N]: what each sample counts in the mean of a batch.

    Parameters
    ----------
    labels : int64[N]
    class_weights : float64[C], optional
    ignored_index : int, optional
    """
    counted = np.ones(len(labels), bool) if ignored_index is None else labels != ignored_index
    if class_weights is None:
        return counted.astype(float)
    weights = np.zeros(len(labels))
    weights[counted] = np.asarray(class_weights, float)[labels[counted]]
    return weights


def reduce(
    losses: Array, gradients: Array, reduction: str = "mean", weights: Array | None = None
) -> tuple[float, Array]:
    """Return one number for a batch, and its gradient with respect to the outputs.

    "sum": the sum of the losses; "mean": that divided by the sum of the weights (by N without).

    Parameters
    ----------
    losses : float64[N]
        Of each sample, class weights included.
    gradients : float64[N, ...]
    reduction : {"mean", "sum"}
    weights : float64[N], optional
        From ``sample_weights``.

    Raises
    ------
    UsageError
        If there is no such reduction, or no sample counts.
    """
    if choice(reduction, "reduction", ("mean", "sum")) == "sum":
        return float(losses.sum()), gradients
    total = float(len(losses) if weights is None else weights.sum())
    if total <= 0:
        raise UsageError(
            "reduction: a mean needs samples that count; got none. Use another ignored index or batch."
        )
    return float(losses.sum()) / total, gradients / total


def _class_weights(class_weights: Array | None, classes: int) -> Array:
    if class_weights is None:
        return np.ones(classes)
    weights = np.asarray(class_weights, float)
    if weights.shape != (classes,) or not (np.isfinite(weights) & (weights >= 0)).all():
        raise UsageError(f"class_weights: needs {classes} numbers of at least 0; got {class_weights!r}.")
    return weights
