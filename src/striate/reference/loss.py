"""The meaning of losses: a number for each sample, and its gradient with respect to the output."""

from __future__ import annotations

import numpy as np

from striate.reference.activation import softmax


def softmax_cross_entropy(logits: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the negative log-likelihood of each sample and its gradient with respect to the logits.

    ``loss[n] = log(sum over c of exp(z[n, c])) - z[n, t]``, ``grad[n, c] = softmax(z)[n, c] - [c = t]``

    Parameters
    ----------
    logits : float64[N, C]
    labels : int64[N]
        The true class t of each sample.

    Returns
    -------
    losses : float64[N]
    grad_logits : float64[N, C]

    References
    ----------
    Goodfellow, Bengio and Courville (2016), "Deep Learning", section 6.2.2.3.
    """
    rows = np.arange(len(logits))
    shifted = logits - logits.max(axis=1, keepdims=True)
    losses = np.log(np.exp(shifted).sum(axis=1)) - shifted[rows, labels]
    gradient = softmax(logits)
    gradient[rows, labels] -= 1.0
    return losses, gradient


def mean_squared_error(outputs: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean over the outputs of the squared error of each sample, and its gradient.

    ``loss[n] = 1/T * sum over t of (y[n, t] - target[n, t])^2``

    Parameters
    ----------
    outputs, targets : float64[N, T]

    Returns
    -------
    losses : float64[N]
    grad_outputs : float64[N, T]
    """
    errors = outputs - targets
    return (errors**2).mean(axis=1), 2.0 * errors / errors.shape[1]
