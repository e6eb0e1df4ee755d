"""Sums, products and powers of values and constants; activations that were taken apart are put together."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from striate import layers
from striate.checks import LARGEST
from striate.interop.onnx.reading.importer import Importer, Operand, Operator, operator
from striate.interop.onnx.reading.recognise import recognise_product, recognise_scale
from striate.interop.onnx.reading.values import (
    MOST_AXES,
    Unsupported,
    Value,
    as_base,
    of_one_sample,
    reshaped,
)
from striate.layers.base import Node, Shape


def scaled(graph: Importer, value: Value, factor: float, shift: float = 0.0) -> Value:
    """Return ``factor * value + shift``; what was scaled before is scaled once."""
    node, factor, shift = value.node, float(factor), float(shift)
    while isinstance(node.layer, layers.Scale):
        factor, shift = factor * node.layer.factor, shift + factor * node.layer.shift
        node = node.inputs[0]
    found = recognise_scale(node, factor, shift)
    if found is not None:
        return value.with_node(graph.apply(found[0], found[1]))
    if abs(factor - 1) < 1e-7 and shift == 0:
        return value.with_node(node)
    return value.with_node(graph.apply(layers.Scale(factor, shift), node))


def _for_samples(value: Value, constant: np.ndarray) -> tuple[Value, np.ndarray]:
    """Return a constant in the axes of samples, and the value repeated where the constant is larger."""
    rank = max(value.rank, constant.ndim)
    if rank > value.rank:
        value = with_rank(value, rank)
    constant = constant.reshape((1,) * (rank - constant.ndim) + constant.shape)
    constant = of_one_sample(constant, value)
    try:
        wanted = np.broadcast_shapes(value.sample, constant.shape)
    except ValueError:
        raise Unsupported(f"{list(value.shape)} and {list(constant.shape)} cannot be broadcast") from None
    return value if wanted == value.sample else expanded(value, wanted), constant


def with_rank(value: Value, rank: int) -> Value:
    """Return the value with axes of size 1 before the others."""
    value = value.straight()
    extra = rank - value.rank
    batch = None if value.batch is None else value.batch + extra
    sample = (*(1,) * extra, *value.base)
    return Value(value.node, sample, tuple(range(len(sample))), batch, value.count)


def expanded(value: Value, wanted: Shape) -> Value:
    """Return the value with axes of size 1 of its samples repeated."""
    value = value.straight()
    if len(wanted) > MOST_AXES:
        raise Unsupported(f"a sample of {len(wanted)} axes has more than {MOST_AXES}")
    node = layers.Expand(wanted)(value.shaped(value.base))
    return Value(node, wanted, tuple(range(len(wanted))), value.batch, value.count)


def _affine(graph: Importer, value: Value, constant: np.ndarray, product: bool) -> Value:
    """Return the sum or product with numbers of channels, or of every place of a sample."""
    value, constant = _for_samples(value, constant)
    own = as_base(constant, value)
    if own.size == 1:
        number = float(own.item())
        return scaled(graph, value, number) if product else scaled(graph, value, 1.0, number)
    count = own.shape[0] if own.size == own.shape[0] else math.prod(value.base)
    numbers = own.ravel() if own.size == own.shape[0] else np.broadcast_to(own, value.base).ravel()
    total = math.prod(value.base)
    node = reshaped(value.node, (count,) if count == total else (count, total // count))
    if product:
        return value.with_node(graph.apply(layers.ChannelScale(bias=False), node, weight=numbers))
    weighted = value.node
    if getattr(weighted.layer, "bias", True) is False and weighted.layer.name and weighted.shape[0] == count:
        own_weight = graph.arrays[weighted.layer.name]["weight"]
        layer = replace(weighted.layer, bias=True, name=None)  # type: ignore[call-arg]
        return value.with_node(graph.apply(layer, *weighted.inputs, weight=own_weight, bias=numbers))
    ones = np.ones(len(numbers))
    return value.with_node(graph.apply(layers.ChannelScale(), node, weight=ones, bias=numbers))


def aligned(values: Sequence[Value]) -> tuple[list[Node], Callable[[Node], Value]]:
    """Return nodes of the same number of axes, and a function that makes a value of what becomes of them."""
    first = values[0]
    if all(v.base == first.base and v.order == first.order and v.batch == first.batch for v in values):
        return [reshaped(v.node, first.node.shape) for v in values], first.with_node
    rank = max(v.rank for v in values)
    values = [with_rank(v, rank) for v in values]
    batch = next((v.batch for v in values if v.batch is not None), None)
    samples = [_sample_at(v, batch) for v in values]
    try:
        wanted = np.broadcast_shapes(*samples)
    except ValueError:
        raise Unsupported(f"{', '.join(str(list(s)) for s in samples)} cannot be broadcast") from None
    short = _together(samples)
    nodes = [reshaped(v.node, s) for v, s in zip(values, short, strict=True)]
    count = first.count
    return nodes, lambda node: Value(node, wanted, tuple(range(len(wanted))), batch, count)


def _sample_at(value: Value, batch: int | None) -> Shape:
    """Return the shape of a sample where samples lie along the axis ``batch``."""
    if value.batch == batch:
        return value.base
    if value.batch is None and batch is not None and value.base[batch] == 1:
        return (*value.base[:batch], *value.base[batch + 1 :])
    raise Unsupported("its operands have their samples along different axes")


def _together(shapes: list[Shape]) -> list[Shape]:
    """Return the shapes with neighbouring axes as one where all of them are full or all of size 1."""
    wanted = np.broadcast_shapes(*shapes)
    groups: list[list[int]] = []
    for axis, size in enumerate(wanted):
        if size == 1 and len(wanted) > 1:
            continue
        alike = groups and all((s[axis] == 1) == (s[groups[-1][-1]] == 1) for s in shapes)
        if alike and len(wanted) > MOST_AXES:
            groups[-1].append(axis)
        else:
            groups.append([axis])
    groups = groups or [[0]] if wanted else groups
    if len(groups) > MOST_AXES:
        raise Unsupported(f"a sample of {len(groups)} axes has more than {MOST_AXES}")
    if not groups:
        return [(1,)] * len(shapes)
    return [tuple(math.prod(s[axis] for axis in group) for group in groups) for s in shapes]


def as_value(graph: Importer, constant: np.ndarray, like: Value) -> Value:
    """Return a constant as a value that no sample changes."""
    sample = np.asarray(constant, np.float32)
    if like.batch is not None:
        sample = of_one_sample(sample.reshape((1,) * (like.rank - sample.ndim) + sample.shape), like)
    shape = sample.shape if 0 < sample.ndim <= MOST_AXES else (sample.size,)
    node = graph.apply(layers.Constant(shape), like.node, value=sample.reshape(shape))
    return Value(node, sample.shape, tuple(range(sample.ndim)), like.batch, like.count)


def add(graph: Importer, a: Operand, b: Operand) -> Value:
    """Return ``a + b``."""
    if isinstance(a, Value) and isinstance(b, Value):
        nodes, back = aligned([a, b])
        return back(graph.apply(layers.Add(), *nodes))
    value, constant = (a, b) if isinstance(a, Value) else (b, a)
    assert isinstance(value, Value)
    return _affine(graph, value, np.asarray(constant), product=False)


def multiply(graph: Importer, a: Operand, b: Operand) -> Value:
    """Return ``a * b``; numbers that scale a factor scale the product."""
    if not (isinstance(a, Value) and isinstance(b, Value)):
        value, constant = (a, b) if isinstance(a, Value) else (b, a)
        assert isinstance(value, Value)
        return _affine(graph, value, np.asarray(constant), product=True)
    nodes, back = aligned([a, b])
    factor, bare = 1.0, []
    for node in nodes:
        inner = node
        while isinstance(inner.layer, layers.Scale) and inner.layer.shift == 0:
            factor, inner = factor * inner.layer.factor, inner.inputs[0]
        bare.append(inner)
    found = recognise_product(*bare)
    if found is not None:
        return scaled(graph, back(graph.apply(found[0], found[1])), factor * found[2])
    if factor != 1:
        return scaled(graph, back(graph.apply(layers.Multiply(), *bare)), factor)
    return back(graph.apply(layers.Multiply(), *nodes))


def negated(graph: Importer, a: Operand) -> Operand:
    """Return ``-a``."""
    return scaled(graph, a, -1.0) if isinstance(a, Value) else -np.asarray(a)


def inverse(graph: Importer, a: Operand) -> Operand:
    """Return ``1 / a``."""
    if not isinstance(a, Value):
        return 1.0 / np.asarray(a, np.float64)
    if isinstance(a.node.layer, layers.Sqrt):
        return a.with_node(graph.apply(layers.Power(-0.5), a.node.inputs[0]))
    return graph.each(layers.Power(-1.0), a)


@operator("Sum")
@operator("Add", since=7)
def sums(graph: Importer, node: Operator) -> Operand:
    """``x1 + x2 + ...``."""
    return functools.reduce(lambda a, b: add(graph, a, b), _constants_first(node))


def _constants_first(node: Operator) -> list[Operand]:
    """Return the operands with constants folded into the last of them."""
    found = [item for item in node.inputs if item is not None]
    return sorted(found, key=lambda item: not isinstance(item, Value))


@operator("Sub", since=7)
def difference(graph: Importer, node: Operator) -> Value:
    """``x1 - x2``."""
    return add(graph, node.inputs[0], negated(graph, node.inputs[1]))


@operator("Mul", since=7)
def product(graph: Importer, node: Operator) -> Value:
    """``x1 * x2``."""
    return multiply(graph, *node.inputs)


@operator("Mean")
def mean(graph: Importer, node: Operator) -> Value:
    """The mean of all inputs."""
    total = sums(graph, node)
    return multiply(graph, total, np.asarray(1.0 / len(node.inputs)))


@operator("Neg")
def negative(graph: Importer, node: Operator) -> Value:
    """``-x``."""
    return scaled(graph, node.value(), -1.0)


@operator("Pow", since=7)
def power(graph: Importer, node: Operator) -> Value:
    """``x^p`` for a number p; ``exp(p log x)``, for positive x, where p is an input too."""
    base, exponent = node.inputs
    if isinstance(base, Value) and isinstance(exponent, np.ndarray) and exponent.size == 1:
        number = float(exponent.item())
        return graph.each(layers.Sqrt() if number == 0.5 else layers.Power(number), base)
    logarithm = graph.each(layers.Log(), base) if isinstance(base, Value) else np.log(np.asarray(base))
    return graph.each(layers.Exp(), multiply(graph, logarithm, exponent))


@operator("Max", "Min")
def extremum(graph: Importer, node: Operator) -> Value:
    """The larger or smaller of all inputs; a number clips."""
    larger = node.kind == "Max"
    total, *others = _constants_first(node)
    assert isinstance(total, Value)
    for other in others:
        if isinstance(other, np.ndarray) and other.size == 1:
            bound = max(-LARGEST, min(LARGEST, float(other.item())))
            bounds = (bound, LARGEST) if larger else (-LARGEST, bound)
            layer = layers.ReLU() if larger and bound == 0 else layers.HardTanh(*bounds)
            total = graph.each(layer, total)
            continue
        second = other if isinstance(other, Value) else as_value(graph, np.asarray(other), total)
        nodes, back = aligned([total, second])
        total = back(graph.apply(layers.Maximum() if larger else layers.Minimum(), *nodes))
    return total
