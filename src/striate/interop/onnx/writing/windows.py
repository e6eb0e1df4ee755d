"""Convolution and pooling as ONNX operators."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from striate.interop.onnx.writing.graph import GraphWriter, writes
from striate.layers.base import Shape, Window
from striate.layers.convolution import Convolution
from striate.layers.global_pooling import AdaptiveAvgPooling, AdaptiveMaxPooling, GlobalAvgPool, GlobalMaxPool
from striate.layers.pooling import AvgPooling, LpPooling, MaxPooling
from striate.layers.subsampling import Subsampling
from striate.layers.transposed import TransposedConvolution
from striate.layers.unpooling import MaxGathering, MaxUnpooling
from striate.network import Step
from striate.reference.convolution import full_weight
from striate.reference.global_pooling import parts_matrix

Pairs = Sequence[tuple[int, int]]
MODES = {"zeros": "constant", "replicate": "edge", "reflect": "reflect"}


def pads(pairs: Pairs) -> tuple[int, ...]:
    """Return (before, after) of each axis as ONNX lists them: all before, then all after."""
    return (*(before for before, _ in pairs), *(after for _, after in pairs))


def padded(graph: GraphWriter, x: str, pairs: Pairs, space: Shape, mode: str = "zeros", value: float = 0.0) -> str:
    """Return ``x`` with a margin around its space (of ``space`` sides)."""
    if not any(map(any, pairs)):
        return x
    if mode != "circular":
        everywhere = graph.ints(pads(((0, 0), (0, 0), *pairs)))
        return graph.add("Pad", x, everywhere, graph.constant(value), mode=MODES[mode])
    for axis, (n, (before, after)) in enumerate(zip(space, pairs, strict=True), start=2):
        parts = [_cut(graph, x, axis, n - before, n), x, _cut(graph, x, axis, 0, after)]
        wanted = [part for part, size in zip(parts, (before, n, after), strict=True) if size]
        x = graph.add("Concat", *wanted, axis=axis) if len(wanted) > 1 else x
    return x


def _cut(graph: GraphWriter, x: str, axis: int, begin: int, end: int) -> str:
    return graph.add("Slice", x, *(graph.ints([number]) for number in (begin, end, axis))) if end > begin else x


def _geometry(window: Window, pairs: Pairs | None = None) -> dict[str, Any]:
    return {
        "kernel_shape": window.kernel,
        "strides": window.stride,
        "dilations": window.dilation,
        "pads": pads(window.padding if pairs is None else pairs),
    }


@writes(Convolution)
def convolution(graph: GraphWriter, step: Step) -> str:
    """``Conv``; a margin that is not zeros is added before, a connection table written as zeros."""
    layer: Any = step.layer
    (x,), (shape,) = graph.inputs(step), step.input_shapes
    window = layer.window(shape)
    weight = graph.parameter(step, "weight")
    if layer.connections is not None:
        weight = full_weight(layer, weight, shape[0])
    arguments = [graph.stored(step, "weight", weight)] + ([graph.stored(step, "bias")] if layer.bias else [])
    if layer.padding_mode == "zeros":
        return graph.add("Conv", x, *arguments, group=layer.groups, **_geometry(window))
    x = padded(graph, x, window.padding, shape[1:], layer.padding_mode)
    nothing = ((0, 0),) * layer.rank
    return graph.add("Conv", x, *arguments, group=layer.groups, **_geometry(window, nothing))


@writes(TransposedConvolution)
def transposed(graph: GraphWriter, step: Step) -> str:
    """``ConvTranspose`` without padding, then what the padding cuts off (or ``output_padding`` adds)."""
    layer: Any = step.layer
    (x,) = graph.inputs(step)
    arguments = [graph.stored(step, "weight")]
    full = graph.add(
        "ConvTranspose",
        x,
        *arguments,
        kernel_shape=layer.kernel_size,
        strides=layer.stride,
        dilations=layer.dilation,
        group=layer.groups,
    )
    pairs = tuple((-b, extra - a) for (b, a), extra in zip(layer.padding, layer.output_padding, strict=True))
    if any(map(any, pairs)):  # a negative margin cuts
        full = graph.add("Pad", full, graph.ints(pads(((0, 0), (0, 0), *pairs))), graph.constant(0.0))
    if not layer.bias:
        return full
    return graph.add("Add", full, graph.per_channel(graph.parameter(step, "bias"), len(step.shape)))


def _reach(step: Step) -> tuple[Window, tuple[tuple[int, int], ...]]:
    """Return the window of a pooling, and its padding with all that the last window runs over."""
    layer: Any = step.layer
    shape = step.input_shapes[0]
    window = layer.window(shape)
    pairs = []
    zipped = zip(
        shape[1:], step.shape[1:], window.kernel, window.stride, window.dilation, window.padding, strict=True
    )
    for n, o, k, s, d, (before, after) in zipped:
        pairs.append((before, max(after, (o - 1) * s + d * (k - 1) + 1 - n - before)))
    return window, tuple(pairs)


@writes(MaxPooling)
def max_pooling(graph: GraphWriter, step: Step) -> str:
    """``MaxPool``."""
    window, pairs = _reach(step)
    return graph.add("MaxPool", *graph.inputs(step), **_geometry(window, pairs))


def window_sums(graph: GraphWriter, x: str, step: Step, factor: np.ndarray | float = 1.0) -> str:
    """Return the sums over windows, times ``factor`` (of each channel), as a convolution of each channel."""
    window, pairs = _reach(step)
    channels = step.input_shapes[0][0]
    ones = np.ones((channels, 1, *window.kernel), np.float32)
    weight = ones * np.reshape(factor, (-1, *(1,) * (ones.ndim - 1)))
    return graph.add("Conv", x, graph.constant(weight), group=channels, **_geometry(window, pairs))


def _cells(step: Step) -> np.ndarray:
    """Return how many cells of each window an average divides by, float64[1, *positions]."""
    layer: Any = step.layer
    window, pairs = _reach(step)
    inside = []
    zipped = zip(
        step.input_shapes[0][1:], step.shape[1:], window.kernel, window.stride, window.dilation, strict=True
    )
    for (n, o, k, s, d), (before, _), (own, after) in zip(zipped, pairs, window.padding, strict=True):
        place = np.arange(o)[:, None] * s + np.arange(k) * d - before
        low, high = (-own, n + after) if layer.count_padding else (0, n)
        inside.append(((place >= low) & (place < high)).sum(axis=1).astype(np.float64))
    cells: np.ndarray = inside[0]
    for axis in inside[1:]:
        cells = np.multiply.outer(cells, axis)
    return cells[None]


@writes(AvgPooling)
def average_pooling(graph: GraphWriter, step: Step) -> str:
    """``AveragePool``; dilated windows, and ones that run over the edge, as sums divided by their cells."""
    layer: Any = step.layer
    window, pairs = _reach(step)
    if set(window.dilation) == {1} and pairs == window.padding:
        geometry = {key: value for key, value in _geometry(window).items() if key != "dilations"}
        count = int(layer.count_padding)
        return graph.add("AveragePool", *graph.inputs(step), count_include_pad=count, **geometry)
    sums = window_sums(graph, graph.inputs(step)[0], step)
    return graph.add("Mul", sums, graph.constant(1.0 / _cells(step)))


@writes(LpPooling)
def lp_pooling(graph: GraphWriter, step: Step) -> str:
    """``(sum of |x|^p)^(1/p)``."""
    layer: Any = step.layer
    absolute = graph.add("Abs", *graph.inputs(step))
    if layer.power == 1:
        return window_sums(graph, absolute, step)
    sums = window_sums(graph, graph.add("Pow", absolute, graph.constant(layer.power)), step)
    return graph.add("Pow", sums, graph.constant(1 / layer.power))


@writes(Subsampling)
def subsampling(graph: GraphWriter, step: Step) -> str:
    """A convolution of each channel whose weights are all the same."""
    sums = window_sums(graph, graph.inputs(step)[0], step, graph.parameter(step, "weight"))
    return graph.add("Add", sums, graph.per_channel(graph.parameter(step, "bias"), len(step.shape)))


@writes(MaxUnpooling)
def unpooling(graph: GraphWriter, step: Step) -> str:
    """The places of the maxima from ``MaxPool``; values are added there, so that windows may overlap."""
    values, source = graph.inputs(step)
    places = _places_of_maxima(graph, step, source, step.input_shapes[0])
    flat, added = (graph.add("Reshape", x, graph.ints([-1])) for x in (source, values))
    zeros = graph.add("Expand", graph.constant(0.0), graph.add("Shape", flat))
    total = graph.add("ScatterElements", zeros, places, added, axis=0, reduction="add")
    return graph.add("Reshape", total, graph.ints((-1, *step.shape)))


@writes(MaxGathering)
def gathering(graph: GraphWriter, step: Step) -> str:
    """The places of the maxima from ``MaxPool``, and the values that stand there."""
    values, source = graph.inputs(step)
    places = _places_of_maxima(graph, step, source, step.shape)
    flat = graph.add("Reshape", values, graph.ints([-1]))
    return graph.add("Reshape", graph.add("Gather", flat, places, axis=0), graph.ints((-1, *step.shape)))


def _places_of_maxima(graph: GraphWriter, step: Step, source: str, pooled: Shape) -> str:
    """Return the second output of the ``MaxPool`` that a layer belongs to, flat."""
    layer: Any = step.layer
    inner = Step(step.name, layer.pool(), step.inputs[1:], step.input_shapes[1:], pooled, (), ())
    window, pairs = _reach(inner)
    found = graph.add("MaxPool", source, outputs=2, **_geometry(window, pairs))
    return graph.add("Reshape", f"{found}:1", graph.ints([-1]))


@writes(GlobalAvgPool)
def global_average(graph: GraphWriter, step: Step) -> str:
    """``GlobalAveragePool`` without the axes of size 1."""
    return graph.add("Flatten", graph.add("GlobalAveragePool", *graph.inputs(step)), axis=1)


@writes(GlobalMaxPool)
def global_maximum(graph: GraphWriter, step: Step) -> str:
    """``GlobalMaxPool`` without the axes of size 1."""
    return graph.add("Flatten", graph.add("GlobalMaxPool", *graph.inputs(step)), axis=1)


@writes(AdaptiveAvgPooling)
def adaptive(graph: GraphWriter, step: Step) -> str:
    """``AveragePool`` where all parts are alike, else a product with a matrix along each axis."""
    (x,), shape, sizes = graph.inputs(step), step.input_shapes[0], step.shape[1:]
    if all(n % o == 0 for n, o in zip(shape[1:], sizes, strict=True)):
        parts = tuple(n // o for n, o in zip(shape[1:], sizes, strict=True))
        return graph.add("AveragePool", x, kernel_shape=parts, strides=parts)
    for axis, size in enumerate(sizes, start=1):
        x = graph.along(x, shape, axis, parts_matrix(shape[axis], size))
        shape = (*shape[:axis], size, *shape[axis + 1 :])
    return x


@writes(AdaptiveMaxPooling)
def adaptive_maximum(graph: GraphWriter, step: Step) -> str:
    """``MaxPool`` of parts that are as long as the longest: the last value of shorter ones is repeated."""
    layer: Any = step.layer
    (x,), lengths = graph.inputs(step), []
    for axis, parts in enumerate(layer.parts(step.input_shapes[0]), start=2):
        lengths.append(max(map(len, parts)))
        index = [min(part.start + i, part.stop - 1) for part in parts for i in range(lengths[-1])]
        if index != list(range(step.input_shapes[0][axis - 1])):
            x = graph.add("Gather", x, graph.ints(index), axis=axis)
    return graph.add("MaxPool", x, kernel_shape=lengths, strides=lengths)
