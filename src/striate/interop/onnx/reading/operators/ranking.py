"""Operators that count along an axis, or mark places on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from striate import layers
from striate.interop.onnx.reading.importer import Importer, Operator, operator, translation
from striate.interop.onnx.reading.operators.arithmetic import add, scaled
from striate.interop.onnx.reading.operators.dense import dense
from striate.interop.onnx.reading.operators.logic import equal, where
from striate.interop.onnx.reading.values import Unsupported, Value

MOST_COUNTED = 4096


def _ends(value: Value, axis: int) -> list[int]:
    """Return the order of axes that swaps one with the last."""
    order = list(range(value.rank))
    order[axis], order[-1] = order[-1], order[axis]
    return order


@operator("CumSum", since=11)
def running_sum(graph: Importer, node: Operator) -> Value:
    """The sums up to every place: a product with a triangle of ones."""
    value, axis = node.value(), int(node.needed(1).item())
    count = value.sample[value.axis(axis)]
    if count > MOST_COUNTED:
        raise Unsupported(f"it sums along an axis of {count:,}, more than {MOST_COUNTED:,}")
    ones = np.tril(np.ones((count, count), np.float32), -1 if node.get("exclusive", 0) else 0)
    order = _ends(value, axis % value.rank)
    found = dense(graph, value.transposed(order), ones.T if node.get("reverse", 0) else ones)
    return found.transposed(order)


@operator("Trilu", since=14)
def triangle(graph: Importer, node: Operator) -> Value:
    """The numbers on one side of a diagonal of matrices, 0 on the other."""
    value, offset = node.value(), node.constant(1)
    if value.rank < 2 or value.batch in (value.rank - 1, value.rank - 2):
        raise Unsupported("it needs matrices in every sample")
    k = 0 if offset is None else int(offset.item())
    ones = np.ones(value.shape[-2:], np.float32)
    mask = np.triu(ones, k) if node.get("upper", 1) else np.tril(ones, k)
    kept: Value = where(graph, replace(node, kind="Where", inputs=[mask, value, np.zeros((), np.float32)]))
    return kept


@operator("OneHot", since=9)
def one_hot(graph: Importer, node: Operator) -> Value:
    """A row for each index: one number at the place it names, another elsewhere."""
    index, depth, (off, on) = node.value(), int(node.needed(1).item()), node.needed(2).astype(np.float64)
    axis = int(node.get("axis", -1)) % (index.rank + 1)
    if not 0 < depth <= MOST_COUNTED:
        raise Unsupported(f"it marks one of {depth:,} places; at most {MOST_COUNTED:,} are supported")
    # negative indices count from the end
    below = scaled(graph, graph.each(layers.Step(), index), -float(depth), float(depth))
    index = add(graph, index, below)
    unsqueeze = translation("Unsqueeze", 13)
    assert unsqueeze is not None
    column = unsqueeze(graph, Operator("", "Unsqueeze", [index, np.array([axis])], {}, 13, []))
    return scaled(graph, _marked(graph, column, axis, depth), on - off, off)


def _marked(graph: Importer, column: Value, axis: int, depth: int) -> Value:
    """Return 1 where the place along an axis is what the column of indices says, 0 elsewhere."""
    shape: Sequence[int] = [depth if place == axis else 1 for place in range(column.rank)]
    places = np.arange(depth, dtype=np.float32).reshape(shape)
    found: Value = equal(graph, Operator("", "Equal", [column, places], {}, 13, []))
    return found
