"""The meaning of global and adaptive pooling."""

from __future__ import annotations

import math

import numpy as np

from striate.layers.global_pooling import AdaptiveAvgPooling, AdaptiveMaxPooling, GlobalAvgPool, GlobalMaxPool
from striate.reference.registry import Array, Arrays, Context, Gradients, Inputs, define
from striate.reference.shape import along
from striate.reference.sparse import SparseMatrix


@define(GlobalAvgPool)
class _GlobalAvgPool:
    """``out[n, c] = mean over p of x[n, c, p]``."""

    @staticmethod
    def forward(layer: GlobalAvgPool, parameters: Arrays, *inputs: Array, context: Context) -> Array:
        return np.asarray(inputs[0].mean(axis=tuple(range(2, inputs[0].ndim))))

    @staticmethod
    def backward(
        layer: GlobalAvgPool,
        parameters: Arrays,
        inputs: Inputs,
        output: Array,
        grad_output: Array,
        context: Context,
    ) -> Gradients:
        shape = inputs[0].shape
        share = grad_output / math.prod(shape[2:])
        return (np.broadcast_to(share.reshape(*shape[:2], *(1,) * (len(shape) - 2)), shape).copy(),), {}


def to_first_maximum(x: Array, grad_output: Array) -> Array:
    """Return zeros with ``grad_output``, float64[N, C], where each channel of ``x`` has its first maximum."""
    flat = x.reshape(*x.shape[:2], -1)
    grad = np.zeros_like(flat)
    np.put_along_axis(grad, flat.argmax(axis=2)[..., None], grad_output[..., None], axis=2)
    return grad.reshape(x.shape)


@define(GlobalMaxPool)
class _GlobalMaxPool:
    """``out[n, c] = max over p of x[n, c, p]``; the gradient goes to the first maximum."""

    @staticmethod
    def forward(layer: GlobalMaxPool, parameters: Arrays, *inputs: Array, context: Context) -> Array:
        return np.asarray(inputs[0].max(axis=tuple(range(2, inputs[0].ndim))))

    @staticmethod
    def backward(
        layer: GlobalMaxPool,
        parameters: Arrays,
        inputs: Inputs,
        output: Array,
        grad_output: Array,
        context: Context,
    ) -> Gradients:
        return (to_first_maximum(inputs[0], grad_output),), {}


def parts_matrix(n: int, parts: int) -> SparseMatrix:
    """Return float64[parts, n], sparse: what each input counts in the mean of each part along one axis.

    Examples
    --------
    >>> (6 * parts_matrix(5, 2)).toarray().tolist()
    [[2.0, 2.0, 2.0, 0.0, 0.0], [0.0, 0.0, 2.0, 2.0, 2.0]]
    """
    first = np.arange(parts) * n // parts
    count = -(-(np.arange(parts) + 1) * n // parts) - first
    rows = np.repeat(np.arange(parts), count)
    columns = np.arange(len(rows)) - np.repeat(np.cumsum(count) - count, count) + np.repeat(first, count)
    return SparseMatrix.summed(np.repeat(1.0 / count, count), rows, columns, (parts, n))


@define(AdaptiveAvgPooling)
class _AdaptiveAvgPooling:
    """``out = P x`` along each axis of space, with P from ``parts_matrix``."""

    @staticmethod
    def forward(layer: AdaptiveAvgPooling, parameters: Arrays, *inputs: Array, context: Context) -> Array:
        x = inputs[0]
        for axis, size in enumerate(layer.output_shape(x.shape[1:])[1:], start=2):
            x = along(parts_matrix(x.shape[axis], size), x, axis)
        return x

    @staticmethod
    def backward(
        layer: AdaptiveAvgPooling,
        parameters: Arrays,
        inputs: Inputs,
        output: Array,
        grad_output: Array,
        context: Context,
    ) -> Gradients:
        grad = grad_output
        for axis, size in enumerate(output.shape[2:], start=2):
            grad = along(parts_matrix(inputs[0].shape[axis], size).T, grad, axis)
        return (grad,), {}


@define(AdaptiveMaxPooling)
class _AdaptiveMaxPooling:
    """``out[n, c, i] = max over part i``; the gradient goes to the first maximum."""

    @staticmethod
    def forward(layer: AdaptiveMaxPooling, parameters: Arrays, *inputs: Array, context: Context) -> Array:
        x = inputs[0]
        for axis, parts in enumerate(layer.parts(x.shape[1:]), start=2):
            x = np.stack([x.take(part, axis).max(axis=axis) for part in parts], axis=axis)
        return x

    @staticmethod
    def backward(
        layer: AdaptiveMaxPooling,
        parameters: Arrays,
        inputs: Inputs,
        output: Array,
        grad_output: Array,
        context: Context,
    ) -> Gradients:
        grad = np.zeros_like(inputs[0])
        for place in np.ndindex(output.shape[2:]):
            chosen = [parts[i] for parts, i in zip(layer.parts(grad.shape[1:]), place, strict=True)]
            window = (slice(None), slice(None), *(slice(part.start, part.stop) for part in chosen))
            grad[window] += to_first_maximum(inputs[0][window], grad_output[(..., *place)])
        return (grad,), {}
