"""Sums, means and extremes over axes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from striate import layers
from striate.interop.onnx.reading.importer import Importer, Operator, operator
from striate.interop.onnx.reading.operators.arithmetic import add, multiply, negated, scaled
from striate.interop.onnx.reading.values import Value

WAYS = {
    "ReduceMean": "mean",
    "ReduceSum": "sum",
    "ReduceMax": "max",
    "ReduceMin": "min",
    "ReduceL1": "l1",
    "ReduceL2": "l2",
    "ReduceSumSquare": "squares",
    "ReduceLogSum": "log",
    "ReduceLogSumExp": "log_exp",
}


def reduced(graph: Importer, value: Value, axes: Sequence[int], keep: bool, how: str) -> Value:
    """Return one number for all places along ``axes`` of the foreign model."""
    before = {
        "l1": layers.Absolute(),
        "l2": layers.Power(2.0),
        "squares": layers.Power(2.0),
        "log_exp": layers.Exp(),
    }
    after = {"l2": layers.Sqrt(), "log": layers.Log(), "log_exp": layers.Log()}
    if how in before:
        value = graph.each(before[how], value)
    own = sorted({value.axis(axis) for axis in axes})
    count = math.prod(value.sample[axis] for axis in own)
    if how == "min":
        value = scaled(graph, value, -1.0)
    found = _pooled(graph, value, own, "max" if how in ("max", "min") else "mean")
    if how not in ("mean", "max"):
        found = scaled(graph, found, -1.0 if how == "min" else count)
    if how in after:
        found = graph.each(after[how], found)
    return found if keep else dropped(found, own)


def _pooled(graph: Importer, value: Value, own: list[int], how: str) -> Value:
    kept = [axis for axis in range(len(value.sample)) if axis not in own]
    if not own:
        return value
    node, _ = graph.grouped(value, kept)
    layer = layers.GlobalMaxPool() if how == "max" else layers.GlobalAvgPool()
    sample = tuple(1 if axis in own else n for axis, n in enumerate(value.sample))
    return replace(value, node=graph.apply(layer, node), base=sample, order=tuple(range(len(sample))))


def dropped(value: Value, axes: Sequence[int]) -> Value:
    """Return the value without axes of size 1 of a sample."""
    value = value.straight()
    sample = tuple(n for axis, n in enumerate(value.base) if axis not in axes)
    batch = value.batch if value.batch is None else value.batch - sum(axis < value.batch for axis in axes)
    return replace(value, base=sample, order=tuple(range(len(sample))), batch=batch)


@operator(*WAYS)
def reduction(graph: Importer, node: Operator) -> Value:
    """Over the axes given, or over all."""
    value = node.value()
    axes = node.ints(1, "axes")
    if not axes:
        if node.get("noop_with_empty_axes", 0):
            return value
        axes = list(range(value.rank))
    if value.batch in [axis % value.rank for axis in axes]:
        value = value.whole()
    return reduced(graph, value, axes, bool(node.get("keepdims", 1)), WAYS[node.kind])


@operator("ArgMax", "ArgMin")
def index_of_extremum(graph: Importer, node: Operator) -> Value:
    """Where the extremum lies: numbers that count the places, masked by where it is, and the largest of them."""
    value, axis = node.value(), node.get("axis", 0)
    own = value.axis(axis)
    count, last = value.sample[own], bool(node.get("select_last_index", 0))
    extremum = reduced(graph, value, [axis], True, "max" if node.kind == "ArgMax" else "min")
    distance = graph.each(layers.Absolute(), add(graph, value, negated(graph, extremum)))
    mask = graph.each(layers.Step(), scaled(graph, distance, -1.0))
    numbers = np.arange(1, count + 1) if last else np.arange(count, 0, -1)
    shape = [count if place == axis % value.rank else 1 for place in range(value.rank)]
    largest = reduced(graph, multiply(graph, mask, numbers.reshape(shape)), [axis], True, "max")
    found = scaled(graph, largest, 1.0, -1.0) if last else scaled(graph, largest, -1.0, count)
    return found if node.get("keepdims", 1) else dropped(found, [own])
