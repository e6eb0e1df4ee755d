"""Functions of one number, and softmax."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from striate import layers
from striate.checks import LARGEST
from striate.interop.onnx.reading.importer import Importer, Operator, operator
from striate.interop.onnx.reading.operators.arithmetic import add, extremum, inverse, multiply, scaled
from striate.interop.onnx.reading.values import Unsupported, Value, reshaped
from striate.layers.activation import SELU

SIMPLE: dict[str, Any] = {
    "Abs": lambda node: layers.Absolute(),
    "Celu": lambda node: layers.CELU(node.get("alpha", 1.0)),
    "Elu": lambda node: layers.ELU(node.get("alpha", 1.0)),
    "Erf": lambda node: layers.Erf(),
    "Exp": lambda node: layers.Exp(),
    "Gelu": lambda node: layers.GELU(node.get("approximate", "none")),
    "HardSwish": lambda node: layers.HardSwish(),
    "LeakyRelu": lambda node: layers.LeakyReLU(node.get("alpha", 0.01)),
    "Log": lambda node: layers.Log(),
    "Mish": lambda node: layers.Mish(),
    "Reciprocal": lambda node: layers.Power(-1.0),
    "Relu": lambda node: layers.ReLU(),
    "Round": lambda node: layers.Round(),
    "Sigmoid": lambda node: layers.Sigmoid(),
    "Sin": lambda node: layers.Sin(),
    "Softplus": lambda node: layers.Softplus(),
    "Softsign": lambda node: layers.Softsign(),
    "Sqrt": lambda node: layers.Sqrt(),
    "Tanh": lambda node: layers.Tanh(),
}
"""The layer of each operator that is a function of one number."""


@operator(*SIMPLE)
def simple(graph: Importer, node: Operator) -> Value:
    """Apply the layer."""
    return graph.each(SIMPLE[node.kind](node), node.value())


@operator("Selu")
def selu(graph: Importer, node: Operator) -> Value:
    """``gamma * ELU(alpha)``, with the usual constants a layer of its own."""
    alpha, gamma = node.get("alpha", SELU.alpha), node.get("gamma", SELU.scale)
    if abs(alpha - SELU.alpha) < 1e-6 and abs(gamma - SELU.scale) < 1e-6:
        return graph.each(layers.SELU(), node.value())
    return scaled(graph, graph.each(layers.ELU(alpha), node.value()), gamma)


@operator("Cos", "Tan")
def cosine(graph: Importer, node: Operator) -> Value:
    """``sin(x + pi / 2)``, or the quotient of sine and cosine."""
    value = node.value()
    found = graph.each(layers.Sin(), scaled(graph, value, 1.0, math.pi / 2))
    if node.kind == "Cos":
        return found
    return multiply(graph, graph.each(layers.Sin(), value), inverse(graph, found))


@operator("HardSigmoid")
def hard_sigmoid(graph: Importer, node: Operator) -> Value:
    """``min(max(alpha x + beta, 0), 1)``."""
    alpha, beta = node.get("alpha", 0.2), node.get("beta", 0.5)
    if abs(alpha - 1 / 6) < 1e-6 and beta == 0.5:
        return graph.each(layers.HardSigmoid(), node.value())
    return graph.each(layers.HardTanh(0.0, 1.0), scaled(graph, node.value(), alpha, beta))


@operator("Swish")
def swish(graph: Importer, node: Operator) -> Value:
    """``x sigmoid(alpha x)``."""
    value, alpha = node.value(), node.get("alpha", 1.0)
    if alpha == 1:
        return graph.each(layers.SiLU(), value)
    return scaled(graph, graph.each(layers.SiLU(), scaled(graph, value, alpha)), 1 / alpha)


@operator("Clip")
def clip(graph: Importer, node: Operator) -> Value:
    """``min(max(x, low), high)``; bounds are attributes before opset 11."""
    if any(isinstance(bound, Value) for bound in node.inputs[1:]):
        value = node.inputs[0]
        for kind, bound in zip(("Max", "Min"), node.inputs[1:], strict=False):
            value = value if bound is None else extremum(graph, replace(node, kind=kind, inputs=[value, bound]))
        return value  # type: ignore[return-value]
    low, high = (node.constant(number, name) for number, name in ((1, "min"), (2, "max")))
    return clipped(graph, node.value(), low, high)


def clipped(graph: Importer, value: Value, low: np.ndarray | None, high: np.ndarray | None) -> Value:
    """Return ``value`` between two numbers, either of which may be missing."""
    bottom = -LARGEST if low is None else max(-LARGEST, float(np.asarray(low).item()))
    top = LARGEST if high is None else min(LARGEST, float(np.asarray(high).item()))
    if bottom == 0 and top >= LARGEST:
        return graph.each(layers.ReLU(), value)
    if bottom <= -LARGEST and top >= LARGEST:
        return value
    if bottom >= top:  # the upper bound wins
        return add(graph, scaled(graph, value, 0.0), np.asarray(top))
    return graph.each(layers.HardTanh(bottom, top), value)


@operator("PRelu", since=7)
def prelu(graph: Importer, node: Operator) -> Value:
    """A slope for each channel, or for each number: ``max(x, 0) - slope max(-x, 0)``."""
    value, slope = node.value(), node.needed(1)
    sample = value.sample
    kept = np.asarray(slope).reshape((1,) * (value.rank - slope.ndim) + slope.shape)
    if kept.shape[value.batch or 0] == 1 and value.batch == 0 and kept.size in (1, sample[0] if sample else 0):
        kept = kept[0]
        if kept.size == 1 or kept.shape[0] == kept.size:
            shared = kept.size == 1 and sample[0] != 1
            return Value.of(graph.apply(layers.PReLU(shared), value.plain(), weight=kept.ravel()), value)
    positive = graph.each(layers.ReLU(), value)
    negative = graph.each(layers.ReLU(), scaled(graph, value, -1.0))
    return add(graph, positive, multiply(graph, negative, -np.asarray(slope)))


def _over(graph: Importer, value: Value, axes: list[int], layer: layers.Layer) -> Value:
    """Apply a layer over axes of a sample as if they were its channels."""
    node, back = graph.grouped(value, axes)
    row = reshaped(node, node.shape[:1]) if node.shape[1] == 1 else node
    return back(graph.apply(layer, row), [value.sample[axis] for axis in axes])


def _softmax_layer(node: Operator) -> layers.Layer:
    return layers.Softmax() if node.kind == "Softmax" else layers.LogSoftmax()


@operator("Softmax", "LogSoftmax", since=13)
def softmax(graph: Importer, node: Operator) -> Value:
    """Over one axis."""
    value = node.value()
    return _over(graph, value, [value.axis(node.get("axis", -1))], _softmax_layer(node))


@operator("Softmax", "LogSoftmax")
def softmax_of_rows(graph: Importer, node: Operator) -> Value:
    """Over all axes from ``axis`` on, as before opset 13."""
    value = node.value()
    first = node.get("axis", 1) % value.rank
    axes = [value.axis(axis) for axis in range(first, value.rank)]
    if not axes:
        raise Unsupported("it has no axis to work on")
    return _over(graph, value, axes, _softmax_layer(node))
