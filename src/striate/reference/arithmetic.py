"""The meaning of layers that join values or scale one."""

from __future__ import annotations

import math

import numpy as np

from striate.layers.arithmetic import Add, ChannelScale, Concatenate, Multiply, Scale
from striate.reference.convolution import per_channel, sum_per_channel
from striate.reference.registry import Array, Arrays, Context, Gradients, Inputs, define


def with_axes(x: Array, ndim: int) -> Array:
    """Give (N, C, ...) the axes that are missing on the right, so that NumPy broadcasts them."""
    return x.reshape(*x.shape, *(1,) * (ndim - x.ndim))


def sum_to(grad: Array, shape: tuple[int, ...]) -> Array:
    """Return the adjoint of broadcasting an array of ``shape``: the sum over the axes that were broadcast."""
    full = (*shape, *(1,) * (grad.ndim - len(shape)))
    axes = tuple(axis for axis, (n, m) in enumerate(zip(grad.shape, full, strict=True)) if n != m)
    return np.asarray(grad.sum(axis=axes, keepdims=True).reshape(shape))


@define(Add)
class _Add:
    """``out = x1 + x2 + ...``."""

    @staticmethod
    def forward(layer: Add, parameters: Arrays, *inputs: Array, context: Context) -> Array:
        ndim = max(x.ndim for x in inputs)
        return np.asarray(sum(with_axes(x, ndim) for x in inputs))

    @staticmethod
    def backward(
        layer: Add, parameters: Arrays, inputs: Inputs, output: Array, grad_output: Array, context: Context
    ) -> Gradients:
        return tuple(sum_to(grad_output, x.shape) for x in inputs), {}


@define(Multiply)
class _Multiply:
    """``out = x1 * x2 * ...``, so ``dL/dx1 = g * x2 * ...``."""

    @staticmethod
    def forward(layer: Multiply, parameters: Arrays, *inputs: Array, context: Context) -> Array:
        ndim = max(x.ndim for x in inputs)
        return np.asarray(math.prod(with_axes(x, ndim) for x in inputs))

    @staticmethod
    def backward(
        layer: Multiply, parameters: Arrays, inputs: Inputs, output: Array, grad_output: Array, context: Context
    ) -> Gradients:
        factors = [with_axes(x, output.ndim) for x in inputs]
        others = (math.prod(factors[:i] + factors[i + 1 :], start=grad_output) for i in range(len(factors)))
        return tuple(sum_to(g, x.shape) for g, x in zip(others, inputs, strict=True)), {}


@define(Concatenate)
class _Concatenate:
    """``out[n, (i, c), p] = x_i[n, c, p]``."""

    @staticmethod
    def forward(layer: Concatenate, parameters: Arrays, *inputs: Array, context: Context) -> Array:
        return np.concatenate(inputs, axis=1)

    @staticmethod
    def backward(
        layer: Concatenate, parameters: Arrays, inputs: Inputs, output: Array, grad_output: Array, context: Context
    ) -> Gradients:
        ends = np.cumsum([x.shape[1] for x in inputs])[:-1]
        return tuple(np.split(grad_output, ends, axis=1)), {}


@define(Scale)
class _Scale:
    """``out = factor * x + shift``."""

    @staticmethod
    def forward(layer: Scale, parameters: Arrays, *inputs: Array, context: Context) -> Array:
        return layer.factor * inputs[0] + layer.shift

    @staticmethod
    def backward(
        layer: Scale, parameters: Arrays, inputs: Inputs, output: Array, grad_output: Array, context: Context
    ) -> Gradients:
        return (layer.factor * grad_output,), {}


@define(ChannelScale)
class _ChannelScale:
    """``out[n, c, p] = weight[c] * x[n, c, p] + bias[c]``."""

    @staticmethod
    def forward(layer: ChannelScale, parameters: Arrays, *inputs: Array, context: Context) -> Array:
        x = inputs[0]
        out = per_channel(parameters["weight"], x.ndim) * x
        return np.asarray(out + per_channel(parameters["bias"], x.ndim) if layer.bias else out)

    @staticmethod
    def backward(
        layer: ChannelScale, parameters: Arrays, inputs: Inputs, output: Array, grad_output: Array, context: Context
    ) -> Gradients:
        gradients = {"weight": sum_per_channel(grad_output * inputs[0])}
        if layer.bias:
            gradients["bias"] = sum_per_channel(grad_output)
        return (per_channel(parameters["weight"], output.ndim) * grad_output,), gradients
