"""The meaning of padding and cropping."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from striate.layers.padding import Crop, Pad
from striate.reference.registry import Array, Arrays, Context, Gradients, Inputs, define

Pairs = Sequence[tuple[int, int]]
NUMPY_MODES: dict[str, Any] = {"replicate": "edge", "reflect": "reflect", "circular": "wrap"}


def pad(x: Array, padding: Pairs, mode: str = "zeros", value: float = 0.0) -> Array:
    """Return float64[N, C, *space] with (before, after) more values on each axis of space.

    Examples
    --------
    >>> pad(np.array([[[1.0, 2.0, 3.0]]]), [(2, 1)], "reflect").tolist()
    [[[3.0, 2.0, 1.0, 2.0, 3.0, 2.0]]]
    """
    everywhere = ((0, 0), (0, 0), *padding)
    if mode == "zeros":
        return np.pad(x, everywhere, constant_values=value)
    return np.pad(x, everywhere, mode=NUMPY_MODES[mode])


def pad_backward(grad: Array, padding: Pairs, mode: str = "zeros") -> Array:
    """Return the adjoint of ``pad``: what stands beyond the edge is added to where it came from."""
    for axis, pair in enumerate(padding, start=2):
        n = grad.shape[axis] - sum(pair)
        if mode == "zeros":
            grad = grad[(slice(None),) * axis + (slice(pair[0], pair[0] + n),)]
            continue
        source = np.pad(np.arange(n), pair, mode=NUMPY_MODES[mode])
        inside = np.zeros((n, *np.moveaxis(grad, axis, 0).shape[1:]))
        np.add.at(inside, source, np.moveaxis(grad, axis, 0))
        grad = np.moveaxis(inside, 0, axis)
    return grad


@define(Pad)
class _Pad:
    """``out[n, c, p] = x[n, c, p - before]`` inside, by the mode outside."""

    @staticmethod
    def forward(layer: Pad, parameters: Arrays, *inputs: Array, context: Context) -> Array:
        return pad(inputs[0], layer.pairs(inputs[0].shape[1:]), layer.mode, layer.value)

    @staticmethod
    def backward(
        layer: Pad, parameters: Arrays, inputs: Inputs, output: Array, grad_output: Array, context: Context
    ) -> Gradients:
        return (pad_backward(grad_output, layer.pairs(inputs[0].shape[1:]), layer.mode),), {}


@define(Crop)
class _Crop:
    """``out[n, c, p] = x[n, c, p + before]``."""

    @staticmethod
    def forward(layer: Crop, parameters: Arrays, *inputs: Array, context: Context) -> Array:
        return pad_backward(inputs[0], layer.pairs(inputs[0].shape[1:]))

    @staticmethod
    def backward(
        layer: Crop, parameters: Arrays, inputs: Inputs, output: Array, grad_output: Array, context: Context
    ) -> Gradients:
        return (pad(grad_output, layer.pairs(inputs[0].shape[1:])),), {}
