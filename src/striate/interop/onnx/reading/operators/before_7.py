"""Operators as they were before opset 7, where broadcasting was an attribute."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from striate.interop.onnx.reading.importer import Importer, Operand, Operator, operator, translation
from striate.interop.onnx.reading.values import Unsupported, Value

FIRST = 7
"""The opset from which operands are broadcast from the right."""


def _from_7(node: Operator) -> Callable[[Importer, Operator], Operand]:
    found = translation(node.kind, FIRST)
    assert found is not None
    return found


@operator("Add", "Sub", "Mul", "Div", "Pow")
def arithmetic(graph: Importer, node: Operator) -> Operand:
    """The axes of the second operand begin at ``axis`` of the first."""
    newer = _from_7(node)
    first, second = node.inputs
    if not node.get("broadcast", 0) or "axis" not in node.attributes or first is None or second is None:
        return newer(graph, node)
    rank = first.rank if isinstance(first, Value) else first.ndim
    sides = tuple(second.shape)
    wanted = (*sides, *(1,) * (rank - node.attributes["axis"] % rank - len(sides)))
    if isinstance(second, Value) and second.batch is not None:
        raise Unsupported(f"it broadcasts the samples of the second operand, {list(sides)}")
    return newer(graph, replace(node, inputs=[first, second.reshape(wanted)]))


@operator("PRelu")
def prelu(graph: Importer, node: Operator) -> Operand:
    """With a slope for each channel."""
    value, slope = node.value(), np.asarray(node.needed(1))
    if slope.ndim == 1 and slope.size > 1:
        slope = slope.reshape(-1, *(1,) * (value.rank - 2))
    newer = _from_7(node)
    return newer(graph, replace(node, inputs=[value, slope]))
