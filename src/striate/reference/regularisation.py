"""The meaning of dropout and noise."""

from __future__ import annotations

import numpy as np

from striate.layers.regularisation import Dropout, GaussianNoise, Regulariser, SpatialDropout
from striate.reference.random import keep_mask, layer_key, normal
from striate.reference.registry import Array, Arrays, Context, Gradients, Inputs, define


def _samples(x: Array, context: Context) -> list[int]:
    return list(range(len(x))) if context.samples is None else [int(number) for number in context.samples]


def _key(context: Context) -> int:
    return layer_key(context.seed, context.step, context.name)


@define(Dropout, SpatialDropout)
class _Dropout:
    """``out = x * keep / (1 - rate)``; the mask is the same backward as forward."""

    @staticmethod
    def forward(layer: Dropout | SpatialDropout, parameters: Arrays, *inputs: Array, context: Context) -> Array:
        return np.asarray(inputs[0] * dropout_factors(layer, inputs[0], context))

    @staticmethod
    def backward(
        layer: Dropout | SpatialDropout,
        parameters: Arrays,
        inputs: Inputs,
        output: Array,
        grad_output: Array,
        context: Context,
    ) -> Gradients:
        return (grad_output * dropout_factors(layer, inputs[0], context),), {}


def dropout_factors(layer: Dropout | SpatialDropout, x: Array, context: Context) -> Array:
    """Return what each value is multiplied by: 0 or ``1 / (1 - rate)``, and 1 at evaluation."""
    if not context.training:
        return np.ones((1,) * x.ndim)
    whole = isinstance(layer, SpatialDropout)
    shape = (*x.shape[:2], *(1,) * (x.ndim - 2)) if whole else x.shape
    keep = keep_mask(_key(context), _samples(x, context), int(np.prod(shape[1:])), layer.rate)
    return keep.reshape(shape) / (1.0 - layer.rate)


@define(GaussianNoise)
class _GaussianNoise:
    """``out = x + deviation * z`` with z standard normal."""

    @staticmethod
    def forward(layer: GaussianNoise, parameters: Arrays, *inputs: Array, context: Context) -> Array:
        x = inputs[0]
        if not context.training:
            return x.copy()
        z = normal(_key(context), _samples(x, context), int(np.prod(x.shape[1:])))
        return x + layer.deviation * z.reshape(x.shape)

    @staticmethod
    def backward(
        layer: Regulariser, parameters: Arrays, inputs: Inputs, output: Array, grad_output: Array, context: Context
    ) -> Gradients:
        return (grad_output,), {}
