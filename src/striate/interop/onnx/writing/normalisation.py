"""Normalisations as ONNX operators."""

from __future__ import annotations

from typing import Any

import numpy as np

from striate.interop.onnx.writing.graph import GraphWriter, writes
from striate.layers.normalisation import BatchNorm, GroupNorm, InstanceNorm, LayerNorm, LocalResponseNorm
from striate.network import Step


def _affine(graph: GraphWriter, step: Step, shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    layer: Any = step.layer
    if not layer.affine:
        return np.ones(shape, np.float32), np.zeros(shape, np.float32)
    return graph.parameter(step, "weight"), graph.parameter(step, "bias")


@writes(BatchNorm)
def batch_norm(graph: GraphWriter, step: Step) -> str:
    """``BatchNormalization`` with the running statistics."""
    layer: Any = step.layer
    weight, bias = _affine(graph, step, step.shape[:1])
    arguments = [graph.stored(step, "weight", weight), graph.stored(step, "bias", bias)]
    statistics = [graph.stored(step, name) for name in ("running_mean", "running_variance")]
    return graph.add("BatchNormalization", *graph.inputs(step), *arguments, *statistics, epsilon=layer.epsilon)


@writes(GroupNorm, InstanceNorm)
def group_norm(graph: GraphWriter, step: Step) -> str:
    """``InstanceNormalization`` of groups as channels, then a weight and a bias for each channel."""
    layer: Any = step.layer
    (x,), channels = graph.inputs(step), step.shape[0]
    groups = getattr(layer, "groups", channels)
    x = graph.reshape(x, (groups, -1))
    ones, zeros = graph.constant(np.ones(groups)), graph.constant(np.zeros(groups))
    x = graph.add("InstanceNormalization", x, ones, zeros, epsilon=layer.epsilon)
    x = graph.reshape(x, step.shape)
    if not layer.affine:
        return x
    rank = len(step.shape)
    x = graph.add("Mul", x, graph.per_channel(graph.parameter(step, "weight"), rank))
    return graph.add("Add", x, graph.per_channel(graph.parameter(step, "bias"), rank))


@writes(LayerNorm)
def layer_norm(graph: GraphWriter, step: Step) -> str:
    """``LayerNormalization`` over all axes of a sample, or with the channels as the last axis."""
    layer: Any = step.layer
    (x,), rank = graph.inputs(step), len(step.shape)
    weight, bias = _affine(graph, step, layer.parameter_shape(step.shape))
    arguments = [graph.stored(step, "weight", weight), graph.stored(step, "bias", bias)]
    if layer.over == "sample":
        return graph.add("LayerNormalization", x, *arguments, axis=1, epsilon=layer.epsilon)
    last = (*range(1, rank), 0)
    x = graph.transpose(x, last) if rank > 1 else x
    x = graph.add("LayerNormalization", x, *arguments, axis=-1, epsilon=layer.epsilon)
    return graph.transpose(x, (rank - 1, *range(rank - 1))) if rank > 1 else x


@writes(LocalResponseNorm)
def local_response(graph: GraphWriter, step: Step) -> str:
    """``LRN`` for odd sizes of images, else its parts: ONNX centres windows of even size differently."""
    layer: Any = step.layer
    (x,) = graph.inputs(step)
    if layer.size % 2 and len(step.shape) == 3:
        return graph.add("LRN", x, alpha=layer.alpha, beta=layer.beta, bias=layer.k, size=layer.size)
    square = graph.reshape(graph.add("Mul", x, x), (1, step.shape[0], -1))
    pads = (layer.size // 2, 0, (layer.size - 1) // 2, 0)
    mean = graph.add(
        "AveragePool", square, kernel_shape=(layer.size, 1), strides=(1, 1), pads=pads, count_include_pad=1
    )
    scaled = graph.add("Mul", graph.reshape(mean, step.shape), graph.constant(layer.alpha))
    power = graph.add("Pow", graph.add("Add", scaled, graph.constant(layer.k)), graph.constant(layer.beta))
    return graph.add("Div", x, power)
