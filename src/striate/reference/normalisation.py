"""The meaning of normalisation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from striate.layers.normalisation import (
    BatchNorm,
    LocalResponseNorm,
    Normalisation,
    SampleNormalisation,
)
from striate.reference.registry import Array, Arrays, Context, Gradients, Inputs, define


def standardise(x: Array, axes: Sequence[int], epsilon: float) -> Array:
    """Return ``(x - mean) / sqrt(variance + epsilon)`` with the statistics over ``axes``."""
    axes = tuple(axes)
    centred = x - x.mean(axis=axes, keepdims=True)
    return np.asarray(centred / np.sqrt((centred**2).mean(axis=axes, keepdims=True) + epsilon))


def standardise_backward(x: Array, grad: Array, axes: Sequence[int], epsilon: float) -> Array:
    """Return ``(g - mean(g) - z mean(g z)) / sqrt(variance + epsilon)`` for ``z = standardise(x)``.

    References
    ----------
    Ioffe and Szegedy (2015), "Batch normalization", section 3.
    """
    axes = tuple(axes)
    z = standardise(x, axes, epsilon)
    inner = grad - grad.mean(axis=axes, keepdims=True) - z * (grad * z).mean(axis=axes, keepdims=True)
    return np.asarray(inner / np.sqrt(x.var(axis=axes, keepdims=True) + epsilon))


def by_sample(layer: SampleNormalisation, x: Array) -> tuple[Array, tuple[int, ...]]:
    """Return x in the shape, and the axes in it, over which ``layer`` takes its statistics."""
    size = layer.channels_together(x.shape[1])
    return (x, (1,)) if size is None else (x.reshape(len(x), x.shape[1] // size, -1), (2,))


def affine(layer: Normalisation, parameters: Arrays, z: Array) -> Array:
    """Return ``z * weight + bias``, or z."""
    if not layer.affine:
        return z
    return np.asarray(z * _per_value(parameters["weight"], z.ndim) + _per_value(parameters["bias"], z.ndim))


def affine_backward(layer: Normalisation, parameters: Arrays, z: Array, grad_output: Array) -> tuple[Array, Arrays]:
    """Return the gradients with respect to z and to weight and bias."""
    if not layer.affine:
        return grad_output, {}
    weight = parameters["weight"]
    summed = (0, *range(1 + weight.ndim, z.ndim))
    gradients = {"weight": (grad_output * z).sum(axis=summed), "bias": grad_output.sum(axis=summed)}
    return grad_output * _per_value(weight, z.ndim), gradients


def _per_value(parameter: Array, ndim: int) -> Array:
    return parameter.reshape(*parameter.shape, *(1,) * (ndim - 1 - parameter.ndim))


@define(SampleNormalisation)
class _SampleNorm:
    """``out = standardise(x) * weight + bias`` with statistics within one sample."""

    @staticmethod
    def forward(layer: SampleNormalisation, parameters: Arrays, *inputs: Array, context: Context) -> Array:
        x, axes = by_sample(layer, inputs[0])
        return affine(layer, parameters, standardise(x, axes, layer.epsilon).reshape(inputs[0].shape))

    @staticmethod
    def backward(
        layer: SampleNormalisation,
        parameters: Arrays,
        inputs: Inputs,
        output: Array,
        grad_output: Array,
        context: Context,
    ) -> Gradients:
        x, axes = by_sample(layer, inputs[0])
        z = standardise(x, axes, layer.epsilon).reshape(inputs[0].shape)
        grad_z, gradients = affine_backward(layer, parameters, z, grad_output)
        grad_x = standardise_backward(x, grad_z.reshape(x.shape), axes, layer.epsilon)
        return (grad_x.reshape(inputs[0].shape),), gradients


@define(BatchNorm)
class _BatchNorm:
    """``out = standardise(x) * weight + bias`` over the batch in training, with running statistics else."""

    @staticmethod
    def forward(layer: BatchNorm, parameters: Arrays, *inputs: Array, context: Context) -> Array:
        x = inputs[0]
        if not context.training:
            return affine(layer, parameters, _with_running(layer, x, context))
        axes = _batch_axes(x)
        _update(context.states, x.mean(axis=axes), x.var(axis=axes), x.size // x.shape[1], layer.momentum)
        return affine(layer, parameters, standardise(x, axes, layer.epsilon))

    @staticmethod
    def backward(
        layer: BatchNorm, parameters: Arrays, inputs: Inputs, output: Array, grad_output: Array, context: Context
    ) -> Gradients:
        x, axes = inputs[0], _batch_axes(inputs[0])
        if context.training:
            grad_z, gradients = affine_backward(layer, parameters, standardise(x, axes, layer.epsilon), grad_output)
            return (standardise_backward(x, grad_z, axes, layer.epsilon),), gradients
        grad_z, gradients = affine_backward(layer, parameters, _with_running(layer, x, context), grad_output)
        deviation = np.sqrt(context.states["running_variance"] + layer.epsilon)
        return (grad_z / _per_value(deviation, x.ndim),), gradients


def _batch_axes(x: Array) -> tuple[int, ...]:
    return (0, *range(2, x.ndim))


def _with_running(layer: BatchNorm, x: Array, context: Context) -> Array:
    mean = _per_value(context.states["running_mean"], x.ndim)
    return np.asarray((x - mean) / np.sqrt(_per_value(context.states["running_variance"], x.ndim) + layer.epsilon))


def _update(states: Arrays, mean: Array, variance: Array, count: int, momentum: float) -> None:
    """Move the running statistics towards those of a batch of ``count`` values per channel."""
    unbiased = variance * (count / max(count - 1, 1))
    states["running_mean"] += momentum * (mean - states["running_mean"])
    states["running_variance"] += momentum * (unbiased - states["running_variance"])


@define(LocalResponseNorm)
class _LocalResponseNorm:
    """``out[c] = x[c] s[c]^-beta`` with ``s[c] = k + alpha/size * sum of x[d]^2`` over the neighbours d of c.

    ``dL/dx[d] = g[d] s[d]^-beta - 2 alpha beta / size * x[d] * sum over the c that have d as a neighbour of
    g[c] x[c] s[c]^(-beta - 1)``.
    """

    @staticmethod
    def forward(layer: LocalResponseNorm, parameters: Arrays, *inputs: Array, context: Context) -> Array:
        return inputs[0] * _lrn_sums(layer, inputs[0]) ** -layer.beta

    @staticmethod
    def backward(
        layer: LocalResponseNorm,
        parameters: Arrays,
        inputs: Inputs,
        output: Array,
        grad_output: Array,
        context: Context,
    ) -> Gradients:
        x, sums = inputs[0], _lrn_sums(layer, inputs[0])
        through = grad_output * x * sums ** (-layer.beta - 1.0)
        before, after = layer.size // 2, (layer.size - 1) // 2
        spread = _neighbours(through, after, before)
        factor = 2.0 * layer.alpha * layer.beta / layer.size
        return (grad_output * sums**-layer.beta - factor * x * spread,), {}


def _lrn_sums(layer: LocalResponseNorm, x: Array) -> Array:
    around = _neighbours(x**2, layer.size // 2, (layer.size - 1) // 2)
    return layer.k + layer.alpha / layer.size * around


def _neighbours(x: Array, before: int, after: int) -> Array:
    """Return for each channel the sum over ``before`` channels before it to ``after`` after it."""
    channels = x.shape[1]
    parts = [x[:, max(0, c - before) : c + after + 1].sum(axis=1) for c in range(channels)]
    return np.stack(parts, axis=1)
