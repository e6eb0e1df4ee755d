"""Activations and normalisations that other programs write as their parts."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from striate import layers
from striate.interop.onnx.reading.values import Value
from striate.layers.base import Layer, Node

if TYPE_CHECKING:
    from striate.interop.onnx.reading.importer import Importer, Operator

Found = tuple[Layer, Node, float]
"""A layer, what it is applied to, and what the result is multiplied by."""


def _is_scale(node: Node, factor: float, shift: float) -> bool:
    layer = node.layer
    return (
        isinstance(layer, layers.Scale)
        and math.isclose(layer.factor, factor, rel_tol=1e-5)
        and (math.isclose(layer.shift, shift, rel_tol=1e-5, abs_tol=1e-9))
    )


def recognise_product(a: Node, b: Node) -> Found | None:
    """Return the activation that ``a * b`` is: SiLU, Mish, HardSwish or GELU."""
    for x, gate in ((a, b), (b, a)):
        layer = gate.layer
        source = gate.inputs[0] if gate.inputs else gate
        if isinstance(layer, layers.Sigmoid) and source is x:
            return layers.SiLU(), x, 1.0
        if isinstance(layer, layers.HardSigmoid) and source is x:
            return layers.HardSwish(), x, 1.0
        if isinstance(layer, layers.Tanh) and isinstance(source.layer, layers.Softplus) and source.inputs[0] is x:
            return layers.Mish(), x, 1.0
        if _cut_at_6(gate, x):
            return layers.HardSwish(), x, 6.0
        found = _gelu(x, gate)
        if found is not None:
            return found
    return None


def _cut_at_6(gate: Node, x: Node) -> bool:
    """Return whether ``gate`` is ``min(max(x + 3, 0), 6)``."""
    layer = gate.layer
    if not isinstance(layer, layers.HardTanh) or (layer.low, layer.high) != (0.0, 6.0):
        return False
    return _is_scale(gate.inputs[0], 1.0, 3.0) and gate.inputs[0].inputs[0] is x


def _gelu(x: Node, gate: Node) -> Found | None:
    """Return GELU for ``x * f * (1 + erf(x / sqrt 2))`` or the form with tanh."""
    layer = gate.layer
    if not isinstance(layer, layers.Scale) or not math.isclose(layer.factor, layer.shift, rel_tol=1e-5):
        return None
    bent = gate.inputs[0]
    if not bent.inputs:
        return None
    inner = bent.inputs[0]
    if isinstance(bent.layer, layers.Erf) and _is_scale(inner, math.sqrt(0.5), 0.0) and inner.inputs[0] is x:
        return layers.GELU(), x, 2 * layer.factor
    cubic = _is_scale(inner, math.sqrt(2 / math.pi), 0.0) and _is_cubic(inner.inputs[0], x)
    if isinstance(bent.layer, layers.Tanh) and cubic:
        return layers.GELU("tanh"), x, 2 * layer.factor
    return None


def _is_cubic(node: Node, x: Node) -> bool:
    """Return whether ``node`` is ``x + 0.044715 x^3``."""
    if not isinstance(node.layer, layers.Add) or len(node.inputs) != 2 or x not in node.inputs:
        return False
    other = next((item for item in node.inputs if item is not x), x)
    if not _is_scale(other, 0.044715, 0.0):
        return False
    cube = other.inputs[0]
    return isinstance(cube.layer, layers.Power) and cube.layer.exponent == 3 and cube.inputs[0] is x


def recognise_scale(node: Node, factor: float, shift: float) -> tuple[Layer, Node] | None:
    """Return the activation that ``factor * node + shift`` is: HardSigmoid as ``min(max(x + 3, 0), 6) / 6``."""
    layer = node.layer
    if shift == 0 and math.isclose(factor, 1 / 6, rel_tol=1e-5) and isinstance(layer, layers.HardTanh):
        inner = node.inputs[0]
        if (layer.low, layer.high) == (0.0, 6.0) and _is_scale(inner, 1.0, 3.0):
            return layers.HardSigmoid(), inner.inputs[0]
    return None


def as_layer_norm(graph: Importer, node: Operator) -> Value | None:
    """Return the normalisation that ``d / sqrt(mean(d^2) + epsilon)`` with ``d = x - mean(x)`` is."""
    first, second = node.inputs
    if not (isinstance(first, Value) and isinstance(second, Value)):
        return None
    root = _maker(graph, second, "Sqrt")
    total = _maker(graph, root and root.inputs[0], "Add")
    if total is None:
        return None
    epsilon = next((item for item in total.inputs if isinstance(item, np.ndarray)), None)
    variance = _maker(graph, next((item for item in total.inputs if isinstance(item, Value)), None), "ReduceMean")
    square = None if variance is None else _maker(graph, variance.inputs[0], "Pow", "Mul")
    centred = _maker(graph, first, "Sub")
    if square is None or centred is None or variance is None or epsilon is None or epsilon.size != 1:
        return None
    squares = square.inputs[0] is first and (
        square.inputs[1] is first
        if square.kind == "Mul"
        else isinstance(square.inputs[1], np.ndarray) and bool((square.inputs[1] == 2).all())
    )
    centre = _maker(graph, centred.inputs[1], "ReduceMean")
    x = centred.inputs[0]
    if not squares or centre is None or centre.inputs[0] is not x or not isinstance(x, Value):
        return None
    axes = centre.ints(1, "axes")
    if axes is None or axes != variance.ints(1, "axes"):
        return None
    own = [x.axis(axis) for axis in axes]
    inner, back = graph.grouped(x, own)
    layer = layers.LayerNorm("channels", epsilon=float(epsilon.item()), affine=False)
    return back(graph.apply(layer, inner), [x.sample[axis] for axis in own])


def _maker(graph: Importer, value: object, *kinds: str) -> Operator | None:
    """Return the operator of one of ``kinds`` that made ``value``."""
    found = graph.makers.get(id(value))
    return found if found is not None and found.kind in kinds else None
