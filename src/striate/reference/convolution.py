"""The meaning of convolution: a sum of products at every position of a window, in any dimension."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from striate.layers.convolution import Convolution
from striate.reference.padding import Pairs, pad, pad_backward
from striate.reference.registry import Array, Arrays, Context, Gradients, Inputs, define

LARGEST_COLUMNS = 1 << 22  # numbers of windows written out at a time, 32 MB


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
    x: Array,
    weight: Array,
    bias: Array | None = None,
    *,
    stride: Sequence[int],
    padding: Pairs,
    dilation: Sequence[int],
    groups: int = 1,
    mode: str = "zeros",
    flip: bool = False,
) -> Array:
    """Cross-correlate a batch with a bank of filters.

    ``out[n, m, p] = bias[m] + sum over c, t of weight[m, c, t] * x[n, c, p*stride + t*dilation - padding]``

    Parameters
    ----------
    x : float64[N, C, *space]
    weight : float64[M, C/groups, *kernel]
    bias : float64[M], optional
    stride, dilation : one int per axis
    padding : one (before, after) per axis
    groups : int
    mode : {"zeros", "replicate", "reflect", "circular"}
        What the padding holds.
    flip : bool
        True convolution: ``weight[m, c, K - 1 - t]`` in place of ``weight[m, c, t]`` on every axis.

    Returns
    -------
    float64[N, M, *positions]

    References
    ----------
    Dumoulin and Visin (2016), "A guide to convolution arithmetic for deep learning", section 2.

    Examples
    --------
    >>> signal, kernel = np.arange(1.0, 7.0).reshape(1, 1, 6), np.array([[[0.1, 0.2, 0.3, 0.4]]])
    >>> options = {"stride": [1], "padding": [(0, 0)], "dilation": [1]}
    >>> correlate(signal, kernel, **options).round(9).tolist()
    [[[3.0, 4.0, 5.0]]]
    >>> correlate(signal, kernel, flip=True, **options).round(9).tolist()
    [[[2.0, 3.0, 4.0]]]
    """
    weight = flipped(weight) if flip else weight
    kernel = weight.shape[2:]
    padded = pad(x, padding, mode)
    positions = tuple(
        (n - d * (k - 1) - 1) // s + 1
        for n, k, s, d in zip(padded.shape[2:], kernel, stride, dilation, strict=True)
    )
    grouped, sources = _by_group(weight, padded, groups)
    out = np.empty((len(x), *grouped.shape[:2], math.prod(positions)))
    for some in _batches(sources, kernel, positions):
        out[some] = grouped @ _columns(sources[some], kernel, stride, dilation, positions)
    out = out.reshape(len(x), len(weight), *positions)
    return out if bias is None else out + per_channel(bias, out.ndim)


def correlate_backward(
    x: Array,
    weight: Array,
    grad_output: Array,
    *,
    stride: Sequence[int],
    padding: Pairs,
    dilation: Sequence[int],
    groups: int = 1,
    mode: str = "zeros",
    flip: bool = False,
) -> tuple[Array, Array]:
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
    weight = flipped(weight) if flip else weight
    kernel, positions = weight.shape[2:], grad_output.shape[2:]
    padded = pad(x, padding, mode)
    grouped, sources = _by_group(weight, padded, groups)
    errors = grad_output.reshape(len(x), *grouped.shape[:2], math.prod(positions))
    grad_sources, grad_grouped = np.zeros(sources.shape), np.zeros(grouped.shape)
    for some in _batches(sources, kernel, positions):
        columns = _columns(sources[some], kernel, stride, dilation, positions)
        grad_grouped += (errors[some] @ np.swapaxes(columns, 2, 3)).sum(axis=0)
        grad_columns = np.swapaxes(grouped, 1, 2) @ errors[some]
        grad_columns = grad_columns.reshape(*grad_columns.shape[:2], -1, math.prod(kernel), *positions)
        for number, (_, part) in enumerate(taps(kernel, stride, dilation, positions)):
            grad_sources[(some, ..., *part)] += grad_columns[:, :, :, number]
    grad_x = pad_backward(grad_sources.reshape(padded.shape), padding, mode)
    grad_weight = grad_grouped.reshape(weight.shape)
    return grad_x, flipped(grad_weight) if flip else grad_weight


def _by_group(weight: Array, x: Array, groups: int) -> tuple[Array, Array]:
    """Return (groups, M/groups, C/groups * taps) and (N, groups, C/groups, *space)."""
    return (
        weight.reshape(groups, len(weight) // groups, -1),
        x.reshape(len(x), groups, weight.shape[1], *x.shape[2:]),
    )


def _columns(
    x: Array, kernel: Sequence[int], stride: Sequence[int], dilation: Sequence[int], positions: Sequence[int]
) -> Array:
    """Return every window of (N, groups, C, *space) as a column: (N, groups, C * taps, positions)."""
    columns = np.empty((*x.shape[:3], math.prod(kernel), *positions))
    for number, (_, part) in enumerate(taps(kernel, stride, dilation, positions)):
        columns[:, :, :, number] = x[(..., *part)]
    return columns.reshape(*x.shape[:2], -1, math.prod(positions))


def _batches(x: Array, kernel: Sequence[int], positions: Sequence[int]) -> Iterator[slice]:
    """Yield slices of the samples of (N, groups, C, *space) whose columns take a bounded room."""
    one = math.prod(x.shape[1:3]) * math.prod(kernel) * math.prod(positions)
    step = max(1, LARGEST_COLUMNS // max(one, 1))
    yield from (slice(at, at + step) for at in range(0, len(x), step))


def flipped(weight: Array) -> Array:
    """Return (M, C, *kernel) with every axis of the kernel reversed."""
    return np.flip(weight, axis=tuple(range(2, weight.ndim)))


def per_channel(vector: Array, ndim: int) -> Array:
    """Shape a vector [C] so that it broadcasts over (N, C, *space) with ``ndim`` axes."""
    return vector.reshape(-1, *(1,) * (ndim - 2))


def sum_per_channel(x: Array) -> Array:
    """Sum (N, C, *space) over everything but the channels."""
    return np.asarray(x.sum(axis=(0, *range(2, x.ndim))))


def full_weight(layer: Convolution, weight: Array, channels: int) -> Array:
    """Return the weight as [M, C/groups, *kernel]: with a connection table, zeros where nothing is connected."""
    if layer.connections is None:
        return weight
    full = np.zeros((layer.out_channels, channels, *weight.shape[1:]))
    full[_connected(layer)] = weight
    return full


def _connected(layer: Convolution) -> tuple[Array, Array]:
    """Return the filter and the channel of every connection."""
    table = layer.connections or ()
    filters = np.repeat(np.arange(len(table)), [len(row) for row in table])
    return filters, np.array([channel for row in table for channel in row])


def _geometry(layer: Convolution, x: Array) -> dict[str, Any]:
    window = layer.window(x.shape[1:])
    return {
        "stride": window.stride,
        "padding": window.padding,
        "dilation": window.dilation,
        "groups": layer.groups,
        "mode": layer.padding_mode,
    }


@define(Convolution)
class _Convolution:
    """``correlate`` with the weight of ``full_weight``."""

    @staticmethod
    def forward(layer: Convolution, parameters: Arrays, *inputs: Array, context: Context) -> Array:
        weight = full_weight(layer, parameters["weight"], inputs[0].shape[1])
        return correlate(inputs[0], weight, parameters.get("bias"), **_geometry(layer, inputs[0]))

    @staticmethod
    def backward(
        layer: Convolution, parameters: Arrays, inputs: Inputs, output: Array, grad_output: Array, context: Context
    ) -> Gradients:
        weight = full_weight(layer, parameters["weight"], inputs[0].shape[1])
        grad_x, grad_weight = correlate_backward(inputs[0], weight, grad_output, **_geometry(layer, inputs[0]))
        gradients = {"weight": grad_weight if layer.connections is None else grad_weight[_connected(layer)]}
        if layer.bias:
            gradients["bias"] = sum_per_channel(grad_output)
        return (grad_x,), gradients
