"""Products of matrices: dense layers, and attention."""

from __future__ import annotations

import math

import numpy as np

from striate import layers
from striate.interop.onnx.reading.importer import Importer, Operator, operator
from striate.interop.onnx.reading.operators.arithmetic import add, expanded, multiply, with_rank
from striate.interop.onnx.reading.values import Unsupported, Value, reshaped


def dense(graph: Importer, value: Value, weight: np.ndarray, bias: np.ndarray | None = None) -> Value:
    """Return ``value @ weight.T + bias`` over the last axis: a linear layer, or a convolution of positions."""
    arrays = {"weight": weight} | ({} if bias is None else {"bias": bias})
    if value.rank < 1 or value.batch == value.rank - 1:
        raise Unsupported("it multiplies along the axis of samples")
    last = value.axis(value.rank - 1)
    if value.sample[last] != weight.shape[1]:
        raise Unsupported(f"{list(value.shape)} and a weight of {list(weight.shape[::-1])} cannot be multiplied")
    node, back = graph.grouped(value, [last])
    outputs = len(weight)
    if math.prod(value.sample) == weight.shape[1]:
        row = reshaped(node, (weight.shape[1],))
        return back(graph.apply(layers.Linear(outputs, bias is not None), row, **arrays), [outputs])
    arrays["weight"] = weight[:, :, None]
    return back(graph.apply(layers.Conv1d(outputs, 1, bias=bias is not None), node, **arrays), [outputs])


@operator("Gemm")
def gemm(graph: Importer, node: Operator) -> Value:
    """``alpha A B + beta C`` with a constant B."""
    a, b = node.inputs[:2]
    alpha, beta, c = node.get("alpha", 1.0), node.get("beta", 1.0), node.inputs[2] if len(node.inputs) > 2 else None
    if not isinstance(a, Value) or not isinstance(b, np.ndarray):
        return _general(graph, node)
    value = a.transposed((1, 0)) if node.get("transA", 0) else a
    weight = alpha * (b if node.get("transB", 0) else b.T)
    if isinstance(c, np.ndarray) and c.size in (1, len(weight)) and value.batch == 0:
        return dense(graph, value, weight, np.broadcast_to(beta * c.ravel(), (len(weight),)))
    found = dense(graph, value, weight)
    return found if c is None else add(graph, found, _times(graph, c, beta))


def _general(graph: Importer, node: Operator) -> Value:
    """Return ``alpha A B + beta C`` where both matrices depend on the sample, or the second alone."""
    matrices = []
    for number, name in ((0, "transA"), (1, "transB")):
        found = node.inputs[number]
        if node.get(name, 0) and isinstance(found, Value):
            found = found.transposed((1, 0))
        elif node.get(name, 0):
            found = np.asarray(found).T
        matrices.append(found)
    total = _times(graph, product(graph, *matrices), node.get("alpha", 1.0))
    c = node.inputs[2] if len(node.inputs) > 2 else None
    return total if c is None else add(graph, total, _times(graph, c, node.get("beta", 1.0)))


def _times(graph: Importer, value: Value | np.ndarray, factor: float) -> Value:
    return value if factor == 1 else multiply(graph, value, np.asarray(factor))  # type: ignore[return-value]


@operator("MatMul")
def matmul(graph: Importer, node: Operator) -> Value:
    """The product of the last two axes."""
    return product(graph, *node.inputs[:2])


def product(graph: Importer, a: Value | np.ndarray | None, b: Value | np.ndarray | None) -> Value:
    """Return ``a @ b``."""
    if isinstance(a, Value) and isinstance(b, np.ndarray):
        if b.ndim == 1:
            found = dense(graph, a, b[None])
            return found.reshape(found.shape[:-1])
        if b.ndim > 2 and math.prod(b.shape[:-2]) == 1:
            b = b.reshape(b.shape[-2:])
        if b.ndim == 2:
            return dense(graph, a, b.T)
        raise Unsupported("the second matrix is a stack of constants")
    if isinstance(a, np.ndarray) and isinstance(b, Value):
        if a.ndim == 2 and b.rank >= 2:
            order = (*range(b.rank - 2), b.rank - 1, b.rank - 2)
            return dense(graph, b.transposed(order), a).transposed(order)
        raise Unsupported("the first matrix is a stack of constants")
    if not (isinstance(a, Value) and isinstance(b, Value)):
        raise Unsupported("an operand is missing")
    return _of_samples(graph, a, b)


def _of_samples(graph: Importer, a: Value, b: Value) -> Value:
    """Return the product of two matrices of every sample."""
    if min(a.rank, b.rank) == 1 and a.batch is b.batch is None:  # a row or a column
        row, column = a.rank == 1, b.rank == 1
        found = _of_samples(graph, with_rank(a, 2) if row else a, b.reshape((*b.shape, 1)) if column else b)
        dropped = {found.rank - 2} if row else set()
        dropped |= {found.rank - 1} if column else set()
        return found.reshape([n for axis, n in enumerate(found.shape) if axis not in dropped])
    rank = max(a.rank, b.rank)
    a, b = with_rank(a, rank), with_rank(b, rank)
    if a.batch != b.batch or a.batch in (rank - 1, rank - 2):
        raise Unsupported("its matrices have their samples along different axes")
    try:
        before = np.broadcast_shapes(a.base[:-2], b.base[:-2])
    except ValueError:
        raise Unsupported(f"{list(a.shape)} and {list(b.shape)} cannot be multiplied") from None
    nodes = []
    for value in (a, b):
        wanted = (*before, *value.base[-2:])
        full = value if wanted == value.base else expanded(value, wanted)
        nodes.append(reshaped(full.node, (math.prod(before), *wanted[-2:]) if before else wanted))
    node = graph.apply(layers.MatMul(), *nodes)
    sample = (*before, a.base[-2], b.base[-1])
    return Value(node, sample, tuple(range(len(sample))), a.batch, a.count)
