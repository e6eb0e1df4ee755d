"""What is summed without its signs, for operations that are not sums of products."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from striate.reference.dense import centres
from striate.reference.resize import matrices
from striate.reference.sampling import Corner, Neighbour, corners_of, sample, sample_backward
from striate.reference.shape import along
from striate.testing.bounds import Magnitudes, Result, Values, exact, forward
from striate.testing.draws import Case

Curve = Callable[[Any, np.ndarray, np.ndarray], np.ndarray]


def elementwise(value: Curve, slope: Curve) -> Magnitudes:
    """Magnitudes of y = f(x), given those of f and f' as functions of (layer, x, y)."""

    def magnitudes(case: Case, values: Values, grad: np.ndarray) -> Result:
        (x,) = values.inputs
        y = forward(case, values)
        with np.errstate(over="ignore"):
            return Result(value(case.layer, x, y), (np.abs(grad) * slope(case.layer, x, y),), {})

    return magnitudes


def sigmoid(x: np.ndarray) -> np.ndarray:
    """Return ``1 / (1 + exp(-x))``."""
    return 0.5 * (1.0 + np.tanh(0.5 * x))


def density(x: np.ndarray) -> np.ndarray:
    """Return the density of a standard normal number at x."""
    return np.asarray(np.exp(-0.5 * x * x) / math.sqrt(2.0 * math.pi))


