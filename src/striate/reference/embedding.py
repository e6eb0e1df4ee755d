"""The meaning of embeddings."""

from __future__ import annotations

import numpy as np

from striate.errors import DataError
from striate.layers.embedding import Embedding
from striate.reference.registry import Array, Arrays, Context, Gradients, Inputs, define


def symbols(layer: Embedding, x: Array) -> Array:
    """Return the symbols as int64[N, length].

    Raises
    ------
    DataError
        If one is not a whole number from 0 to ``entries - 1``.
    """
    numbers = x.reshape(len(x), -1)
    wrong = (numbers < 0) | (numbers >= layer.entries) | (numbers != np.floor(numbers))
    if wrong.any():
        raise DataError(
            f"embedding: symbols are whole numbers from 0 to {layer.entries - 1}; got {numbers[wrong][0]:g}. "
            "Map unknown symbols to one of them."
        )
    return numbers.astype(np.int64)


@define(Embedding)
class _Embedding:
    """``out[n, e, p] = weight[x[n, p], e]``."""

    @staticmethod
    def forward(layer: Embedding, parameters: Arrays, *inputs: Array, context: Context) -> Array:
        return np.moveaxis(parameters["weight"][symbols(layer, inputs[0])], 2, 1)

    @staticmethod
    def backward(
        layer: Embedding, parameters: Arrays, inputs: Inputs, output: Array, grad_output: Array, context: Context
    ) -> Gradients:
        grad_weight = np.zeros_like(parameters["weight"])
        np.add.at(grad_weight, symbols(layer, inputs[0]), np.moveaxis(grad_output, 1, 2))
        return (np.zeros_like(inputs[0]),), {"weight": grad_weight}
