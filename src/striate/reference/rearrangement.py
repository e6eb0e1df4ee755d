"""The meaning of layers whose outputs are inputs at other places."""

from __future__ import annotations

import math

import numpy as np

from striate.layers.rearrangement import Rearrangement
from striate.reference.registry import Array, Arrays, Context, Gradients, Inputs, define


@define(Rearrangement)
class _Rearrangement:
    """``out[n, i] = x[n, sources[i]]``; the adjoint adds every gradient to where its value came from."""

    @staticmethod
    def forward(layer: Rearrangement, parameters: Arrays, *inputs: Array, context: Context) -> Array:
        x = inputs[0]
        return x.reshape(len(x), -1)[:, layer.sources(x.shape[1:])]

    @staticmethod
    def backward(
        layer: Rearrangement,
        parameters: Arrays,
        inputs: Inputs,
        output: Array,
        grad_output: Array,
        context: Context,
    ) -> Gradients:
        x = inputs[0]
        sources = layer.sources(x.shape[1:]).ravel()
        grad = np.zeros((math.prod(x.shape[1:]), len(x)))
        np.add.at(grad, sources, grad_output.reshape(len(x), -1).T)
        return (grad.T.reshape(x.shape),), {}
