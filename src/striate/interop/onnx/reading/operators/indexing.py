"""Numbers taken from places, or put into them, that are the same for every sample."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from striate import layers
from striate.interop.onnx.reading.importer import Importer, Operator, operator
from striate.interop.onnx.reading.operators.arithmetic import as_value
from striate.interop.onnx.reading.operators.shapes import MOST_PLACES
from striate.interop.onnx.reading.values import Unsupported, Value, of_one_sample, reshaped
from striate.layers.base import Node, Shape


def _numbers(shape: Sequence[int]) -> np.ndarray:
    """Return the numbers of places of an array, in its shape."""
    size = math.prod(shape)
    if size > MOST_PLACES:
        raise Unsupported(f"it chooses among {size:,} places of a sample")
    return np.arange(size).reshape(tuple(shape))


def _select(graph: Importer, node: Node, places: np.ndarray) -> Node:
    if places.size > MOST_PLACES:
        raise Unsupported(f"it chooses {places.size:,} places of a sample")
    return graph.apply(layers.Select(tuple(places.ravel().tolist())), node)


def _elements(value: Value, index: np.ndarray, axis: int) -> tuple[Value, np.ndarray]:
    """Return a value in the foreign order, and the places in its samples that an index of elements means."""
    value, own = value.straight(), value.axis(axis)
    if index.ndim != value.rank:
        raise Unsupported(f"its indices have {index.ndim} axes for values of {value.rank}")
    index = of_one_sample(index.astype(np.int64), value)
    numbers = _numbers(value.base)
    cut = tuple(slice(None) if i == own else slice(side) for i, side in enumerate(index.shape))
    return value, np.take_along_axis(numbers[cut], index % value.base[own], own)


@operator("GatherElements")
def gather_elements(graph: Importer, node: Operator) -> Value:
    """An element for each index, along one axis."""
    value, places = _elements(node.value(), node.needed(1), node.get("axis", 0))
    found = _select(graph, value.shaped((math.prod(value.base),)), places)
    return Value(found, places.shape, tuple(range(places.ndim)), value.batch, value.count)


@operator("ScatterElements")
def scatter_elements(graph: Importer, node: Operator) -> Value:
    """Elements put where the indices say."""
    data, updates = _both(graph, node)
    data, places = _elements(data, node.needed(1), node.get("axis", 0))
    rows = [reshaped(v.straight().node, (math.prod(v.base),)) for v in (data, updates)]
    return replace(data, node=_put(graph, rows, places.ravel()))


def _both(graph: Importer, node: Operator) -> list[Value]:
    """Return data and updates as values, either of which may be a constant."""
    if node.get("reduction", "none") != "none":
        raise Unsupported(f"the reduction {node.get('reduction')!r} is not supported")
    data, updates = node.inputs[0], node.inputs[2]
    like = data if isinstance(data, Value) else updates
    if not isinstance(like, Value):
        raise Unsupported("an input must depend on the sample")
    return [
        item if isinstance(item, Value) else as_value(graph, np.asarray(item), like) for item in (data, updates)
    ]


def _put(graph: Importer, nodes: Sequence[Node], places: np.ndarray) -> Node:
    """Return the first node with its rows at ``places`` replaced by those of the second."""
    chosen = np.arange(nodes[0].shape[0])
    chosen[places] = nodes[0].shape[0] + np.arange(nodes[1].shape[0])
    return _select(graph, graph.apply(layers.Concatenate(), *nodes), chosen)


def _rows(value: Value, index: np.ndarray) -> tuple[list[int], np.ndarray]:
    """Return the axes of a sample that rows of indices choose from, and the places they mean there."""
    depth = index.shape[-1]
    own = [value.axis(axis) for axis in range(depth)]
    sides = [value.sample[axis] for axis in own]
    return own, _numbers(sides)[tuple(np.moveaxis(index.astype(np.int64), -1, 0))]


@operator("GatherND")
def gather_rows(graph: Importer, node: Operator) -> Value:
    """A part of the values for each row of indices, over the first axes."""
    value, index = node.value(), node.needed(1)
    alike = int(node.get("batch_dims", 0))
    if alike:  # the rows have the first axes of the values: indices that count them do the same
        counted = np.indices(index.shape[:-1])[:alike]
        index = np.concatenate([np.moveaxis(counted, 0, -1), index], axis=-1)
    own, places = _rows(value, index)
    inner, back = graph.grouped(value, own)
    found = back(_select(graph, inner, places), [places.size, *(1,) * (len(own) - 1)]).straight()
    sample: Shape = (*places.shape, *found.base[len(own) :])
    batch = value.batch if value.batch is None else value.batch - len(own) + places.ndim
    return Value(found.node, sample, tuple(range(len(sample))), batch, value.count)


@operator("ScatterND")
def scatter_rows(graph: Importer, node: Operator) -> Value:
    """Parts of the values put where rows of indices say, over the first axes."""
    data, updates = _both(graph, node)
    own, places = _rows(data, node.needed(1))
    inner, back = graph.grouped(data, own)
    rows, _ = graph.grouped(updates, [updates.axis(axis) for axis in range(places.ndim)])
    return back(_put(graph, [inner, rows], places.ravel()), [data.sample[axis] for axis in own])
