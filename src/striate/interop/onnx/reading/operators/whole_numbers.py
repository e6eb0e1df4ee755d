"""Divisions, and the whole numbers that they are rounded to."""

from __future__ import annotations

import numpy as np

from striate import layers
from striate.interop.onnx.reading.importer import Importer, Operand, Operator, operator
from striate.interop.onnx.reading.operators.arithmetic import add, inverse, multiply, negated, scaled
from striate.interop.onnx.reading.recognise import as_layer_norm
from striate.interop.onnx.reading.values import Unsupported, Value


@operator("Floor", "Ceil")
def whole(graph: Importer, node: Operator) -> Value:
    """The nearest whole number, or the one before or after it where that lies on the wrong side of x."""
    value = node.value()
    nearest = graph.each(layers.Round(), value)
    a, b, shift = (value, nearest, -1.0) if node.kind == "Floor" else (nearest, value, 1.0)
    right = graph.each(layers.Step(), add(graph, a, negated(graph, b)))
    return add(graph, nearest, scaled(graph, right, -shift, shift))


def floored(graph: Importer, value: Value) -> Value:
    """Return the whole numbers below or at the values."""
    found: Value = whole(graph, Operator("", "Floor", [value], {}, 0, []))
    return found


def truncated(graph: Importer, value: Value, margin: Operand = None) -> Value:
    """Return the whole numbers next to the values on the side of 0; a ``margin`` makes them larger first."""
    sides = []
    for sign in (1.0, -1.0):
        size = graph.each(layers.ReLU(), scaled(graph, value, sign))
        sides.append(floored(graph, size if margin is None else add(graph, size, margin)))
    return add(graph, sides[0], negated(graph, sides[1]))


def _half_step(graph: Importer, inverted: Operand) -> Operand:
    """Return half of the distance between quotients of whole numbers, which rounding errors do not reach."""
    if not isinstance(inverted, Value):
        return np.asarray(0.5 * np.abs(np.asarray(inverted)))
    return scaled(graph, graph.each(layers.Absolute(), inverted), 0.5)


@operator("Div", since=7)
def quotient(graph: Importer, node: Operator) -> Value:
    """``x1 / x2``, without a fraction for whole numbers; or the layer normalisation that ends in it."""
    normalised = as_layer_norm(graph, node)
    if normalised is not None:
        return normalised
    inverted = _inverse(graph, node)
    share = multiply(graph, node.inputs[0], inverted)
    return truncated(graph, share, _half_step(graph, inverted)) if node.whole else share


def _inverse(graph: Importer, node: Operator) -> Operand:
    if isinstance(node.inputs[1], np.ndarray) and not np.all(node.inputs[1]):
        raise Unsupported("it divides by 0")
    found: Operand = inverse(graph, node.inputs[1])
    return found


@operator("Mod", since=10)
def remainder(graph: Importer, node: Operator) -> Value:
    """What a division leaves: of the sign of the divisor, or of the number with ``fmod``."""
    value, divisor = node.inputs[:2]
    inverted = _inverse(graph, node)
    share, margin = multiply(graph, value, inverted), _half_step(graph, inverted) if node.whole else None
    if node.get("fmod", 0):
        times = truncated(graph, share, margin)
    else:
        times = floored(graph, share if margin is None else add(graph, share, margin))
    return add(graph, value, negated(graph, multiply(graph, times, divisor)))
