"""The meaning of pooling: the largest value or the mean of every window."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from striate.layers.base import Window
from striate.layers.pooling import AvgPooling, MaxPooling
from striate.reference.convolution import taps
from striate.reference.registry import Arrays, Context, define


def _pad_to_cover(x: np.ndarray, window: Window, positions: Sequence[int], value: float) -> np.ndarray:
    """Pad every axis so that each window lies inside, also where ceil_mode runs over the edge."""
    pads = []
    geometry = zip(
        x.shape[2:], positions, window.kernel, window.stride, window.dilation, window.padding, strict=True
    )
    for n, o, k, s, d, (before, _) in geometry:
        end = (o - 1) * s + d * (k - 1) + 1
        pads.append((before, max(0, end - before - n)))
    return np.pad(x, ((0, 0), (0, 0), *pads), constant_values=value)


def _inside(x: np.ndarray, window: Window) -> Any:
    return tuple(slice(p[0], p[0] + n) for p, n in zip(window.padding, x.shape[2:], strict=True))


@define(MaxPooling)
class _MaxPooling:
    """``out[p] = max over t of x[p*stride + t*dilation - padding]``; padding never wins."""

    @staticmethod
    def forward(layer: MaxPooling, parameters: Arrays, *inputs: np.ndarray, context: Context) -> np.ndarray:
        (x,) = inputs
        window = layer.window(x.shape[1:])
        positions = layer.output_shape(x.shape[1:])[1:]
        padded = _pad_to_cover(x, window, positions, -np.inf)
        parts = [padded[(..., *part)] for _, part in taps(window.kernel, window.stride, window.dilation, positions)]
        return np.maximum.reduce(parts)

    @staticmethod
    def backward(
        layer: MaxPooling,
        parameters: Arrays,
        inputs: tuple[np.ndarray, ...],
        output: np.ndarray,
        grad_output: np.ndarray,
        context: Context,
    ) -> tuple[tuple[np.ndarray, ...], Arrays]:
        (x,) = inputs
        window = layer.window(x.shape[1:])
        padded = _pad_to_cover(x, window, output.shape[2:], -np.inf)
        grad_padded = np.zeros_like(padded)
        remaining = grad_output.copy()
        for _, part in taps(window.kernel, window.stride, window.dilation, output.shape[2:]):
            wins = padded[(..., *part)] == output
            grad_padded[(..., *part)] += np.where(wins, remaining, 0.0)
            remaining[wins] = 0.0
        return (grad_padded[(..., *_inside(x, window))],), {}


@define(AvgPooling)
class _AvgPooling:
    """``out[p] = 1/size * sum over t of x[p*stride + t*dilation - padding]``."""

    @staticmethod
    def forward(layer: AvgPooling, parameters: Arrays, *inputs: np.ndarray, context: Context) -> np.ndarray:
        (x,) = inputs
        window = layer.window(x.shape[1:])
        positions = layer.output_shape(x.shape[1:])[1:]
        padded = _pad_to_cover(x, window, positions, 0.0)
        parts = taps(window.kernel, window.stride, window.dilation, positions)
        total = np.sum([padded[(..., *part)] for _, part in parts], axis=0)
        return total / average_sizes(layer, x.shape[1:])

    @staticmethod
    def backward(
        layer: AvgPooling,
        parameters: Arrays,
        inputs: tuple[np.ndarray, ...],
        output: np.ndarray,
        grad_output: np.ndarray,
        context: Context,
    ) -> tuple[tuple[np.ndarray, ...], Arrays]:
        (x,) = inputs
        window = layer.window(x.shape[1:])
        grad_padded = np.zeros_like(_pad_to_cover(x, window, output.shape[2:], 0.0))
        shares = grad_output / average_sizes(layer, x.shape[1:])
        for _, part in taps(window.kernel, window.stride, window.dilation, output.shape[2:]):
            grad_padded[(..., *part)] += shares
        return (grad_padded[(..., *_inside(x, window))],), {}


def average_sizes(layer: AvgPooling, shape: Sequence[int]) -> np.ndarray:
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
