"""The meaning of convolution: a sum of products at every position of a window, in any dimension."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from striate.layers.convolution import Convolution
from striate.reference.registry import Arrays, Context, define

Pairs = Sequence[tuple[int, int]]


def taps(
    kernel: Sequence[int], stride: Sequence[int], dilation: Sequence[int], positions: Sequence[int]
) -> Iterator[tuple[Any, Any]]:
    """Yield each tap of a kernel with the part of the padded input that it meets, one slice per axis."""
    for tap in itertools.product(*map(range, kernel)):
        yield (
            tap,
            tuple(
                slice(t * d, t * d + (o - 1) * s + 1, s)
                for t, d, s, o in zip(tap, dilation, stride, positions, strict=True)
            ),
        )


def correlate(
    x: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray | None = None,
    *,
    stride: Sequence[int],
    padding: Pairs,
    dilation: Sequence[int],
    groups: int = 1,
) -> np.ndarray:
    """Cross-correlate a batch with a bank of filters.

    ``out[n, m, p] = bias[m] + sum over c, t of weight[m, c, t] * x[n, c, p*stride + t*dilation - padding]``

    Parameters
    ----------
    x : float64[N, C, *space]
    weight : float64[M, C/groups, *kernel]
    bias : float64[M], optional
    stride, dilation : one int per axis
    padding : one (before, after) per axis, zeros
    groups : int

    Returns
    -------
    float64[N, M, *positions]

    References
    ----------
    Dumoulin and Visin (2016), "A guide to convolution arithmetic for deep learning", section 2.
    """
    kernel = weight.shape[2:]
    padded = np.pad(x, ((0, 0), (0, 0), *padding))
    positions = tuple(
        (n - d * (k - 1) - 1) // s + 1
        for n, k, s, d in zip(padded.shape[2:], kernel, stride, dilation, strict=True)
    )
    filters, channels = weight.shape[:2]
    grouped = weight.reshape(groups, filters // groups, channels, *kernel)
    sources = padded.reshape(len(x), groups, channels, *padded.shape[2:])
    out = np.zeros((len(x), groups, filters // groups, *positions))
    for tap, part in taps(kernel, stride, dilation, positions):
        out += np.einsum("gmc,ngc...->ngm...", grouped[(..., *tap)], sources[(..., *part)])
    out = out.reshape(len(x), filters, *positions)
    return out if bias is None else out + per_channel(bias, out.ndim)


def correlate_backward(
    x: np.ndarray,
    weight: np.ndarray,
    grad_output: np.ndarray,
    *,
    stride: Sequence[int],
    padding: Pairs,
    dilation: Sequence[int],
    groups: int = 1,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the gradients with respect to the input and the weight of ``correlate``.

    Every product of the forward sum, ``out[p] += weight[t] * x[q]``, gives two terms here:
    ``grad_x[q] += weight[t] * grad_output[p]`` and ``grad_weight[t] += x[q] * grad_output[p]``.

    Parameters
    ----------
    x : float64[N, C, *space]
    weight : float64[M, C/groups, *kernel]
    grad_output : float64[N, M, *positions]

    Returns
    -------
    grad_x : float64[N, C, *space]
    grad_weight : float64[M, C/groups, *kernel]
    """
    kernel, positions = weight.shape[2:], grad_output.shape[2:]
    padded = np.pad(x, ((0, 0), (0, 0), *padding))
    filters, channels = weight.shape[:2]
    grouped = weight.reshape(groups, filters // groups, channels, *kernel)
    sources = padded.reshape(len(x), groups, channels, *padded.shape[2:])
    errors = grad_output.reshape(len(x), groups, filters // groups, *positions)
    grad_sources, grad_grouped = np.zeros_like(sources), np.zeros_like(grouped)
    for tap, part in taps(kernel, stride, dilation, positions):
        grad_sources[(..., *part)] += np.einsum("gmc,ngm...->ngc...", grouped[(..., *tap)], errors)
        grad_grouped[(..., *tap)] = np.einsum("ngmp,ngcp->gmc", _flat(errors), _flat(sources[(..., *part)]))
    inside: Any = tuple(slice(before, before + n) for (before, _), n in zip(padding, x.shape[2:], strict=True))
    grad_x = grad_sources.reshape(padded.shape)[(..., *inside)]
    return grad_x, grad_grouped.reshape(weight.shape)


def _flat(x: np.ndarray) -> np.ndarray:
    """Join the axes of space of (N, groups, C, *space) into one."""
    return x.reshape(*x.shape[:3], -1)


def per_channel(vector: np.ndarray, ndim: int) -> np.ndarray:
    """Shape a vector [C] so that it broadcasts over (N, C, *space) with ``ndim`` axes."""
    return vector.reshape(-1, *(1,) * (ndim - 2))


def sum_per_channel(x: np.ndarray) -> np.ndarray:
    """Sum (N, C, *space) over everything but the channels."""
    return x.sum(axis=(0, *range(2, x.ndim)))


@define(Convolution)
class _Convolution:
    @staticmethod
    def forward(layer: Convolution, parameters: Arrays, *inputs: np.ndarray, context: Context) -> np.ndarray:
        window = layer.window(inputs[0].shape[1:])
        return correlate(
            inputs[0],
            parameters["weight"],
            parameters.get("bias"),
            stride=window.stride,
            padding=window.padding,
            dilation=window.dilation,
            groups=layer.groups,
        )

    @staticmethod
    def backward(
        layer: Convolution,
        parameters: Arrays,
        inputs: tuple[np.ndarray, ...],
        output: np.ndarray,
        grad_output: np.ndarray,
        context: Context,
    ) -> tuple[tuple[np.ndarray, ...], Arrays]:
        window = layer.window(inputs[0].shape[1:])
        grad_x, grad_weight = correlate_backward(
            inputs[0],
            parameters["weight"],
            grad_output,
            stride=window.stride,
            padding=window.padding,
            dilation=window.dilation,
            groups=layer.groups,
        )
        gradients = {"weight": grad_weight}
        if layer.bias:
            gradients["bias"] = sum_per_channel(grad_output)
        return (grad_x,), gradients
