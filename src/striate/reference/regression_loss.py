"""The meaning of losses of regressions: a number for each sample, and its gradient with respect to the output.

All are means over the outputs of a sample, so that they do not grow with the number of outputs. Outputs and
targets may have axes of space after that of the numbers.
"""

from __future__ import annotations

import math

import numpy as np

from striate.layers.arguments import real
from striate.reference.registry import Array


def mean_squared_error(outputs: Array, targets: Array) -> tuple[Array, Array]:
    """Return the mean over the outputs of the squared error of each sample, and its gradient.

    ``loss[n] = 1/T * sum over t of (y[n, t] - target[n, t])^2``

    Parameters
    ----------
    outputs, targets : float64[N, T, *space]

    Returns
    -------
    losses : float64[N]
    grad_outputs : float64[N, T, *space]
    """
    errors = outputs - targets
    return _mean(errors**2), 2.0 * errors / _count(errors)


def mean_absolute_error(outputs: Array, targets: Array) -> tuple[Array, Array]:
    """Return the mean over the outputs of the absolute error of each sample, and its gradient (0 at 0).

    ``loss[n] = 1/T * sum over t of |y[n, t] - target[n, t]|``

    Parameters
    ----------
    outputs, targets : float64[N, T, *space]
    """
    errors = outputs - targets
    return _mean(np.abs(errors)), np.sign(errors) / _count(errors)


def huber(outputs: Array, targets: Array, delta: float = 1.0) -> tuple[Array, Array]:
    """Return the mean over the outputs of Huber's loss of each sample, and its gradient.

    Of an error e it is ``e^2 / 2`` where ``|e| <= delta``, ``delta * (|e| - delta / 2)`` elsewhere; the gradient
    is e, cut at ``-delta`` and ``delta``, divided by T.

    Parameters
    ----------
    outputs, targets : float64[N, T, *space]
    delta : float

    References
    ----------
    Huber (1964), "Robust estimation of a location parameter".
    """
    delta = real(delta, "delta", above=0)
    errors = outputs - targets
    size = np.abs(errors)
    losses = np.where(size <= delta, 0.5 * errors**2, delta * (size - 0.5 * delta))
    return _mean(losses), np.clip(errors, -delta, delta) / _count(errors)


def gaussian_negative_log_likelihood(outputs: Array, targets: Array) -> tuple[Array, Array]:
    """Return the mean over the targets of the negative log-density of each sample, and its gradient.

    The network gives 2 T numbers: T means m, then T logarithms of variances s.
    ``loss[n] = 1/T * sum over t of (s + (target - m)^2 * exp(-s) + log(2 pi)) / 2``

    Parameters
    ----------
    outputs : float64[N, 2 T, *space]
    targets : float64[N, T, *space]

    References
    ----------
    Nix and Weigend (1994), "Estimating the mean and variance of the target probability distribution".
    """
    count = targets.shape[1]
    mean, log_variance = outputs[:, :count], outputs[:, count:]
    errors, precision = mean - targets, np.exp(-log_variance)
    losses = 0.5 * (log_variance + errors**2 * precision + math.log(2.0 * math.pi))
    gradients = np.concatenate([errors * precision, 0.5 * (1.0 - errors**2 * precision)], axis=1)
    return _mean(losses), gradients / _count(targets)


def poisson_negative_log_likelihood(outputs: Array, targets: Array) -> tuple[Array, Array]:
    """Return the mean over the targets of the negative log-probability of each sample, and its gradient.

    The network gives logarithms of rates: ``loss[n] = 1/T * sum over t of (exp(y) - target * y)``, without
    ``log(target!)``, which no output changes; ``grad[n, t] = (exp(y) - target) / T``.

    Parameters
    ----------
    outputs : float64[N, T, *space]
    targets : float64[N, T, *space]
        Counts, at least 0.

    References
    ----------
    Nelder and Wedderburn (1972), "Generalized linear models", section 3.2.
    """
    rates = np.exp(outputs)
    return _mean(rates - targets * outputs), (rates - targets) / _count(outputs)


def _count(values: Array) -> int:
    return math.prod(values.shape[1:])


def _mean(values: Array) -> Array:
    return np.asarray(values.reshape(len(values), _count(values)).mean(axis=1))
