"""The meaning of pooling: the largest value, the mean or a norm of every window."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from striate.layers.base import Window
from striate.layers.pooling import AvgPooling, LpPooling, MaxPooling, Pooling
from striate.layers.subsampling import Subsampling
from striate.layers.unpooling import MaxGathering, MaxUnpooling
from striate.reference.convolution import per_channel, sum_per_channel, taps
from striate.reference.registry import Array, Arrays, Context, Gradients, Inputs, define


def _pad_to_cover(x: Array, window: Window, positions: Sequence[int], value: float) -> Array:
    """Pad every axis so that each window lies inside, also where ceil_mode runs over the edge."""
    pads = []
    geometry = zip(
        x.shape[2:], positions, window.kernel, window.stride, window.dilation, window.padding, strict=True
    )
    for n, o, k, s, d, (before, _) in geometry:
        end = (o - 1) * s + d * (k - 1) + 1
        pads.append((before, max(0, end - before - n)))
    return np.pad(x, ((0, 0), (0, 0), *pads), constant_values=value)


def _inside(x: Array, window: Window) -> Any:
    return tuple(slice(p[0], p[0] + n) for p, n in zip(window.padding, x.shape[2:], strict=True))


def parts(layer: Pooling, x: Array, value: float) -> Iterator[Array]:
    """Yield, for each tap of the window, what every window sees there; beyond the edge ``value``."""
    window, positions = layer.window(x.shape[1:]), layer.output_shape(x.shape[1:])[1:]
    padded = _pad_to_cover(x, window, positions, value)
    for _, part in taps(window.kernel, window.stride, window.dilation, positions):
        yield padded[(..., *part)]


def parts_backward(layer: Pooling, x: Array, grads: Iterator[Array]) -> Array:
    """Return the adjoint of ``parts``: the gradient of each tap added up where it came from."""
    window, positions = layer.window(x.shape[1:]), layer.output_shape(x.shape[1:])[1:]
    grad_padded = np.zeros_like(_pad_to_cover(x, window, positions, 0.0))
    for (_, part), grad in zip(taps(window.kernel, window.stride, window.dilation, positions), grads, strict=True):
        grad_padded[(..., *part)] += grad
    return grad_padded[(..., *_inside(x, window))]


def first_wins(layer: Pooling, x: Array) -> Iterator[Array]:
    """Yield, for each tap, where it is the first that holds the maximum of its window."""
    maximum = np.maximum.reduce(list(parts(layer, x, -np.inf)))
    free = np.ones(maximum.shape, bool)
    for part in parts(layer, x, -np.inf):
        wins = free & (part == maximum)
        free &= ~wins
        yield wins


@define(MaxPooling)
class _MaxPooling:
    """``out[p] = max over t of x[p*stride + t*dilation - padding]``; padding never wins."""

    @staticmethod
    def forward(layer: MaxPooling, parameters: Arrays, *inputs: Array, context: Context) -> Array:
        return np.asarray(np.maximum.reduce(list(parts(layer, inputs[0], -np.inf))))

    @staticmethod
    def backward(
        layer: MaxPooling, parameters: Arrays, inputs: Inputs, output: Array, grad_output: Array, context: Context
    ) -> Gradients:
        x = inputs[0]
        return (parts_backward(layer, x, (wins * grad_output for wins in first_wins(layer, x))),), {}


def put_at_maxima(pool: MaxPooling, source: Array, x: Array) -> Array:
    """Return ``out[q] = sum of x[p]`` over the windows p of the pooling whose maximum in ``source`` is at q."""
    return parts_backward(pool, source, (wins * x for wins in first_wins(pool, source)))


def take_at_maxima(pool: MaxPooling, source: Array, x: Array) -> Array:
    """Return ``out[p] = x[q]``, q the maximum of window p in ``source``: the adjoint of ``put_at_maxima``."""
    taken = zip(first_wins(pool, source), parts(pool, x, 0.0), strict=True)
    return np.asarray(sum(wins * part for wins, part in taken))


@define(MaxUnpooling)
class _MaxUnpooling:
    """Values put at the maxima of the second input; its adjoint backward."""

    @staticmethod
    def forward(layer: MaxUnpooling, parameters: Arrays, *inputs: Array, context: Context) -> Array:
        return put_at_maxima(layer.pool(), inputs[1], inputs[0])

    @staticmethod
    def backward(
        layer: MaxUnpooling, parameters: Arrays, inputs: Inputs, output: Array, grad_output: Array, context: Context
    ) -> Gradients:
        return (take_at_maxima(layer.pool(), inputs[1], grad_output), np.zeros_like(inputs[1])), {}


@define(MaxGathering)
class _MaxGathering:
    """Values taken from the maxima of the second input; its adjoint backward."""

    @staticmethod
    def forward(layer: MaxGathering, parameters: Arrays, *inputs: Array, context: Context) -> Array:
        return take_at_maxima(layer.pool(), inputs[1], inputs[0])

    @staticmethod
    def backward(
        layer: MaxGathering, parameters: Arrays, inputs: Inputs, output: Array, grad_output: Array, context: Context
    ) -> Gradients:
        return (put_at_maxima(layer.pool(), inputs[1], grad_output), np.zeros_like(inputs[1])), {}


@define(AvgPooling)
class _AvgPooling:
    """``out[p] = 1/size * sum over t of x[p*stride + t*dilation - padding]``."""

    @staticmethod
    def forward(layer: AvgPooling, parameters: Arrays, *inputs: Array, context: Context) -> Array:
        return np.asarray(
            np.sum(list(parts(layer, inputs[0], 0.0)), axis=0) / average_sizes(layer, inputs[0].shape[1:])
        )

    @staticmethod
    def backward(
        layer: AvgPooling, parameters: Arrays, inputs: Inputs, output: Array, grad_output: Array, context: Context
    ) -> Gradients:
        shares = grad_output / average_sizes(layer, inputs[0].shape[1:])
        return (parts_backward(layer, inputs[0], (shares for _ in parts(layer, inputs[0], 0.0))),), {}


def average_sizes(layer: AvgPooling, shape: Sequence[int]) -> Array:
    """Return what each window's sum is divided by, float64[*positions].

    With ``count_padding`` a window counts its cells inside the padded input (what ceil_mode adds
    beyond the padding never counts), without it those inside the input.
    """
    window = layer.window(tuple(shape))
    positions = layer.output_shape(tuple(shape))[1:]
    counts = np.ones((1,) * len(positions))
    geometry = zip(shape[1:], positions, window.kernel, window.stride, window.dilation, window.padding, strict=True)
    for axis, (n, o, k, s, d, (before, after)) in enumerate(geometry):
        first, last = (-before, n + after) if layer.count_padding else (0, n)
        index = np.arange(o)[:, None] * s - before + np.arange(k)[None, :] * d
        inside = ((index >= first) & (index < last)).sum(axis=1)
        counts = counts * inside.reshape(-1, *(1,) * (len(positions) - axis - 1))
    return counts


@define(LpPooling)
class _LpPooling:
    """``out[p] = (sum over t of |x|^power)^(1/power)``, so ``dout/dx = sign(x) (|x| / out)^(power - 1)``."""

    @staticmethod
    def forward(layer: LpPooling, parameters: Arrays, *inputs: Array, context: Context) -> Array:
        total = np.sum([np.abs(part) ** layer.power for part in parts(layer, inputs[0], 0.0)], axis=0)
        return np.asarray(total ** (1.0 / layer.power))

    @staticmethod
    def backward(
        layer: LpPooling, parameters: Arrays, inputs: Inputs, output: Array, grad_output: Array, context: Context
    ) -> Gradients:
        norm = np.where(output > 0, output, 1.0)
        grads = (
            grad_output * np.sign(part) * (np.abs(part) / norm) ** (layer.power - 1.0)
            for part in parts(layer, inputs[0], 0.0)
        )
        return (parts_backward(layer, inputs[0], grads),), {}


@define(Subsampling)
class _Subsampling:
    """``out[c, p] = weight[c] * sum over t of x[c, p*stride + t*dilation - padding] + bias[c]``."""

    @staticmethod
    def forward(layer: Subsampling, parameters: Arrays, *inputs: Array, context: Context) -> Array:
        total = np.sum(list(parts(layer, inputs[0], 0.0)), axis=0)
        return np.asarray(
            per_channel(parameters["weight"], total.ndim) * total + per_channel(parameters["bias"], total.ndim)
        )

    @staticmethod
    def backward(
        layer: Subsampling, parameters: Arrays, inputs: Inputs, output: Array, grad_output: Array, context: Context
    ) -> Gradients:
        total = np.sum(list(parts(layer, inputs[0], 0.0)), axis=0)
        shares = per_channel(parameters["weight"], output.ndim) * grad_output
        grad_x = parts_backward(layer, inputs[0], (shares for _ in parts(layer, inputs[0], 0.0)))
        return (grad_x,), {"weight": sum_per_channel(grad_output * total), "bias": sum_per_channel(grad_output)}
