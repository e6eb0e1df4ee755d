"""The meaning of layers that move, repeat or interpolate numbers."""

from __future__ import annotations

import numpy as np

from striate.layers.shape import Flatten, Reshape, Upsample
from striate.reference.registry import Array, Arrays, Context, Gradients, Inputs, define


@define(Flatten, Reshape)
class _Reshape:
    """The same numbers, the last axis running fastest: ``out[n, (c, p)] = x[n, c, p]`` for Flatten."""

    @staticmethod
    def forward(layer: Flatten | Reshape, parameters: Arrays, *inputs: Array, context: Context) -> Array:
        return inputs[0].reshape(len(inputs[0]), *layer.output_shape(inputs[0].shape[1:]))

    @staticmethod
    def backward(
        layer: Flatten | Reshape,
        parameters: Arrays,
        inputs: Inputs,
        output: Array,
        grad_output: Array,
        context: Context,
    ) -> Gradients:
        return (grad_output.reshape(inputs[0].shape),), {}


def upsampling_matrix(n: int, factor: int, mode: str) -> Array:
    """Return float64[n * factor, n]: what each input counts in each output along one axis.

    Examples
    --------
    >>> upsampling_matrix(2, 2, "bilinear").tolist()
    [[1.0, 0.0], [0.75, 0.25], [0.25, 0.75], [0.0, 1.0]]
    """
    place = np.arange(n * factor)
    matrix = np.zeros((n * factor, n))
    if mode == "nearest":
        matrix[place, place // factor] = 1.0
        return matrix
    centre = np.clip((place + 0.5) / factor - 0.5, 0.0, n - 1.0)
    low = np.minimum(np.floor(centre).astype(int), max(n - 2, 0))
    share = centre - low
    matrix[place, low] += 1.0 - share
    matrix[place, np.minimum(low + 1, n - 1)] += share
    return matrix


@define(Upsample)
class _Upsample:
    """``out = U x`` along each axis of space, with U from ``upsampling_matrix``."""

    @staticmethod
    def forward(layer: Upsample, parameters: Arrays, *inputs: Array, context: Context) -> Array:
        x = inputs[0]
        for axis, factor in enumerate(layer.factors(x.shape[1:]), start=2):
            x = along(upsampling_matrix(x.shape[axis], factor, layer.mode), x, axis)
        return x

    @staticmethod
    def backward(
        layer: Upsample, parameters: Arrays, inputs: Inputs, output: Array, grad_output: Array, context: Context
    ) -> Gradients:
        grad = grad_output
        for axis, factor in enumerate(layer.factors(inputs[0].shape[1:]), start=2):
            grad = along(upsampling_matrix(inputs[0].shape[axis], factor, layer.mode).T, grad, axis)
        return (grad,), {}


def along(matrix: Array, x: Array, axis: int) -> Array:
    """Return ``x`` with ``matrix`` ([outputs, inputs]) applied along ``axis``."""
    return np.moveaxis(np.tensordot(matrix, x, axes=(1, axis)), 0, axis)
