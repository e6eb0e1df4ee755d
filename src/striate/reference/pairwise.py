"""The meaning of layers of several values, and of values that no input changes."""

from __future__ import annotations

import numpy as np

from striate.layers.pairwise import Constant, MatMul, Maximum, Minimum, Where
from striate.reference.arithmetic import sum_to, with_axes
from striate.reference.registry import Array, Arrays, Context, Gradients, Inputs, define


@define(Maximum, Minimum)
class _Extremum:
    """``max(x1, x2)`` or ``min(x1, x2)``; the gradient goes to the first where it is chosen, or equal."""

    @staticmethod
    def forward(layer: Maximum | Minimum, parameters: Arrays, *inputs: Array, context: Context) -> Array:
        a, b = (with_axes(x, max(y.ndim for y in inputs)) for x in inputs)
        return np.asarray(np.maximum(a, b) if isinstance(layer, Maximum) else np.minimum(a, b))

    @staticmethod
    def backward(
        layer: Maximum | Minimum,
        parameters: Arrays,
        inputs: Inputs,
        output: Array,
        grad_output: Array,
        context: Context,
    ) -> Gradients:
        a, b = (with_axes(x, output.ndim) for x in inputs)
        first = a >= b if isinstance(layer, Maximum) else a <= b
        parts = (grad_output * first, grad_output * ~first)
        return tuple(sum_to(g, x.shape) for g, x in zip(parts, inputs, strict=True)), {}


@define(Where)
class _Where:
    """``x2 if x1 > 0 else x3``; the gradient goes to the value that was chosen."""

    @staticmethod
    def forward(layer: Where, parameters: Arrays, *inputs: Array, context: Context) -> Array:
        condition, a, b = (with_axes(x, max(y.ndim for y in inputs)) for x in inputs)
        return np.where(condition > 0, a, b)

    @staticmethod
    def backward(
        layer: Where, parameters: Arrays, inputs: Inputs, output: Array, grad_output: Array, context: Context
    ) -> Gradients:
        condition, a, b = inputs
        first = with_axes(condition, output.ndim) > 0
        grads = (sum_to(grad_output * first, a.shape), sum_to(grad_output * ~first, b.shape))
        return (np.zeros_like(condition), *grads), {}


@define(MatMul)
class _MatMul:
    """``C = A B``, so ``dL/dA = G B'`` and ``dL/dB = A' G``."""

    @staticmethod
    def forward(layer: MatMul, parameters: Arrays, *inputs: Array, context: Context) -> Array:
        return np.asarray(inputs[0] @ inputs[1])

    @staticmethod
    def backward(
        layer: MatMul, parameters: Arrays, inputs: Inputs, output: Array, grad_output: Array, context: Context
    ) -> Gradients:
        a, b = inputs
        return (grad_output @ b.swapaxes(-1, -2), a.swapaxes(-1, -2) @ grad_output), {}


@define(Constant)
class _Constant:
    """``out[n] = value``, so ``dL/dvalue = sum over n of g[n]``."""

    @staticmethod
    def forward(layer: Constant, parameters: Arrays, *inputs: Array, context: Context) -> Array:
        value = parameters["value"]
        return np.broadcast_to(value, (len(inputs[0]), *value.shape)).copy()

    @staticmethod
    def backward(
        layer: Constant, parameters: Arrays, inputs: Inputs, output: Array, grad_output: Array, context: Context
    ) -> Gradients:
        return (np.zeros_like(inputs[0]),), {"value": grad_output.sum(axis=0)}
