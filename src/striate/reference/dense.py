"""The meaning of the fully connected layer."""

from __future__ import annotations

import numpy as np

from striate.layers.dense import Linear
from striate.reference.registry import Arrays, Context, define


@define(Linear)
class _Linear:
    """``out[n, k] = bias[k] + sum over c of weight[k, c] * x[n, c]``."""

    @staticmethod
    def forward(layer: Linear, parameters: Arrays, *inputs: np.ndarray, context: Context) -> np.ndarray:
        return inputs[0] @ parameters["weight"].T + parameters.get("bias", 0.0)

    @staticmethod
    def backward(
        layer: Linear,
        parameters: Arrays,
        inputs: tuple[np.ndarray, ...],
        output: np.ndarray,
        grad_output: np.ndarray,
        context: Context,
    ) -> tuple[tuple[np.ndarray, ...], Arrays]:
        gradients = {"weight": grad_output.T @ inputs[0]}
        if layer.bias:
            gradients["bias"] = grad_output.sum(axis=0)
        return (grad_output @ parameters["weight"],), gradients
