"""Normalisations."""

from __future__ import annotations

import numpy as np

from striate import layers
from striate.interop.onnx.reading.importer import Importer, Operator, operator
from striate.interop.onnx.reading.operators.arithmetic import add, inverse, multiply, negated
from striate.interop.onnx.reading.operators.reductions import reduced
from striate.interop.onnx.reading.values import Unsupported, Value


def _affine(graph: Importer, value: Value, scale: np.ndarray | None, bias: np.ndarray | None) -> Value:
    """Return ``value * scale + bias`` with numbers that are broadcast from the right."""
    if scale is not None:
        value = multiply(graph, value, scale)
    return value if bias is None else add(graph, value, bias)


@operator("BatchNormalization")
def batch_norm(graph: Importer, node: Operator) -> Value:
    """With the running statistics."""
    if node.get("training_mode", 0) or len(node.outputs) > 1:
        raise Unsupported("it is in training mode; export the model for inference")
    value = node.value()
    scale, bias, mean, variance = (node.needed(number) for number in range(1, 5))
    layer = layers.BatchNorm(epsilon=node.get("epsilon", 1e-5))
    arrays = {"weight": scale, "bias": bias, "running_mean": mean, "running_variance": variance}
    return Value.of(graph.apply(layer, value.plain(), **arrays), value)


@operator("InstanceNormalization")
def instance_norm(graph: Importer, node: Operator) -> Value:
    """Over the positions of each channel."""
    value = node.value()
    layer = layers.InstanceNorm(epsilon=node.get("epsilon", 1e-5))
    return Value.of(graph.apply(layer, value.plain(), weight=node.needed(1), bias=node.needed(2)), value)


@operator("GroupNormalization")
def group_norm(graph: Importer, node: Operator) -> Value:
    """Over groups of channels; scale and bias are of channels, before opset 21 of groups."""
    value, groups = node.value(), node.get("num_groups", 1)
    plain = value.plain()
    arrays = []
    for numbers in (node.needed(1), node.needed(2)):
        arrays.append(np.repeat(numbers, plain.shape[0] // len(numbers)) if len(numbers) == groups else numbers)
    layer = layers.GroupNorm(groups, epsilon=node.get("epsilon", 1e-5))
    return Value.of(graph.apply(layer, plain, weight=arrays[0], bias=arrays[1]), value)


@operator("LayerNormalization")
def layer_norm(graph: Importer, node: Operator) -> list[Value]:
    """Over all axes from ``axis`` on; further outputs are the mean and the inverse of the deviation."""
    value = node.value()
    first = node.get("axis", -1) % value.rank
    own = [value.axis(axis) for axis in range(first, value.rank)]
    inner, back = graph.grouped(value, own)
    epsilon = node.get("epsilon", 1e-5)
    layer = layers.LayerNorm("channels", epsilon=epsilon, affine=False)
    normal = back(graph.apply(layer, inner), [value.sample[axis] for axis in own])
    found = [_affine(graph, normal, node.needed(1), node.constant(2))]
    if len(node.outputs) > 1:
        axes = range(first, value.rank)
        mean = reduced(graph, value, axes, True, "mean")
        squares = graph.each(layers.Power(2.0), add(graph, value, negated(graph, mean)))
        variance = add(graph, reduced(graph, squares, axes, True, "mean"), np.asarray(epsilon))
        found += [mean, graph.each(layers.Power(-0.5), variance)]
    return found


@operator("RMSNormalization")
def rms_norm(graph: Importer, node: Operator) -> Value:
    """``x / sqrt(mean(x^2) + epsilon) * scale`` over all axes from ``axis`` on."""
    value = node.value()
    axes = list(range(node.get("axis", -1) % value.rank, value.rank))
    mean = reduced(graph, graph.each(layers.Power(2.0), value), axes, True, "mean")
    root = graph.each(layers.Sqrt(), add(graph, mean, np.asarray(node.get("epsilon", 1e-5))))
    return _affine(graph, multiply(graph, value, inverse(graph, root)), node.needed(1), None)


@operator("LRN")
def local_response(graph: Importer, node: Operator) -> Value:
    """Over neighbouring channels; ONNX has the larger half of an even window after the channel."""
    value, size = node.value(), node.get("size")
    if size is None or size % 2 == 0:
        raise Unsupported(f"a window of even size ({size}) is centred differently")
    layer = layers.LocalResponseNorm(size, node.get("alpha", 1e-4), node.get("beta", 0.75), node.get("bias", 1.0))
    return Value.of(graph.apply(layer, value.plain()), value)


@operator("LpNormalization")
def lp_norm(graph: Importer, node: Operator) -> Value:
    """``x / norm(x)`` along one axis."""
    value, p = node.value(), node.get("p", 2)
    how = "l1" if p == 1 else "l2"
    axis = node.get("axis", -1) % value.rank
    norm = reduced(graph, value, [axis], True, how)
    return multiply(graph, value, inverse(graph, norm))
