"""The meaning of layers that only move numbers."""

from __future__ import annotations

import numpy as np

from striate.layers.shape import Flatten
from striate.reference.registry import Arrays, Context, define


@define(Flatten)
class _Flatten:
    """``out[n, (c, p)] = x[n, c, p]``, the last axis running fastest."""

    @staticmethod
    def forward(layer: Flatten, parameters: Arrays, *inputs: np.ndarray, context: Context) -> np.ndarray:
        return inputs[0].reshape(len(inputs[0]), -1)

    @staticmethod
    def backward(
        layer: Flatten,
        parameters: Arrays,
        inputs: tuple[np.ndarray, ...],
        output: np.ndarray,
        grad_output: np.ndarray,
        context: Context,
    ) -> tuple[tuple[np.ndarray, ...], Arrays]:
        return (grad_output.reshape(inputs[0].shape),), {}
