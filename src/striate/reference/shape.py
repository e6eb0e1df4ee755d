"""The meaning of layers that move, repeat or interpolate numbers."""

from __future__ import annotations

import numpy as np

from striate.layers.shape import Flatten, Reshape, Upsample
from striate.reference.registry import Array, Arrays, Context, Gradients, Inputs, define
from striate.reference.sparse import SparseMatrix


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


def upsampling_matrix(n: int, factor: int, mode: str) -> SparseMatrix:
    """Return float64[n * factor, n], sparse: what each input counts in each output along one axis.

    Examples
    --------
    >>> upsampling_matrix(2, 2, "bilinear").toarray().tolist()
    [[1.0, 0.0], [0.75, 0.25], [0.25, 0.75], [0.0, 1.0]]
    """
    place = np.arange(n * factor)
    if mode == "nearest":
        return SparseMatrix.summed(np.ones(n * factor), place, place // factor, (n * factor, n))
    centre = np.clip((place + 0.5) / factor - 0.5, 0.0, n - 1.0)
    low = np.minimum(np.floor(centre).astype(int), max(n - 2, 0))
    share = centre - low
    columns = np.concatenate([low, np.minimum(low + 1, n - 1)])
    shares = np.concatenate([1.0 - share, share])
    return SparseMatrix.summed(shares, np.tile(place, 2), columns, (n * factor, n))


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


def along(matrix: Array | SparseMatrix, x: Array, axis: int) -> Array:
    """Return ``x`` with ``matrix`` (dense or sparse) applied along ``axis``."""
    first = np.moveaxis(x, axis, 0)
    product = matrix @ first.reshape(len(first), -1)
    return np.moveaxis(product.reshape(-1, *first.shape[1:]), 0, axis)
