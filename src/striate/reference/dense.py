"""The meaning of fully connected layers."""

from __future__ import annotations

import numpy as np

from striate.layers.dense import Linear, RadialBasis
from striate.reference.registry import Array, Arrays, Context, Gradients, Inputs, define


@define(Linear)
class _Linear:
    """``out[n, k] = bias[k] + sum over c of weight[k, c] * x[n, c]``."""

    @staticmethod
    def forward(layer: Linear, parameters: Arrays, *inputs: Array, context: Context) -> Array:
        return inputs[0] @ parameters["weight"].T + parameters.get("bias", 0.0)

    @staticmethod
    def backward(
        layer: Linear, parameters: Arrays, inputs: Inputs, output: Array, grad_output: Array, context: Context
    ) -> Gradients:
        gradients = {"weight": grad_output.T @ inputs[0]}
        if layer.bias:
            gradients["bias"] = grad_output.sum(axis=0)
        return (grad_output @ parameters["weight"],), gradients


@define(RadialBasis)
class _RadialBasis:
    """``out[n, k] = sum over c of (x[n, c] - weight[k, c])^2``."""

    @staticmethod
    def forward(layer: RadialBasis, parameters: Arrays, *inputs: Array, context: Context) -> Array:
        return np.asarray(((inputs[0][:, None, :] - centres(layer, parameters)) ** 2).sum(axis=2))

    @staticmethod
    def backward(
        layer: RadialBasis, parameters: Arrays, inputs: Inputs, output: Array, grad_output: Array, context: Context
    ) -> Gradients:
        terms = 2.0 * (inputs[0][:, None, :] - centres(layer, parameters)) * grad_output[:, :, None]
        return (terms.sum(axis=1),), {} if layer.centres else {"weight": -terms.sum(axis=0)}


def centres(layer: RadialBasis, parameters: Arrays) -> Array:
    """Return the centres, fixed or learnt, as float64[K, C]."""
    if layer.centres is None:
        return parameters["weight"]
    return np.array([[1.0 if mark == "#" else -1.0 for mark in text] for text in layer.centres])
