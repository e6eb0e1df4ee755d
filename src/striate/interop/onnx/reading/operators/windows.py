"""Convolution and pooling."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from striate import layers
from striate.checks import LARGEST
from striate.interop.onnx.reading.importer import LARGEST_CONSTANT, Importer, Operator, operator
from striate.interop.onnx.reading.operators.arithmetic import multiply
from striate.interop.onnx.reading.values import Unsupported, Value, reshaped
from striate.layers.arguments import resolve_padding
from striate.layers.base import Node
from striate.reference import Context, operation

Pairs = tuple[tuple[int, int], ...]
EXACT = 2**24  # whole numbers up to here are float32


def _of_rank(stem: str, rank: int) -> Any:
    if not 1 <= rank <= 3:
        raise Unsupported(f"it works on {rank} axes of space, where 1 to 3 are supported")
    return getattr(layers, f"{stem}{rank}d")


def _spread(node: Operator, name: str, rank: int) -> tuple[int, ...]:
    return tuple(node.get(name) or (1,) * rank)


def _padding(node: Operator, space: tuple[int, ...], kernel: tuple[int, ...]) -> Pairs:
    """Return (before, after) of each axis, from ``pads`` or ``auto_pad``."""
    rank, auto = len(space), node.get("auto_pad", "NOTSET")
    if auto in ("SAME_UPPER", "SAME_LOWER"):
        stride, dilation = _spread(node, "strides", rank), _spread(node, "dilations", rank)
        pairs = resolve_padding("same", space, kernel, stride, dilation)
        return pairs if auto == "SAME_UPPER" else tuple((after, before) for before, after in pairs)
    pads = node.get("pads") if auto == "NOTSET" else None
    pads = pads or [0] * (2 * rank)
    if len(pads) != 2 * rank or min(pads) < 0:
        raise Unsupported(f"pads of {pads} are not supported")
    return tuple(zip(pads[:rank], pads[rank:], strict=True))


@operator("Conv")
def convolution(graph: Importer, node: Operator) -> Value:
    """With a constant kernel."""
    value, weight, bias = node.value(), node.needed(1), node.constant(2)
    plain, kernel = value.plain(), weight.shape[2:]
    layer = _of_rank("Conv", len(kernel))(
        len(weight),
        kernel,
        _spread(node, "strides", len(kernel)),
        _padding(node, plain.shape[1:], kernel),
        _spread(node, "dilations", len(kernel)),
        node.get("group", 1),
        bias is not None,
    )
    _check(value, plain, weight.shape[1] * node.get("group", 1))
    arrays = {"weight": weight} | ({} if bias is None else {"bias": bias})
    return Value.of(graph.apply(layer, plain, **arrays), value)


def _check(value: Value, plain: Node, channels: int) -> None:
    if value.batch is None:
        raise Unsupported("it needs an axis of samples")
    if plain.shape[0] != channels:
        raise Unsupported(f"its weight is for {channels} channels where {plain.shape[0]} come in")


@operator("ConvTranspose")
def transposed(graph: Importer, node: Operator) -> Value:
    """With a constant kernel; ``output_shape`` decides the padding where it is given."""
    value, weight, bias = node.value(), node.needed(1), node.constant(2)
    plain, kernel, groups = value.plain(), weight.shape[2:], node.get("group", 1)
    _check(value, plain, len(weight))
    rank = len(kernel)
    stride, dilation = _spread(node, "strides", rank), _spread(node, "dilations", rank)
    extra = tuple(node.get("output_padding") or (0,) * rank)
    pairs, extra = _transposed_padding(node, plain.shape[1:], kernel, stride, dilation, extra)
    layer = _of_rank("ConvTranspose", rank)(
        weight.shape[1] * groups, kernel, stride, pairs, (0,) * rank, dilation, groups, bias is not None
    )
    if any(extra):
        layer = replace(layer, output_padding=extra) if _allowed(extra, stride, dilation) else layer
    arrays = {"weight": weight} | ({} if bias is None else {"bias": bias})
    found = graph.apply(layer, plain, **arrays)
    if any(extra) and not _allowed(extra, stride, dilation):
        if bias is not None:
            raise Unsupported(f"output_padding {list(extra)} is not below the stride")
        found = graph.apply(layers.Pad(tuple((0, e) for e in extra)), found)
    return Value.of(found, value)


def _allowed(extra: tuple[int, ...], stride: tuple[int, ...], dilation: tuple[int, ...]) -> bool:
    return all(e < max(s, d) for e, s, d in zip(extra, stride, dilation, strict=True))


def _transposed_padding(
    node: Operator, space: Any, kernel: Any, stride: Any, dilation: Any, extra: tuple[int, ...]
) -> tuple[Pairs, tuple[int, ...]]:
    """Return what is cut from the output, and what is added to it."""
    auto, wanted = node.get("auto_pad", "NOTSET"), node.get("output_shape")
    if wanted is None and auto not in ("SAME_UPPER", "SAME_LOWER"):
        return _padding(node, space, kernel), extra
    if wanted is None:
        wanted = [n * s for n, s in zip(space, stride, strict=True)]
    pairs, more = [], []
    for n, k, s, d, e, target in zip(space, kernel, stride, dilation, extra, wanted[-len(space) :], strict=True):
        total = (n - 1) * s + d * (k - 1) + 1 + e - target
        half = max(total, 0) // 2
        pairs.append((half, max(total, 0) - half) if auto != "SAME_LOWER" else (max(total, 0) - half, half))
        more.append(e + max(-total, 0))
    return tuple(pairs), tuple(more)


def _pooled(graph: Importer, node: Operator, stem: str, value: Value, outside: float, **more: Any) -> Node:
    """Return a pooling of ``value``; a padding of more than half the kernel becomes a margin."""
    plain = value.plain()
    if value.batch is None:
        raise Unsupported("it needs an axis of samples")
    kernel = tuple(node.get("kernel_shape") or ())
    rank = len(kernel)
    stride, dilation = _spread(node, "strides", rank), _spread(node, "dilations", rank)
    pairs = _padding(node, plain.shape[1:], kernel)
    ceil = bool(node.get("ceil_mode", 0)) and node.get("auto_pad", "NOTSET") == "NOTSET"
    extents = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
    too_far = any(2 * max(pair) > extent for pair, extent in zip(pairs, extents, strict=True))
    if too_far:
        plain = graph.apply(layers.Pad(pairs, value=outside), plain)
        pairs = ((0, 0),) * rank
    layer = _of_rank(stem, rank)(kernel, stride, pairs, dilation, ceil, **more)
    return graph.apply(layer, plain)


@operator("MaxPool")
def max_pool(graph: Importer, node: Operator) -> list[Value]:
    """With the places of the maxima, which may be handed to a MaxUnpool."""
    value = node.value()
    pooled = Value.of(_pooled(graph, node, "MaxPool", value, -LARGEST), value)
    if len(node.outputs) == 1:
        return [pooled]
    places = _places(graph, node, value, pooled.node)
    graph.pooled[id(places)] = pooled.node
    return [pooled, places]


def _places(graph: Importer, node: Operator, value: Value, pooled: Node) -> Value:
    """Return the places of the maxima among the numbers of their sample."""
    shape, source = value.sample, pooled.inputs[0]
    if math.prod(shape) > EXACT:
        raise Unsupported(f"places among {math.prod(shape):,} values are not exact as float32")
    if node.get("storage_order", 0):
        numbers = np.arange(math.prod(shape)).reshape(shape[0], *shape[:0:-1])
        numbers = numbers.transpose(0, *range(len(shape) - 1, 0, -1))
    else:
        numbers = np.arange(math.prod(shape)).reshape(shape)
    if isinstance(source.layer, layers.Pad) and source.shape != shape:
        numbers = np.pad(numbers, ((0, 0), *source.layer.padding))  # type: ignore[misc]
    layer: Any = pooled.layer
    constant = graph.apply(layers.Constant(source.shape), source, value=numbers)
    gather = _of_rank("MaxGather", layer.rank).of(replace(layer, name=None))
    return Value.of(graph.apply(gather, constant, source), value)


@operator("MaxUnpool")
def max_unpool(graph: Importer, node: Operator) -> Value:
    """Values put back where a MaxPool of the same graph took them from."""
    value, places = node.value(), node.inputs[1]
    if isinstance(places, np.ndarray):
        return _put(graph, node, value, places)
    pool = graph.pooled.get(id(places))
    if pool is None:
        raise Unsupported("its places must be constants, or come from a MaxPool of the same graph")
    layer: Any = pool.layer
    unpool = _of_rank("MaxUnpool", layer.rank).of(replace(layer, name=None))
    found = Value.of(graph.apply(unpool, value.plain(), pool.inputs[0]), value)
    wanted = node.constant(2)
    if wanted is not None and tuple(int(n) for n in wanted[1:]) != found.sample:
        raise Unsupported(f"it makes {[int(n) for n in wanted]}, not the shape that was pooled")
    return found


def _put(graph: Importer, node: Operator, value: Value, places: np.ndarray) -> Value:
    """Return values put at constant places of one sample, and zeros elsewhere."""
    plain, kernel = value.plain(), tuple(node.get("kernel_shape") or ())
    pairs, stride = _padding(node, plain.shape[1:], kernel), _spread(node, "strides", len(kernel))
    sizes = zip(plain.shape[1:], stride, kernel, pairs, strict=True)
    shape = (plain.shape[0], *((n - 1) * s + k - sum(pair) for n, s, k, pair in sizes))
    if (
        value.count != 1
        or places.size != math.prod(plain.shape)
        or not 0 <= places.min() <= places.max() < math.prod(shape)
    ):
        raise Unsupported("its places are not those of one sample")
    if math.prod(shape) > LARGEST_CONSTANT:
        raise Unsupported(f"it makes {math.prod(shape):,} values")
    source = np.full(math.prod(shape), places.size)
    source[places.ravel()] = np.arange(places.size)
    row = graph.apply(layers.Pad(((0, 1),)), reshaped(plain, (1, places.size)))
    found = reshaped(graph.apply(layers.Select(tuple(source.tolist()), 1), row), shape)
    wanted = node.constant(2)
    if wanted is not None:
        more = [(0, int(n) - m) for n, m in zip(wanted[2:], shape[1:], strict=True)]
        found = graph.apply(layers.Pad(tuple(more)), found) if any(after for _, after in more) else found
    return Value.of(found, value)


@operator("Col2Im")
def image_of_columns(graph: Importer, node: Operator) -> Value:
    """Overlapping blocks added up: a transposed convolution whose kernels are single ones."""
    value, space, block = node.value(), node.ints(1, "image_shape") or [], node.ints(2, "block_shape") or []
    plain, rank, taps = value.plain(), len(block), math.prod(block)
    stride, dilation = _spread(node, "strides", rank), _spread(node, "dilations", rank)
    pairs = _padding(node, tuple(space), tuple(block))
    reach = [d * (k - 1) + 1 for d, k in zip(dilation, block, strict=True)]
    over = [n + sum(pair) - e for n, pair, e in zip(space, pairs, reach, strict=True)]
    channels, positions = plain.shape[0] // taps, tuple(n // s + 1 for n, s in zip(over, stride, strict=True))
    if value.batch is None or plain.shape != (channels * taps, math.prod(positions)):
        raise Unsupported(f"{list(value.shape)} does not hold {positions} blocks of {block}")
    rest = tuple(n % s for n, s in zip(over, stride, strict=True))
    layer = _of_rank("ConvTranspose", rank)(
        channels, tuple(block), stride, pairs, rest, dilation, channels, bias=False
    )
    weight = np.tile(np.eye(taps).reshape(taps, 1, *block), (channels, *(1,) * (rank + 1)))
    return Value.of(graph.apply(layer, reshaped(plain, (plain.shape[0], *positions)), weight=weight), value)


@operator("AveragePool")
def average_pool(graph: Importer, node: Operator) -> Value:
    """Over the cells inside the input, or over all of the window."""
    value, count = node.value(), bool(node.get("count_include_pad", 0))
    pooled = Value.of(_pooled(graph, node, "AvgPool", value, 0.0, count_padding=count), value)
    margin = next((n for n in (pooled.node.inputs[0],) if isinstance(n.layer, layers.Pad)), None)
    if count or margin is None or margin.inputs[0].shape != value.sample:
        return pooled
    return _without_margin(graph, pooled, margin)


def _without_margin(graph: Importer, pooled: Value, margin: Node) -> Value:
    """Return means over the cells inside a margin, from means over all cells."""
    pad: Any = margin.layer
    inside = np.pad(np.ones((1, *margin.inputs[0].shape[1:])), ((0, 0), *pad.padding))
    pool = replace(pooled.node.layer, count_padding=True, name=None)  # type: ignore[call-arg]
    share = operation(pool).forward(pool, {}, inside[None], context=Context())
    if not share.all():
        raise Unsupported("a window lies in the padding alone")
    return multiply(graph, pooled, 1.0 / share)


@operator("LpPool")
def lp_pool(graph: Importer, node: Operator) -> Value:
    """The norm of each window."""
    value = node.value()
    return Value.of(_pooled(graph, node, "LpPool", value, 0.0, power=float(node.get("p", 2))), value)


@operator("GlobalAveragePool", "GlobalMaxPool")
def global_pool(graph: Importer, node: Operator) -> Value:
    """One number for each channel."""
    value = node.value()
    plain = value.plain()
    if value.batch is None or len(plain.shape) < 2:
        raise Unsupported("it needs samples of channels and space")
    layer = layers.GlobalAvgPool() if node.kind == "GlobalAveragePool" else layers.GlobalMaxPool()
    ones = (1,) * (len(plain.shape) - 1)
    return Value.of(graph.apply(layer, plain), value, (plain.shape[0], *ones))


@operator("GlobalLpPool")
def global_lp_pool(graph: Importer, node: Operator) -> Value:
    """The norm of each channel."""
    value, p = node.value(), float(node.get("p", 2))
    plain = value.plain()
    if value.batch is None or len(plain.shape) < 2:
        raise Unsupported("it needs samples of channels and space")
    layer = _of_rank("LpPool", len(plain.shape) - 1)(plain.shape[1:], power=p)
    return Value.of(graph.apply(layer, plain), value)
