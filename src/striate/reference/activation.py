"""The meaning of activations: a function and its derivative."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from striate.layers import activation
from striate.layers.base import Layer
from striate.reference.registry import OPERATIONS, Arrays, Context, Operation, define

Function = Callable[[Layer, np.ndarray], np.ndarray]
Derivative = Callable[[Layer, np.ndarray, np.ndarray], np.ndarray]


def elementwise(layer_type: type[Layer], function: Function, derivative: Derivative) -> None:
    """Define ``layer_type`` by ``y = function(layer, x)`` and ``dy/dx = derivative(layer, x, y)``."""

    def forward(layer: Layer, parameters: Arrays, *inputs: np.ndarray, context: Context) -> np.ndarray:
        return function(layer, inputs[0])

    def backward(
        layer: Layer,
        parameters: Arrays,
        inputs: tuple[np.ndarray, ...],
        output: np.ndarray,
        grad_output: np.ndarray,
        context: Context,
    ) -> tuple[tuple[np.ndarray, ...], Arrays]:
        return (grad_output * derivative(layer, inputs[0], output),), {}

    OPERATIONS[layer_type] = Operation(forward, backward)


def sigmoid(x: np.ndarray) -> np.ndarray:
    """Return ``1 / (1 + exp(-x))`` without overflow."""
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, 1.0, small) / (1.0 + small)


def softmax(x: np.ndarray) -> np.ndarray:
    """Return ``exp(x[c]) / sum over c of exp(x)`` over axis 1."""
    powers = np.exp(x - x.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


elementwise(activation.ReLU, lambda layer, x: np.maximum(x, 0.0), lambda layer, x, y: (x > 0).astype(float))
elementwise(activation.Sigmoid, lambda layer, x: sigmoid(x), lambda layer, x, y: y * (1.0 - y))
elementwise(activation.Tanh, lambda layer, x: np.tanh(x), lambda layer, x, y: 1.0 - y * y)


@define(activation.Softmax)
class _Softmax:
    """``dL/dx[c] = y[c] * (g[c] - sum over d of g[d] y[d])``."""

    @staticmethod
    def forward(layer: activation.Softmax, parameters: Arrays, *inputs: np.ndarray, context: Context) -> np.ndarray:
        return softmax(inputs[0])

    @staticmethod
    def backward(
        layer: activation.Softmax,
        parameters: Arrays,
        inputs: tuple[np.ndarray, ...],
        output: np.ndarray,
        grad_output: np.ndarray,
        context: Context,
    ) -> tuple[tuple[np.ndarray, ...], Arrays]:
        inner = (grad_output * output).sum(axis=1, keepdims=True)
        return (output * (grad_output - inner),), {}
