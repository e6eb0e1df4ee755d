"""The meaning of losses of classifiers: a number for each sample, and its gradient with respect to the output.

Losses of regressions stand in ``regression_loss``; ``reduce`` makes one number of the losses of a batch.
"""

from __future__ import annotations

import math

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
    poisson_negative_log_likelihood,
)

__all__ = [
    "binary_cross_entropy",
    "check_labels",
    "gaussian_negative_log_likelihood",
    "hinge",
    "huber",
    "kl_divergence",
    "mean_absolute_error",
    "mean_squared_error",
    "poisson_negative_log_likelihood",
    "reduce",
    "sample_weights",
    "soft_cross_entropy",
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
    ``log(sum over c of exp(z[n, c])) - z[n, t]`` and ``softmax(z)[n, c] - [c = t]``. With a class at each position
    of a sample, its loss is the mean over the positions.

    Parameters
    ----------
    logits : float64[N, C, *space]
    labels : int64[N, *space]
        The true class t of each sample, or position.
    class_weights : float64[C], optional
        At least 0; the mean over a batch divides by the sum of the weights of its labels.
    label_smoothing : float
        From 0 to below 1: this share of the truth is spread over all classes.
    ignored_index : int, optional
        Samples, or positions, with this label count nothing.

    Returns
    -------
    losses : float64[N]
    grad_logits : float64[N, C, *space]

    Raises
    ------
    DataError
        If a label is none of the classes and not the ignored index.
    UsageError
        If the options mean nothing.

    References
    ----------
    Goodfellow, Bengio and Courville (2016), "Deep Learning", section 6.2.2.3; Szegedy et al. (2016),
    "Rethinking the Inception architecture for computer vision", section 7 (label smoothing); Long, Shelhamer and
    Darrell (2015), "Fully convolutional networks for semantic segmentation", section 3 (the loss over space).
    """
    classes = logits.shape[1]
    smoothing = real(label_smoothing, "label_smoothing", above=0, below=1, closed=True)
    weights = _class_weights(class_weights, classes)
    counted = check_labels(labels, classes, ignored_index)
    hit = np.moveaxis(np.where(counted, labels, -1)[..., np.newaxis] == np.arange(classes), -1, 1)
    truth = (1.0 - smoothing) * hit + smoothing / classes
    truth *= weights.reshape(classes, *(1,) * (logits.ndim - 2)) * counted[:, np.newaxis]
    losses, gradient = soft_cross_entropy(logits, truth)
    positions = math.prod(logits.shape[2:])
    return losses.reshape(len(logits), positions).mean(axis=1), gradient / positions


def soft_cross_entropy(logits: Array, shares: Array) -> tuple[Array, Array]:
    """Return the cross-entropy of the softmax with shares of the classes, and its gradient.

    ``loss[n] = -sum over c of q[n, c] * log p[n, c]``, ``grad[n, c] = p[n, c] * sum over d of q[n, d] - q[n, c]``.

    Parameters
    ----------
    logits, shares : float64[N, C, *space]

    Returns
    -------
    losses : float64[N, *space]
    grad_logits : float64[N, C, *space]

    References
    ----------
    Zhang, Cisse, Dauphin and Lopez-Paz (2018), "mixup: beyond empirical risk minimization", section 2.
    """
    present = np.broadcast_to(shares != 0, logits.shape)  # a class without a share may have a logit of -infinity
    losses = -np.multiply(shares, log_softmax(logits), out=np.zeros_like(logits), where=present).sum(axis=1)
    return losses, softmax(logits) * shares.sum(axis=1, keepdims=True) - shares


def kl_divergence(logits: Array, shares: Array) -> tuple[Array, Array]:
    """Return the Kullback-Leibler divergence of the softmax from shares of the classes, and its gradient.

    ``loss[n] = sum over c of q[n, c] * (log q[n, c] - log p[n, c])``, with 0 log 0 = 0; the gradient is that of
    ``soft_cross_entropy``.

    Parameters
    ----------
    logits, shares : float64[N, C]

    References
    ----------
    Kullback and Leibler (1951), "On information and sufficiency", section 2.
    """
    losses, gradient = soft_cross_entropy(logits, shares)
    positive = np.where(shares > 0, shares, 1.0)
    return losses + (positive * np.log(positive)).sum(axis=1), gradient


def binary_cross_entropy(
    logits: Array, targets: Array, *, label_smoothing: float = 0.0, pos_weight: Array | None = None
) -> tuple[Array, Array]:
    """Return the mean over the outputs of the binary cross-entropy of each sample, and its gradient.

    ``loss[n] = -1/T * sum over t of (w[t] * y * log(sigmoid(z)) + (1 - y) * log(1 - sigmoid(z)))`` with
    ``y = (1 - label_smoothing) * target + label_smoothing / 2``, computed without overflow;
    ``grad[n, t] = ((1 - y) * sigmoid(z) - w[t] * y * (1 - sigmoid(z))) / T``.

    Parameters
    ----------
    logits : float64[N, T, *space]
    targets : float64[N, T, *space]
        From 0 to 1.
    label_smoothing : float
        From 0 to below 1: how far targets move towards a half.
    pos_weight : float64[T], optional
        How much labels that are on count (w); 1 by default. It may have the axes of ``space`` too.

    Raises
    ------
    DataError
        If a target is not between 0 and 1.

    References
    ----------
    Goodfellow, Bengio and Courville (2016), "Deep Learning", section 6.2.2.2; King and Zeng (2001), "Logistic
    regression in rare events data", section 4.2 (weights).
    """
    if not ((targets >= 0) & (targets <= 1)).all():
        wrong = targets[~((targets >= 0) & (targets <= 1))][0]
        raise DataError(f"binary cross-entropy: targets are from 0 to 1; got {wrong:g}. Rescale them.")
    smoothing = real(label_smoothing, "label_smoothing", above=0, below=1, closed=True)
    on = (1.0 - smoothing) * targets + smoothing / 2
    on, off = on * (1.0 if pos_weight is None else pos_weight), 1.0 - on
    count = math.prod(logits.shape[1:])
    losses = on * _softplus(-logits) + off * _softplus(logits)
    gradient = off * sigmoid(logits) - on * sigmoid(-logits)
    return losses.reshape(len(logits), count).mean(axis=1), gradient / count


def _softplus(x: Array) -> Array:
    return np.asarray(np.maximum(x, 0.0) + np.log1p(np.exp(-np.abs(x))))


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
    """Return which labels count, those that are not the ignored index: bool of the shape of ``labels``.

    Raises
    ------
    DataError
        If a label that counts is not from 0 to ``classes - 1``.
    """
    counted = np.ones(labels.shape, bool) if ignored_index is None else labels != ignored_index
    wrong = counted & ((labels < 0) | (labels >= classes))
    if wrong.any():
        raise DataError(
            f"labels: classes are numbered 0 to {classes - 1}; got {labels[wrong][0]} at sample "
            f"{np.argwhere(wrong)[0][0]}. Renumber them, or give the network more outputs."
        )
    return counted


def sample_weights(labels: Array, class_weights: Array | None = None, ignored_index: int | None = None) -> Array:
    """Return float64[N]: what each sample counts in the mean of a batch, the mean over its positions.

    Parameters
    ----------
    labels : int64[N, *space]
    class_weights : float64[C], optional
    ignored_index : int, optional
    """
    weights = (np.ones(labels.shape, bool) if ignored_index is None else labels != ignored_index).astype(float)
    if class_weights is not None:
        weights *= np.asarray(class_weights, float)[np.where(weights > 0, labels, 0)]
    return np.asarray(weights.reshape(len(labels), math.prod(labels.shape[1:])).mean(axis=1))


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
