"""Branches: the one that a constant condition takes, or a choice between both."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from striate.interop.onnx.reading.importer import Importer, Operand, Operator, operator
from striate.interop.onnx.reading.operators.logic import where
from striate.interop.onnx.reading.values import Unsupported, Value


@operator("If")
def branches(graph: Importer, node: Operator) -> list[Operand]:
    """The outputs of one branch; of both, where the sample decides."""
    condition = node.inputs[0]
    ways = [node.attributes["then_branch"], node.attributes["else_branch"]]
    if isinstance(condition, np.ndarray):
        return _outputs(graph, node, ways[0] if condition.item() else ways[1])
    value = node.value()
    if math.prod(value.shape) != 1:
        raise Unsupported("its condition differs from sample to sample")
    found = zip(*(_outputs(graph, node, way) for way in ways), strict=True)
    return [_chosen(graph, node, value, yes, no) for yes, no in found]


def _outputs(graph: Importer, node: Operator, way: bytes) -> list[Operand]:
    found = graph.branch(way)
    if len(found) != len(node.outputs):
        raise Unsupported(f"its branches must have {len(node.outputs)} outputs; got {len(found)}")
    return found


def _chosen(graph: Importer, node: Operator, condition: Value, yes: Operand, no: Operand) -> Value | np.ndarray:
    if isinstance(yes, np.ndarray) and isinstance(no, np.ndarray) and np.array_equal(yes, no):
        return yes
    shapes = [item.shape for item in (yes, no) if item is not None]
    if shapes[0] != shapes[1]:
        raise Unsupported(f"its branches give {list(shapes[0])} and {list(shapes[1])}")
    found: Value = where(graph, replace(node, inputs=[condition, yes, no]))
    return found
