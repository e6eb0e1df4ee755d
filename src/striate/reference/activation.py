"""The meaning of activations: a function and its derivative."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from striate.layers import activation
from striate.layers.base import Layer
from striate.reference.convolution import per_channel, sum_per_channel
from striate.reference.registry import OPERATIONS, Array, Arrays, Context, Gradients, Inputs, Operation, define

Function = Callable[[Any, Array], Array]
Derivative = Callable[[Any, Array, Array], Array]


def elementwise(layer_type: type[Layer], function: Function, derivative: Derivative) -> None:
    """Define ``layer_type`` by ``y = function(layer, x)`` and ``dy/dx = derivative(layer, x, y)``."""

    def forward(layer: Layer, parameters: Arrays, *inputs: Array, context: Context) -> Array:
        return function(layer, inputs[0])

    def backward(
        layer: Layer, parameters: Arrays, inputs: Inputs, output: Array, grad_output: Array, context: Context
    ) -> Gradients:
        slope = derivative(layer, inputs[0], output)
        steep = np.isinf(slope) & (grad_output == 0)  # as of a square root at 0, whose output nobody uses
        return (grad_output * np.where(steep, 0.0, slope),), {}

    OPERATIONS[layer_type] = Operation(forward, backward)


def sigmoid(x: Array) -> Array:
    """Return ``1 / (1 + exp(-x))`` without overflow."""
    small = np.exp(-np.abs(x))
    return np.asarray(np.where(x >= 0, 1.0, small) / (1.0 + small))


def softmax(x: Array) -> Array:
    """Return ``exp(x[c]) / sum over c of exp(x)`` over axis 1."""
    powers = np.exp(x - x.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def log_softmax(x: Array) -> Array:
    """Return ``x[c] - log(sum over c of exp(x))`` over axis 1."""
    shifted = x - x.max(axis=1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)))


def elu(x: Array, alpha: float) -> Array:
    """Return ``x`` above 0, ``alpha * (exp(x) - 1)`` elsewhere."""
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0.0)))


def _above(x: Array, low: float) -> Array:
    return (x > low).astype(float)


def _between(x: Array, low: float, high: float) -> Array:
    return ((x > low) & (x < high)).astype(float)


elementwise(activation.Identity, lambda layer, x: x.copy(), lambda layer, x, y: np.ones_like(x))
elementwise(activation.ReLU, lambda layer, x: np.maximum(x, 0.0), lambda layer, x, y: _above(x, 0.0))
elementwise(
    activation.LeakyReLU,
    lambda layer, x: np.where(x > 0, x, layer.slope * x),
    lambda layer, x, y: np.where(x > 0, 1.0, layer.slope),
)
elementwise(
    activation.ELU,
    lambda layer, x: elu(x, layer.alpha),
    lambda layer, x, y: np.where(x > 0, 1.0, layer.alpha * np.exp(np.minimum(x, 0.0))),
)
elementwise(
    activation.SELU,
    lambda layer, x: layer.scale * elu(x, layer.alpha),
    lambda layer, x, y: layer.scale * np.where(x > 0, 1.0, layer.alpha * np.exp(np.minimum(x, 0.0))),
)
elementwise(activation.Sigmoid, lambda layer, x: sigmoid(x), lambda layer, x, y: y * (1.0 - y))
elementwise(activation.Tanh, lambda layer, x: np.tanh(x), lambda layer, x, y: 1.0 - y * y)
elementwise(
    activation.ScaledTanh,
    lambda layer, x: layer.amplitude * np.tanh(layer.slope * x),
    lambda layer, x, y: layer.slope * (layer.amplitude - y * y / layer.amplitude),
)
elementwise(
    activation.SiLU,
    lambda layer, x: x * sigmoid(x),
    lambda layer, x, y: sigmoid(x) * (1.0 + x * (1.0 - sigmoid(x))),
)
elementwise(
    activation.Softplus,
    lambda layer, x: np.logaddexp(0.0, layer.beta * x) / layer.beta,
    lambda layer, x, y: sigmoid(layer.beta * x),
)
elementwise(
    activation.HardSigmoid,
    lambda layer, x: np.clip(x / 6.0 + 0.5, 0.0, 1.0),
    lambda layer, x, y: _between(x, -3.0, 3.0) / 6.0,
)
elementwise(
    activation.HardTanh,
    lambda layer, x: np.clip(x, layer.low, layer.high),
    lambda layer, x, y: _between(x, layer.low, layer.high),
)
elementwise(
    activation.HardSwish,
    lambda layer, x: x * np.clip(x / 6.0 + 0.5, 0.0, 1.0),
    lambda layer, x, y: np.where(x >= 3.0, 1.0, (x / 3.0 + 0.5) * _above(x, -3.0)),
)
elementwise(
    activation.Step,
    lambda layer, x: (x >= 0).astype(float),
    lambda layer, x, y: np.full_like(x, float(layer.straight_through)),
)


def _gelu(layer: activation.GELU, x: Array) -> Array:
    if layer.approximate == "tanh":
        return 0.5 * x * (1.0 + np.tanh(math.sqrt(2.0 / math.pi) * (x + 0.044715 * x**3)))
    return np.asarray(x * _normal_cdf(x))


def _gelu_derivative(layer: activation.GELU, x: Array, y: Array) -> Array:
    if layer.approximate == "tanh":
        root = math.sqrt(2.0 / math.pi)
        t = np.tanh(root * (x + 0.044715 * x**3))
        return 0.5 * (1.0 + t) + 0.5 * x * (1.0 - t * t) * root * (1.0 + 3 * 0.044715 * x**2)
    return np.asarray(_normal_cdf(x) + x * np.exp(-0.5 * x * x) / math.sqrt(2.0 * math.pi))


def _normal_cdf(x: Array) -> Array:
    """Return ``P(Z <= x)``."""
    return np.asarray(0.5 * np.vectorize(math.erfc, otypes=[np.float64])(-x / math.sqrt(2.0)))


elementwise(activation.GELU, _gelu, _gelu_derivative)


@define(activation.PReLU)
class _PReLU:
    """``y = x`` above 0, ``weight[c] * x`` elsewhere, so ``dL/dweight[c] = sum of g * x`` where x <= 0."""

    @staticmethod
    def forward(layer: activation.PReLU, parameters: Arrays, *inputs: Array, context: Context) -> Array:
        x = inputs[0]
        return np.where(x > 0, x, per_channel(parameters["weight"], x.ndim) * x)

    @staticmethod
    def backward(
        layer: activation.PReLU,
        parameters: Arrays,
        inputs: Inputs,
        output: Array,
        grad_output: Array,
        context: Context,
    ) -> Gradients:
        x = inputs[0]
        slopes = np.where(x > 0, 1.0, per_channel(parameters["weight"], x.ndim))
        grad_weight = sum_per_channel(np.where(x > 0, 0.0, grad_output * x))
        return (grad_output * slopes,), {"weight": grad_weight.sum(keepdims=True) if layer.shared else grad_weight}


@define(activation.Softmax)
class _Softmax:
    """``dL/dx[c] = y[c] * (g[c] - sum over d of g[d] y[d])``."""

    @staticmethod
    def forward(layer: activation.Softmax, parameters: Arrays, *inputs: Array, context: Context) -> Array:
        return softmax(inputs[0])

    @staticmethod
    def backward(
        layer: activation.Softmax,
        parameters: Arrays,
        inputs: Inputs,
        output: Array,
        grad_output: Array,
        context: Context,
    ) -> Gradients:
        inner = (grad_output * output).sum(axis=1, keepdims=True)
        return (output * (grad_output - inner),), {}


@define(activation.LogSoftmax)
class _LogSoftmax:
    """``dL/dx[c] = g[c] - softmax(x)[c] * sum over d of g[d]``."""

    @staticmethod
    def forward(layer: activation.LogSoftmax, parameters: Arrays, *inputs: Array, context: Context) -> Array:
        return log_softmax(inputs[0])

    @staticmethod
    def backward(
        layer: activation.LogSoftmax,
        parameters: Arrays,
        inputs: Inputs,
        output: Array,
        grad_output: Array,
        context: Context,
    ) -> Gradients:
        return (grad_output - np.exp(output) * grad_output.sum(axis=1, keepdims=True),), {}
