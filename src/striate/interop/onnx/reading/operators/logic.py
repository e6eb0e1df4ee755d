"""Comparisons and choices: conditions are numbers, 1 where they hold and 0 elsewhere."""

from __future__ import annotations

import numpy as np

from striate import layers
from striate.interop.onnx.reading.importer import Importer, Operand, Operator, operator
from striate.interop.onnx.reading.operators.arithmetic import (
    add,
    aligned,
    as_value,
    multiply,
    negated,
    scaled,
)
from striate.interop.onnx.reading.values import Unsupported, Value


def _difference(graph: Importer, node: Operator, reverse: bool = False) -> Value:
    a, b = node.inputs[::-1] if reverse else node.inputs
    return add(graph, _number(a), negated(graph, _number(b)))


def _number(item: Operand) -> Operand:
    return item if isinstance(item, Value) else np.asarray(item, np.float64)


def _opposite(graph: Importer, value: Value) -> Value:
    return scaled(graph, value, -1.0, 1.0)


@operator("GreaterOrEqual", "Less", since=7)
def at_least(graph: Importer, node: Operator) -> Value:
    """``x1 >= x2``, or its opposite."""
    found = graph.each(layers.Step(), _difference(graph, node))
    return found if node.kind == "GreaterOrEqual" else _opposite(graph, found)


@operator("LessOrEqual", "Greater", since=7)
def at_most(graph: Importer, node: Operator) -> Value:
    """``x1 <= x2``, or its opposite."""
    found = graph.each(layers.Step(), _difference(graph, node, reverse=True))
    return found if node.kind == "LessOrEqual" else _opposite(graph, found)


@operator("Equal", since=7)
def equal(graph: Importer, node: Operator) -> Value:
    """``x1 == x2``: the negative distance is at least 0."""
    distance = graph.each(layers.Absolute(), _difference(graph, node))
    return graph.each(layers.Step(), scaled(graph, distance, -1.0))


@operator("Not")
def negation(graph: Importer, node: Operator) -> Value:
    """``1 - x``."""
    return _opposite(graph, node.value())


@operator("And", "Or", "Xor", since=7)
def joined(graph: Importer, node: Operator) -> Value:
    """The product, what is missing from the product of opposites, or the distance."""
    a, b = (_number(item) for item in node.inputs)
    if node.kind == "And":
        return multiply(graph, a, b)
    if node.kind == "Xor":
        return graph.each(layers.Absolute(), add(graph, a, negated(graph, b)))
    opposites = [_opposite(graph, x) if isinstance(x, Value) else 1.0 - np.asarray(x) for x in (a, b)]
    return _opposite(graph, multiply(graph, *opposites))


@operator("Where")
def where(graph: Importer, node: Operator) -> Value:
    """The second operand where the first is true, the third elsewhere."""
    like = next(item for item in node.inputs if isinstance(item, Value))
    values = []
    for item in node.inputs:
        if not isinstance(item, Value | np.ndarray):
            raise Unsupported("an operand is missing")
        values.append(item if isinstance(item, Value) else as_value(graph, item, like))
    nodes, back = aligned(values)
    return back(graph.apply(layers.Where(), *nodes))


@operator("Sign")
def sign(graph: Importer, node: Operator) -> Value:
    """1, 0 or -1: ``[x >= 0] - [-x >= 0]``."""
    value = node.value()
    below = graph.each(layers.Step(), scaled(graph, value, -1.0))
    return add(graph, graph.each(layers.Step(), value), negated(graph, below))


@operator("ThresholdedRelu")
def thresholded(graph: Importer, node: Operator) -> Value:
    """``x if x > alpha else 0``."""
    value = node.value()
    below = graph.each(layers.Step(), scaled(graph, value, -1.0, float(node.get("alpha", 1.0))))
    return multiply(graph, value, _opposite(graph, below))