def exponential_unit(layer: Any, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """exp(x) - 1 keeps its digits near 0."""
    return np.asarray(np.abs(y))


def exponential_slope(layer: Any, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The slope of ELU and SELU."""
    return getattr(layer, "scale", 1.0) * np.where(x > 0, 1.0, layer.alpha * np.exp(np.minimum(x, 0)))


def softplus(layer: Any, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The logarithm keeps its digits near 1; an exponential of -z is off by z units more."""
    return np.asarray(y * (1.0 + np.abs(layer.beta * x)))


def softplus_slope(layer: Any, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """A sigmoid of z is off by z units more."""
    return np.asarray(sigmoid(layer.beta * x) * (1.0 + np.abs(layer.beta * x)))


def gelu_slope(layer: Any, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The slope of GELU without signs."""
    if layer.approximate == "tanh":
        return np.asarray(1.0 + np.abs(x) * (1.0 + 0.134145 * x * x))
    return np.asarray(1.0 + np.abs(x) * density(x) * (1.0 + x * x))


def continuous_unit(layer: Any, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """exp(x / alpha) - 1 keeps its digits near 0, and is off by what its exponent is off."""
    return np.asarray(np.abs(y) + np.abs(np.minimum(x, 0)) * np.exp(np.minimum(x, 0) / layer.alpha))


def continuous_slope(layer: Any, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The slope of CELU."""
    return np.asarray(1.0 + np.abs(np.minimum(x, 0)) / layer.alpha)


def exponential(layer: Any, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """A power of e is off by what its exponent is off."""
    return np.asarray(y * (1.0 + np.abs(x)))


def ones_and_input(layer: Any, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """1 and |x|."""
    return np.asarray(1.0 + np.abs(x))


def power(layer: Any, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """x^p = e^(p log x): off by what p log x is off."""
    return np.asarray(np.abs(y) * (1.0 + np.abs(layer.exponent * np.log(np.abs(x))) + abs(layer.exponent)))


def power_slope(layer: Any, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The slope of a power is off by what its exponent is off."""
    p = layer.exponent
    return np.asarray(np.abs(p * x ** (p - 1)) * (1.0 + np.abs((p - 1) * np.log(np.abs(x))) + abs(p)))


def resized(case: Case, values: Values, grad: np.ndarray) -> Result:
    """Sums of products with shares that are known as float32; those of the mode "cubic" may be negative."""
    (x,), layer = values.inputs, case.layer
    out, back = np.abs(x), np.abs(grad)
    for axis, matrix in enumerate(matrices(layer, case.shapes[0]), start=2):
        sizes = dataclasses.replace(matrix, values=np.abs(matrix.values))
        out, back = along(sizes, out, axis), along(sizes.T, back, axis)
    return Result(out, (back,), {})


def scaled_tanh_slope(layer: Any, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The slope of a scaled tanh is off by its argument more."""
    return np.asarray(layer.amplitude * abs(layer.slope) * (1.0 + np.abs(layer.slope * x)))


def ones(layer: Any, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return ones."""
    return np.ones_like(x)


def softmax(case: Case, values: Values, grad: np.ndarray) -> Result:
    """A power of e is off by what its exponent is off; then a sum over the channels, and a division."""
    (x,) = values.inputs
    result, g = exact(case, values, grad), np.abs(grad)
    depth = np.abs(x).max(axis=1, keepdims=True) * 4 + 12 + x.shape[1]
    if type(case.layer).__name__ == "LogSoftmax":
        p = np.exp(result.output)
        return Result(np.abs(result.output) + depth, (g + depth * p * g.sum(axis=1, keepdims=True),), {})
    p = result.output
    return Result(depth * p, (depth * p * (g + (g * p).sum(axis=1, keepdims=True)),), {})


View = Callable[[Case, np.ndarray], tuple[np.ndarray, tuple[int, ...]]]


def normalisation(view_of: View) -> Magnitudes:
    """Magnitudes of (x - mean) / sqrt(variance + epsilon), the variance summed of x^2 or of (x - mean)^2.

    ``view_of`` returns x in a shape in which the mean is over some axes, and these axes.
    """

    def magnitudes(case: Case, values: Values, grad: np.ndarray) -> Result:
        (x,) = values.inputs
        view, over = view_of(case, x)
        layer: Any = case.layer

        def mean(array: np.ndarray) -> np.ndarray:
            return np.asarray(array.mean(axis=over, keepdims=True))

        inverse = 1.0 / np.sqrt(view.var(axis=over, keepdims=True) + layer.epsilon)
        spread = 1.0 + mean(view**2) * inverse**2  # the condition of the variance
        size = (np.abs(view) + mean(np.abs(view))) * inverse
        outer = (size * spread).reshape(x.shape)
        weight, bias = (_stretched(values.parameters.get(name), x) for name in ("weight", "bias"))
        g = (np.abs(grad) * weight).reshape(view.shape)
        slope = inverse * spread * (g + mean(g) + size * mean(g * size))
        summed = {name: (np.abs(grad) * terms) for name, terms in (("weight", outer), ("bias", 1.0))}
        return Result(
            outer * weight + bias,
            (slope.reshape(x.shape),),
            {name: _summed(summed[name], parameter) for name, parameter in values.parameters.items()},
        )

    return magnitudes


def _stretched(parameter: np.ndarray | None, x: np.ndarray) -> np.ndarray:
    if parameter is None:
        return np.ones((1,) * x.ndim)
    return np.asarray(np.abs(parameter).reshape(1, *parameter.shape, *(1,) * (x.ndim - 1 - parameter.ndim)))


def _summed(terms: np.ndarray, parameter: np.ndarray) -> np.ndarray:
    return np.asarray(terms.sum(axis=(0, *range(1 + parameter.ndim, terms.ndim))))


def over_batch(case: Case, x: np.ndarray) -> tuple[np.ndarray, tuple[int, ...]]:
    """Normalise each channel over the batch and its positions."""
    return x, (0, *range(2, x.ndim))


def over_sample(case: Case, x: np.ndarray) -> tuple[np.ndarray, tuple[int, ...]]:
    """Normalise a sample, or each position over its channels."""
    layer: Any = case.layer
    return x, tuple(range(1, x.ndim)) if layer.over == "sample" else (1,)


def over_groups(case: Case, x: np.ndarray) -> tuple[np.ndarray, tuple[int, ...]]:
    """Normalise groups of channels."""
    layer: Any = case.layer
    return x.reshape(len(x), layer.groups, -1), (2,)


def over_space(case: Case, x: np.ndarray) -> tuple[np.ndarray, tuple[int, ...]]:
    """Normalise each channel of each sample."""
    return x, tuple(range(2, x.ndim))


def running(case: Case, values: Values, grad: np.ndarray) -> Result:
    """Batch normalisation: with the statistics of the batch, or at evaluation with the running ones."""
    if values.context.training:
        return normalisation(over_batch)(case, values, grad)
    (x,), states = values.inputs, values.context.states
    layer: Any = case.layer
    mean, variance = (_stretched(states[name], x) for name in ("running_mean", "running_variance"))
    weight, bias = (_stretched(values.parameters.get(name), x) for name in ("weight", "bias"))
    return Result((np.abs(x) + mean) / np.sqrt(variance + layer.epsilon) * weight + bias, (), {})


def local_response(case: Case, values: Values, grad: np.ndarray) -> Result:
    """A power s^-beta is off by beta |log s| times what a logarithm and an exponential are off."""
    (x,), layer = values.inputs, case.layer
    absolute = Values((np.abs(x),), {}, values.context)
    result = exact(case, absolute, np.abs(grad))
    power = np.divide(result.output, np.abs(x), out=np.ones_like(x), where=x != 0)
    deep = 1.0 + layer.beta + np.abs(np.log(power)).max(initial=0.0)
    first = np.abs(grad) * power  # the gradient is this minus a sum: both without signs
    return Result(deep * result.output, (deep * (2 * first - result.inputs[0]),), {})


def radial_basis(case: Case, values: Values, grad: np.ndarray) -> Result:
    """(x - c)^2 <= (|x| + |c|)^2."""
    (x,), layer = values.inputs, case.layer
    both = np.abs(x)[:, None, :] + np.abs(centres(layer, values.parameters))
    terms = 2.0 * both * np.abs(grad)[:, :, None]
    return Result((both**2).sum(axis=2), (terms.sum(axis=1),), {"weight": terms.sum(axis=0)})


def lp_pooling(case: Case, values: Values, grad: np.ndarray) -> Result:
    """Powers r^p of ratios r <= 1 are off by p |log r| r^p, which is less than 1."""
    result = exact(case, values, np.abs(grad))
    sums = Case(dataclasses.replace(case.layer, power=1.0), case.shapes)
    (x,) = values.inputs
    spread = exact(sums, Values((np.ones_like(x),), {}, values.context), np.abs(grad))
    return Result(result.output, (spread.inputs[0],), {})


def grid_sample(case: Case, values: Values, grad: np.ndarray) -> Result:
    """Sums over neighbours without their signs."""
    x, grid = values.inputs
    found = []
    for corner in corners_of(case.layer, x, grid):
        axes = (Neighbour(n.place, np.abs(n.weight), np.abs(n.slope)) for n in (corner.row, corner.column))
        found.append(Corner(corner.places, *axes))
    return Result(sample(found, np.abs(x), grid), sample_backward(found, np.abs(x), grid, np.abs(grad)), {})


def jacobian(case: Case, values: Values, grad: np.ndarray) -> Result:
    """What each output of each sample adds to a gradient, without its sign."""
    inputs = tuple(map(np.zeros_like, values.inputs))
    parameters = {name: np.zeros_like(array) for name, array in values.parameters.items()}
    for n in range(len(grad)):
        one = Values(tuple(x[n : n + 1] for x in values.inputs), values.parameters, values.context)
        for place in range(grad[n].size):
            alone = np.zeros_like(grad[n])
            alone.flat[place] = grad[n].flat[place]
            found = exact(case, one, alone[np.newaxis], np.zeros_like(alone)[np.newaxis])
            for total, part in zip(inputs, found.inputs, strict=True):
                total[n] += np.abs(part[0])
            for name, array in found.parameters.items():
                parameters[name] += np.abs(array)
    return Result(np.abs(forward(case, values)), inputs, parameters)


def at_maxima(case: Case, values: Values, grad: np.ndarray) -> Result:
    """The positions are those of the true source; nothing is summed but where windows overlap."""
    moved, source = values.inputs
    absolute = Values((np.abs(moved), source), {}, values.context)
    return exact(case, absolute, np.abs(grad))


def noise(layer: Any, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """No normal number made of 24 bits is larger than 6."""
    return np.asarray(np.abs(x) + 6.0 * layer.deviation)


def scaled(layer: Any, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The product and the shift without signs."""
    return np.asarray(np.abs(layer.factor * x) + abs(layer.shift))
