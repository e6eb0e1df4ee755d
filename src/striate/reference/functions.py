"""The meaning of functions of one number."""

from __future__ import annotations

import math

import numpy as np

from striate.layers import functions
from striate.reference.activation import elementwise, elu, sigmoid
from striate.reference.registry import Array


def power(x: Array, exponent: float) -> Array:
    """Return ``x^exponent``; NaN for a negative x unless the exponent is a whole number."""
    with np.errstate(all="ignore"):
        return np.asarray(x**exponent)


def _power_slope(x: Array, exponent: float) -> Array:
    """Return ``exponent * x^(exponent - 1)``, which is 0 for an exponent of 0."""
    return exponent * power(x, exponent - 1.0) if exponent else np.zeros_like(x)


def _mish_slope(x: Array) -> Array:
    t = np.tanh(np.logaddexp(0.0, x))
    return np.asarray(t + x * (1.0 - t * t) * sigmoid(x))


def _log(x: Array) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.log(x))


def _sqrt(x: Array) -> Array:
    with np.errstate(invalid="ignore"):
        return np.asarray(np.sqrt(x))


def _inverse(x: Array) -> Array:
    with np.errstate(divide="ignore", over="ignore"):
        return 1.0 / x


def _round(x: Array, step: float) -> Array:
    """Return the nearest multiple of a float32 ``step``; quotients are rounded to float32 first."""
    step = float(np.float32(step))
    with np.errstate(over="ignore"):
        return np.asarray(step * np.rint((x / step).astype(np.float32)).astype(np.float64))


def _exp(x: Array) -> Array:
    with np.errstate(over="ignore"):
        return np.asarray(np.exp(x))


def _erf(x: Array) -> Array:
    return np.asarray(np.vectorize(math.erf, otypes=[np.float64])(x))


elementwise(functions.Absolute, lambda layer, x: np.abs(x), lambda layer, x, y: np.sign(x))
elementwise(
    functions.CELU,
    lambda layer, x: np.where(x > 0, x, layer.alpha * elu(x / layer.alpha, 1.0)),
    lambda layer, x, y: np.where(x > 0, 1.0, np.exp(np.minimum(x, 0.0) / layer.alpha)),
)
elementwise(
    functions.Erf,
    lambda layer, x: _erf(x),
    lambda layer, x, y: 2.0 / math.sqrt(math.pi) * np.exp(-x * x),
)
elementwise(functions.Exp, lambda layer, x: _exp(x), lambda layer, x, y: y)
elementwise(functions.Log, lambda layer, x: _log(x), lambda layer, x, y: _inverse(x))
elementwise(
    functions.Mish,
    lambda layer, x: x * np.tanh(np.logaddexp(0.0, x)),
    lambda layer, x, y: _mish_slope(x),
)
elementwise(
    functions.Power,
    lambda layer, x: power(x, layer.exponent),
    lambda layer, x, y: _power_slope(x, layer.exponent),
)
elementwise(
    functions.Round,
    lambda layer, x: _round(x, layer.step),
    lambda layer, x, y: np.full_like(x, float(layer.straight_through)),
)
elementwise(functions.Sin, lambda layer, x: np.sin(x), lambda layer, x, y: np.cos(x))
elementwise(
    functions.Softsign,
    lambda layer, x: x / (1.0 + np.abs(x)),
    lambda layer, x, y: (1.0 - np.abs(y)) ** 2,
)
elementwise(functions.Sqrt, lambda layer, x: _sqrt(x), lambda layer, x, y: 0.5 * _inverse(y))
