"""Operators that move, select or repeat numbers."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from striate import layers
from striate.checks import LARGEST
from striate.interop.onnx.reading.fold import parts_of, target_shape
from striate.interop.onnx.reading.importer import CONDITIONS, WHOLE_TYPES, Importer, Operator, operator
from striate.interop.onnx.reading.operators.arithmetic import as_value, expanded, scaled, with_rank
from striate.interop.onnx.reading.operators.reductions import dropped
from striate.interop.onnx.reading.operators.whole_numbers import truncated
from striate.interop.onnx.reading.values import MOST_AXES, Unsupported, Value, reshaped

MOST_PLACES = 2**20  # along one axis of what a Tile makes


@operator("Identity")
def unchanged(graph: Importer, node: Operator) -> Value:
    """The input."""
    return node.value()


@operator("Dropout")
def dropout(graph: Importer, node: Operator) -> list[Value]:
    """The input: it disturbs training only, so the mask keeps everything."""
    value, ratio, training = node.value(), node.constant(1), node.constant(2)
    if training is not None and np.any(training) and (ratio is None or np.any(ratio)):
        raise Unsupported("it is in training mode; export the model for inference")
    if len(node.outputs) == 1:
        return [value]
    return [value, scaled(graph, value, 0.0, 1.0)]


@operator("Cast")
def cast(graph: Importer, node: Operator) -> Value:
    """Between kinds of floats nothing changes; symbols that come in and conditions are whole already."""
    value, kind = node.value(), node.get("to")
    maker = graph.makers.get(id(value))
    if kind == 9 and not (maker is not None and maker.kind in CONDITIONS):
        zero = graph.each(layers.Step(), scaled(graph, graph.each(layers.Absolute(), value), -1.0))
        return scaled(graph, zero, -1.0, 1.0)
    rounded = maker is not None and maker.kind in ("Floor", "Ceil", "Round")
    if kind not in WHOLE_TYPES or node.whole or rounded or _comes_in(value):
        return value
    return truncated(graph, value)


def _comes_in(value: Value) -> bool:
    """Return whether a value is an input of the model, or one of several."""
    node = value.node
    return not (node.inputs[0] if isinstance(node.layer, layers.Slice) else node).inputs


@operator("CastLike")
def cast_like(graph: Importer, node: Operator) -> Value:
    """Between kinds of floats nothing changes."""
    like = node.inputs[1]
    if isinstance(like, np.ndarray) and like.dtype.kind != "f":
        found: Value = cast(graph, replace(node, attributes={"to": 9 if like.dtype.kind == "b" else 7}))
        return found
    return node.value()


@operator("Shape")
def shape(graph: Importer, node: Operator) -> np.ndarray:
    """The sides, which are known."""
    return np.array(node.value().shape[slice(node.get("start", 0), node.get("end"))], np.int64)


@operator("Size")
def size(graph: Importer, node: Operator) -> np.ndarray:
    """The number of values."""
    return np.array(math.prod(node.value().shape), np.int64)


@operator("Reshape")
def reshape(graph: Importer, node: Operator) -> Value:
    """In any shape that keeps samples apart."""
    value, wanted = node.value(), node.needed(1)
    return value.reshape(target_shape(wanted, value.shape, bool(node.get("allowzero", 0))))


@operator("Flatten")
def flatten(graph: Importer, node: Operator) -> Value:
    """Two axes."""
    value = node.value()
    axis = node.get("axis", 1)
    axis += value.rank if axis < 0 else 0
    sides = value.shape
    return value.reshape([math.prod(sides[:axis]), math.prod(sides[axis:])])


@operator("Squeeze")
def squeeze(graph: Importer, node: Operator) -> Value:
    """Without axes of size 1."""
    value, axes = node.value(), node.ints(1, "axes")
    sides = value.shape
    if axes is None:
        axes = [axis for axis, n in enumerate(sides) if n == 1]
    axes = sorted(axis % value.rank for axis in axes)
    if any(sides[axis] != 1 for axis in axes):
        raise Unsupported(f"{list(sides)} has sizes other than 1 along {axes}")
    if value.batch in axes:
        return value.reshape([n for axis, n in enumerate(sides) if axis not in axes])
    return dropped(value, [value.axis(axis) for axis in axes])


@operator("Unsqueeze")
def unsqueeze(graph: Importer, node: Operator) -> Value:
    """With more axes of size 1."""
    value, axes = node.value(), node.ints(1, "axes") or []
    rank = value.rank + len(axes)
    if len({axis % rank for axis in axes}) < len(axes):
        raise Unsupported(f"the axes {axes} are not all different")
    axes = sorted(axis % rank for axis in axes)
    value = value.straight()
    old = iter(["batch" if i == value.batch else "side" for i in range(value.rank)])
    sides, sample = iter(value.base), []
    batch = None
    for axis in range(rank):
        kind = "new" if axis in axes else next(old)
        if kind == "batch":
            batch = axis
        else:
            sample.append(1 if kind == "new" else next(sides))
    return replace(value, base=tuple(sample), order=tuple(range(len(sample))), batch=batch)


@operator("Transpose")
def transpose(graph: Importer, node: Operator) -> Value:
    """Axes in another order."""
    value = node.value()
    return value.transposed(node.get("perm") or list(range(value.rank))[::-1])


@operator("Concat")
def concatenate(graph: Importer, node: Operator) -> Value:
    """One after the other along any axis of a sample."""
    like = next(item for item in node.inputs if isinstance(item, Value))
    operands = [
        item if isinstance(item, Value) else as_value(graph, np.asarray(item), like)
        for item in node.inputs
        if isinstance(item, Value) or np.asarray(item).size
    ]
    return concatenated(graph, operands, node.get("axis", 1))


def concatenated(graph: Importer, operands: list[Value], axis: int) -> Value:
    """Return values joined along an axis of the foreign model."""
    own = operands[0].axis(axis)
    if any(v.rank != operands[0].rank or v.batch != operands[0].batch for v in operands):
        raise Unsupported("its operands have different numbers of axes")
    alike = all(v.order == operands[0].order for v in operands)
    operands = operands if alike else [v.straight() for v in operands]
    rest = {tuple(n for i, n in enumerate(v.sample) if i != own) for v in operands}
    if len(rest) > 1:
        raise Unsupported(f"its operands differ along other axes than {axis}")
    first = operands[0]
    if first.order[own] == 0 and len(first.base) <= MOST_AXES:
        node = graph.apply(layers.Concatenate(), *(v.shaped(v.base) for v in operands))
        return replace(first, node=node, base=node.shape)
    pairs = [graph.grouped(v, [own]) for v in operands]
    joined = graph.apply(layers.Concatenate(), *(node for node, _ in pairs))
    return pairs[0][1](joined, [sum(v.sample[own] for v in operands)])


def part(graph: Importer, value: Value, own: int, begin: int, count: int, step: int = 1) -> Value:
    """Return ``count`` places from ``begin`` on along one axis of a sample."""
    if (begin, count, step) == (0, value.sample[own], 1):
        return value
    if count < 1:
        raise Unsupported("it selects nothing")
    if len(value.base) > MOST_AXES:
        node, back = graph.grouped(value, [own])
        layer = layers.Slice((begin, 0), (count, node.shape[1]), (step, 1))
        return back(graph.apply(layer, node), [count])
    axis, ones = value.order[own], (1,) * len(value.base)
    begins = tuple(begin if i == axis else 0 for i in range(len(ones)))
    counts = tuple(count if i == axis else n for i, n in enumerate(value.base))
    layer = layers.Slice(begins, counts, tuple(step if i == axis else 1 for i in range(len(ones))))
    node = graph.apply(layer, value.shaped(value.base))
    return replace(value, node=node, base=node.shape)


@operator("Slice")
def slices(graph: Importer, node: Operator) -> Value:
    """Parts of axes of a sample; the axis of samples stays whole."""
    value = node.value()
    starts, ends = node.ints(1, "starts") or [], node.ints(2, "ends") or []
    axes, steps = node.ints(3, "axes") or list(range(len(starts))), node.ints(4, "steps") or [1] * len(starts)
    for begin, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        places = range(value.shape[axis])[slice(begin, end if end > -(2**31) else None, step)]
        if axis % value.rank == value.batch and len(places) == value.count:
            continue
        value = part(graph, value, value.axis(axis), places.start, len(places), step)
    return value


@operator("Split")
def split(graph: Importer, node: Operator) -> list[Value]:
    """Parts of one axis."""
    value = node.value()
    own = value.axis(node.get("axis", 0))
    parts = parts_of(node, value.sample[own])
    begins = itertools.accumulate(parts, initial=0)
    return [part(graph, value, own, begin, count) for begin, count in zip(begins, parts, strict=False)]


@operator("Gather")
def gather(graph: Importer, node: Operator) -> Value:
    """Chosen places of an axis; or vectors of a table, chosen by what comes in."""
    table, index = node.inputs
    if isinstance(table, np.ndarray) and isinstance(index, Value):
        return _embedding(graph, node, table, index)
    value, index = node.value(), np.asarray(index)
    own = value.axis(node.get("axis", 0))
    n = value.sample[own]
    places = [int(i) % n for i in index.ravel()]
    if index.ndim == 0:
        return dropped(part(graph, value, own, places[0], 1), [own])
    found = selected(graph, value, own, places)
    if index.ndim == 1:
        return found
    sample = (*found.sample[:own], *index.shape, *found.sample[own + 1 :])
    batch = found.batch if found.batch is None or found.batch <= own else found.batch + index.ndim - 1
    return replace(found.straight(), base=sample, order=tuple(range(len(sample))), batch=batch)


def selected(graph: Importer, value: Value, own: int, places: Sequence[int]) -> Value:
    """Return chosen places of an axis of a sample."""
    if len(value.base) > MOST_AXES:
        inner, back = graph.grouped(value, [own])
        return back(graph.apply(layers.Select(tuple(places)), inner), [len(places)])
    node = graph.apply(layers.Select(tuple(places), value.order[own]), value.shaped(value.base))
    return replace(value, node=node, base=node.shape)


def _embedding(graph: Importer, node: Operator, table: np.ndarray, index: Value) -> Value:
    """Return rows of a table, of any shape, for indices of any shape."""
    if index.batch not in (None, 0):
        raise Unsupported(f"its samples lie along axis {index.batch}, not the first")
    axis = node.get("axis", 0) % table.ndim
    rows = np.moveaxis(table, axis, 0)
    index = index.straight()
    row = reshaped(index.node, (math.prod(index.base),))
    flat = rows.reshape(len(rows), -1)
    found = graph.apply(layers.Embedding(*flat.shape), row, weight=flat)
    value = Value(found, (*rows.shape[1:], *index.base), (), index.batch, index.count)
    before, own = range(axis), range(axis, rows.ndim - 1)
    places = range(rows.ndim - 1, len(value.base))
    if axis and index.batch is not None:
        raise Unsupported("it chooses columns of a table for every sample")
    return replace(value, order=(*before, *places, *own))


@operator("Pad")
def pad_of_attributes(graph: Importer, node: Operator) -> Value:
    """Before opset 11: pads and value are attributes."""
    return padded(graph, node, node.value(), node.get("pads") or [], node.get("value", 0.0))


@operator("Pad", since=11)
def pad(graph: Importer, node: Operator) -> Value:
    """Pads and value are inputs."""
    value, pads = node.value(), [int(n) for n in node.needed(1)]
    constant = node.constant(2)
    axes = node.ints(3, "axes")
    if axes is not None:
        full = [0] * (2 * value.rank)
        for place, axis in enumerate(axes):
            full[axis % value.rank] = pads[place]
            full[axis % value.rank + value.rank] = pads[place + len(axes)]
        pads = full
    number = 0.0 if constant is None or not constant.size else float(constant.item())
    return padded(graph, node, value, pads, number)


def padded(graph: Importer, node: Operator, value: Value, pads: Sequence[int], number: float) -> Value:
    """Return a margin around any axes of a sample; what is negative is cut."""
    mode = {"constant": "zeros", "edge": "replicate", "reflect": "reflect", "wrap": "circular"}.get(
        node.get("mode", "constant")
    )
    rank = value.rank
    if mode is None or len(pads) != 2 * rank:
        raise Unsupported(f"the mode {node.get('mode')!r} with {len(pads)} pads is not known")
    pairs = list(zip(pads[:rank], pads[rank:], strict=True))
    if value.batch is not None and pairs.pop(value.batch) != (0, 0):
        raise Unsupported("it pads the axis of samples")
    for own, (before, after) in enumerate(pairs):
        cut = max(-before, 0), max(-after, 0)
        if any(cut):
            value = part(graph, value, own, cut[0], value.sample[own] - sum(cut))
    pairs = [(max(before, 0), max(after, 0)) for before, after in pairs]
    if not any(map(any, pairs)):
        return value
    plain = value.straight()
    sample = plain.base
    wanted = tuple(n + sum(pair) for n, pair in zip(sample, pairs, strict=True))
    number = max(-LARGEST, min(LARGEST, number)) if mode == "zeros" else 0.0
    if len(sample) >= 2 and pairs[0] == (0, 0) and len(sample) <= MOST_AXES:
        found = graph.apply(layers.Pad(tuple(pairs[1:]), mode, number), plain.shaped(sample))
    elif len(sample) < MOST_AXES:
        found = graph.apply(layers.Pad(tuple(pairs), mode, number), plain.shaped((1, *sample)))
    else:
        raise Unsupported(f"it pads the channels of a sample of {len(sample)} axes")
    return Value(found, wanted, tuple(range(len(wanted))), plain.batch, plain.count)


@operator("Expand")
def expand(graph: Importer, node: Operator) -> Value:
    """Axes of size 1 repeated."""
    value, wanted = node.value(), [int(n) for n in node.needed(1)]
    value = with_rank(value, max(value.rank, len(wanted)))
    try:
        full = np.broadcast_shapes(value.shape, tuple(wanted))
    except ValueError:
        raise Unsupported(f"{list(value.shape)} cannot be expanded to {wanted}") from None
    if value.batch is not None and full[value.batch] != value.count:
        raise Unsupported("it repeats samples")
    sample = tuple(n for axis, n in enumerate(full) if axis != value.batch)
    return value if sample == value.sample else expanded(value, sample)


@operator("Tile")
def tile(graph: Importer, node: Operator) -> Value:
    """Axes repeated."""
    value = node.value()
    for axis, count in enumerate(int(n) for n in node.needed(1)):
        if count != 1:
            own = value.axis(axis)
            if not 0 < value.sample[own] * count <= MOST_PLACES:
                raise Unsupported(f"it repeats an axis of {value.sample[own]} {count:,} times")
            value = selected(graph, value, own, list(range(value.sample[own])) * count)
    return value


@operator("DepthToSpace", "SpaceToDepth")
def pixels(graph: Importer, node: Operator) -> Value:
    """Channels as blocks of pixels, and back."""
    value, factor = node.value(), node.get("blocksize", 1)
    order = "channels" if node.get("mode", "DCR") == "CRD" else "blocks"
    layer: Any = layers.PixelShuffle if node.kind == "DepthToSpace" else layers.PixelUnshuffle
    if value.batch is None:
        raise Unsupported("it needs an axis of samples")
    return Value.of(graph.apply(layer(factor, order), value.plain()), value)
