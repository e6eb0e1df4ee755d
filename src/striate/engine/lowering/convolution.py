"""Convolution as tables for the correlation kernels."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from striate.engine.layout import NO_MARGIN, Buffer, Margin
from striate.engine.lowering import winograd
from striate.engine.lowering.context import RULES, Lowering, Rule, always, gather
from striate.engine.lowering.correlation import Sums, emit_bias_gradient, emit_sums, emit_weight_gradient
from striate.engine.lowering.shape import emit_move
from striate.engine.lowering.windows import Geometry, class_tables, classes, inputs_under, places, taps
from striate.engine.machine import cheapest, tiles
from striate.engine.program import Place
from striate.layers.convolution import Convolution
from striate.network import Step
from striate.reference.padding import NUMPY_MODES

NEAR = 8192  # weights that fit a first-level cache are read where they lie, in any order
FEW = 32  # positions of a shard, see emit_weights_by_features


def _layer(step: Step) -> Convolution:
    layer = step.layer
    assert isinstance(layer, Convolution)
    return layer


def _margin(step: Step) -> Margin:
    if _layer(step).padding_mode != "zeros":
        return NO_MARGIN
    return geometry_of(step).padding


def geometry_of(step: Step) -> Geometry:
    """Return the window of a step."""
    window = step.layer.window(*step.input_shapes)
    assert window is not None
    return Geometry.of(window)


def weight_index(lowering: Lowering, step: Step) -> np.ndarray:
    """Return the place of every weight in the parameter, int64[groups, filters, channels, taps].

    Where a connection table leaves a pair out, the place is that of the zero beyond the flat vector.
    """
    layer, weight = _layer(step), step.parameters[0]
    shape = weight.spec.shape
    if layer.connections is None:
        return np.arange(weight.spec.size).reshape(layer.groups, shape[0] // layer.groups, shape[1], -1)
    count = math.prod(shape[1:])
    nothing = lowering.network.parameter_count - weight.offset
    index = np.full((1, layer.out_channels, step.input_shapes[0][0], count), nothing)
    first = 0
    for filter_number, channels in enumerate(layer.connections):
        for channel in channels:
            index[0, filter_number, channel] = first + np.arange(count)
            first += count
    return index


def row_tile(rows: int, places: int, terms: int, lanes: int) -> int:
    """Return the number of rows of the tile that suits the whole layer: its weights are packed for it."""
    return cheapest(tiles(lanes).outer, rows, places, terms)[0]


def packed(rows: int, terms: np.ndarray, tile: int) -> tuple[np.ndarray, np.ndarray]:
    """Put weights in the order in which a kernel reads them.

    Parameters
    ----------
    rows : int
    terms : int64[rows, R]
        Place of the weight of every row and term in the parameter.
    tile : int
        Rows of a tile.

    Returns
    -------
    index : int64[ceil(rows/tile) * R * tile]
        The packed weights, [tile][term][row of the tile]; a last tile that is not full repeats a row.
    begins : int64[rows]
        Where every row begins; its terms are ``tile`` apart.
    """
    count = terms.shape[1]
    whole = np.minimum(np.arange(-(-rows // tile) * tile), rows - 1)
    index = terms[whole].reshape(-1, tile, count).transpose(0, 2, 1)
    numbers = np.arange(rows)
    return index.ravel(), (numbers // tile) * count * tile + numbers % tile


@dataclass(frozen=True)
class Weights:
    """Where a kernel finds the weights of a group: the begin of every row, and the step between its terms."""

    place: Place
    rows: np.ndarray
    step: int
    row_tile: int | None


def whole(index: np.ndarray) -> bool:
    """Return whether the places of the weights run through the parameter without a gap."""
    return bool((np.diff(index.ravel()) == 1).all())


def arrange(
    lowering: Lowering, step: Step, terms: np.ndarray, places_count: int, lanes: int, in_place: bool
) -> Weights:
    """Return the weights ``terms`` (int64[rows, R]), where they lie if ``in_place``, else packed for a tile."""
    if in_place:
        place = lowering.parameter(step, "weight")
        assert place is not None
        return Weights(place, terms[:, 0], 1, None)
    tile = row_tile(len(terms), places_count, terms.shape[1], lanes)
    order, begins = packed(len(terms), terms, tile)
    return Weights(lowering.pack(order, step), begins, tile, tile)


def emit_windows(
    lowering: Lowering,
    step: Step,
    x: Buffer,
    out: Buffer,
    index: np.ndarray,
    geometry: Geometry,
    *,
    bias: bool = False,
    floor: float = -math.inf,
    accumulate: int = 0,
) -> None:
    """Emit a convolution of ``x``, which carries the margin that the padding needs."""
    groups, filters, channels, count = index.shape
    places_count = math.prod(out.shape[1:]) * x.blocks
    for g in range(groups):
        weights = arrange(lowering, step, index[g].reshape(filters, -1), places_count, x.lanes, whole(index))
        numbers = g * filters + np.arange(filters)
        emit_sums(
            lowering,
            Sums(
                x=x,
                out=out,
                weights=weights.place,
                bias=lowering.parameter(step, "bias") if bias else None,
                rows=np.stack([weights.rows, numbers * out.strides[0], numbers], axis=1),
                channels=(channels, x.strides[0], count * weights.step),
                taps=np.stack([taps(x, geometry), np.arange(count) * weights.step], axis=1),
                places=places(x, out, geometry),
                x_begin=g * channels * x.strides[0],
                row_tile=weights.row_tile,
                floor=floor,
                accumulate=accumulate,
            ),
        )


def emit_adjoint(
    lowering: Lowering,
    step: Step,
    grad: Buffer,
    out: Buffer,
    index: np.ndarray,
    geometry: Geometry,
    *,
    bias: bool = False,
    floor: float = -math.inf,
    accumulate: int = 0,
) -> None:
    """Emit the adjoint of a convolution: sum, at every input position, over the windows that cover it.

    Positions that meet the same taps form a class with a table of its own, so nothing is multiplied by
    padding or by the zeros between strides.
    """
    groups, filters, channels, count = index.shape
    places_count = math.prod(out.shape[1:]) * grad.blocks
    near = whole(index) and filters * channels * count <= NEAR
    parts = list(classes(inputs_under, out.shape[1:], grad.shape[1:], geometry))
    for g in range(groups):
        terms = index[g].transpose(1, 0, 2).reshape(channels, -1)
        weights = arrange(lowering, step, terms, places_count, grad.lanes, near)
        outer, inner = (channels * count, 1) if near else (count * weights.step, weights.step)
        numbers = g * channels + np.arange(channels)
        for part in parts:
            where, pairs = class_tables(out, grad, part, geometry)
            emit_sums(
                lowering,
                Sums(
                    x=grad,
                    out=out,
                    weights=weights.place,
                    bias=lowering.parameter(step, "bias") if bias else None,
                    rows=np.stack([weights.rows, numbers * out.strides[0], numbers], axis=1),
                    channels=(filters, grad.strides[0], outer),
                    taps=np.stack([pairs[:, 0], pairs[:, 1] * inner], axis=1),
                    places=where,
                    x_begin=g * filters * grad.strides[0],
                    row_tile=weights.row_tile,
                    floor=floor,
                    accumulate=accumulate,
                ),
            )


def emit_weights(
    lowering: Lowering, step: Step, x: Buffer, grad: Buffer, index: np.ndarray, geometry: Geometry
) -> None:
    """Emit the gradient of the weight of a convolution from ``x`` (with margin) to ``grad``."""
    groups, filters, channels, count = index.shape
    dense = index.size == step.parameters[0].spec.size
    target = lowering.parameter_gradient(step, "weight")
    scratch = None if dense else lowering.arena.allocate((-(-index.size // x.lanes),))
    lowering.clear(target if scratch is None else lowering.place(scratch), index.size)
    inputs = (np.arange(channels)[:, None] * x.strides[0] + taps(x, geometry)[None, :]).ravel()
    for g in range(groups):
        numbers = g * filters + np.arange(filters)
        emit_weight_gradient(
            lowering,
            target if scratch is None else lowering.place(scratch),
            x=x,
            grad=grad,
            rows=np.stack([numbers * grad.strides[0], numbers * channels * count], axis=1),
            taps=np.stack([inputs + g * channels * x.strides[0], np.arange(channels * count)], axis=1),
            places=places(x, grad, geometry),
        )
    if scratch is not None:
        _gather_connected(lowering, step, scratch, index)


def emit_weights_by_features(
    lowering: Lowering, step: Step, x: Buffer, grad: Buffer, index: np.ndarray, geometry: Geometry
) -> None:
    """Emit the gradient of the weight with input channels in the lanes, sample after sample.

    With samples in the lanes every weight ends in a sum over lanes; where a shard has few positions that sum
    costs more than the products (measured on 2 x 2 maps of 512 channels: four times as much).
    """
    _, filters, channels, count = index.shape
    rows_x = lowering.rows_of(x, (x.positions()[:, None] + x.channels()[None, :]).ravel())
    rows_grad = lowering.rows_of(grad, (grad.positions()[:, None] + grad.channels()[None, :]).ravel())
    target = lowering.parameter_gradient(step, "weight")
    scratch = None if count == 1 else lowering.arena.allocate((-(-index.size // (x.lanes * x.blocks)),))
    lowering.clear(target if scratch is None else lowering.place(scratch), index.size)
    begins = np.minimum(np.arange(0, channels, x.lanes), channels - x.lanes)
    samples = np.arange(x.blocks * x.lanes)
    numbers = np.arange(filters)
    for tap, (inside, outside) in enumerate(_meetings(x, grad, geometry)):
        if len(inside) == 0:
            continue
        sources = (samples[:, None] * math.prod(x.shape[1:]) + inside) * channels
        errors = (samples[:, None] * math.prod(grad.shape[1:]) + outside) * filters
        emit_sums(
            lowering,
            Sums(
                x=rows_x,
                out=rows_grad,
                target=target if scratch is None else lowering.place(scratch),
                weights=lowering.place(rows_grad),
                bias=None,
                rows=np.stack([numbers, (numbers * count + tap) * channels, 0 * numbers], axis=1),
                channels=(1, 0, 0),
                taps=np.stack([sources.ravel(), errors.ravel()], axis=1),
                places=np.stack([begins, begins], axis=1),
                merged=True,
            ),
        )
    if scratch is not None:
        lowering.emit(
            "batch.swap", x=lowering.place(scratch), out=target, outer=filters, rows=count, columns=channels
        )
        lowering.arena.free(scratch)
    lowering.arena.free(rows_x)
    lowering.arena.free(rows_grad)


def _meetings(x: Buffer, grad: Buffer, geometry: Geometry) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield, for every tap, the numbers of the input positions that it meets, and of the outputs."""
    outputs = np.stack(np.meshgrid(*map(np.arange, grad.shape[1:]), indexing="ij"), axis=-1).reshape(-1, 3)
    before = np.array([pair[0] for pair in geometry.padding])
    for offset in geometry.tap_coordinates():
        where = outputs * np.array(geometry.stride) + offset - before
        inside = ((where >= 0) & (where < np.array(x.shape[1:]))).all(axis=1)
        yield np.ravel_multi_index(tuple(where[inside].T), x.shape[1:]), np.flatnonzero(inside)


def _gather_connected(lowering: Lowering, step: Step, scratch: Buffer, index: np.ndarray) -> None:
    """Take the gradients of the weights that exist out of those of all pairs of channels."""
    size = step.parameters[0].spec.size
    order = np.zeros(size, np.int64)
    exists = index.ravel() < size
    order[index.ravel()[exists]] = np.flatnonzero(exists)
    out = lowering.parameter_gradient(step, "weight")
    lowering.rows.append(gather(lowering.program, lowering.place(scratch), out, order))


def _few(grad: Buffer, index: np.ndarray) -> bool:
    """Return whether a shard has so few positions that weights are better summed with channels in the lanes."""
    groups, _, channels, _ = index.shape
    return (
        groups == 1 and whole(index) and channels >= grad.lanes and math.prod(grad.shape[1:]) * grad.blocks <= FEW
    )


def _padded(lowering: Lowering, step: Step, x: Buffer) -> tuple[Buffer, Geometry, np.ndarray | None]:
    """Return the input with its edge continued by the padding mode, and where every value came from."""
    layer, geometry = _layer(step), geometry_of(step)
    if layer.padding_mode == "zeros":
        return x, geometry, None
    mode = NUMPY_MODES[layer.padding_mode]
    sources = [np.pad(np.arange(n), pair, mode=mode) for n, pair in zip(x.shape[1:], geometry.padding, strict=True)]
    shape = (x.shape[0], *map(len, sources))
    padded = lowering.arena.allocate(shape)
    pairs = np.stack([x.space(*sources).ravel(), padded.positions()], axis=1)
    return padded, replace(geometry, padding=NO_MARGIN), pairs


def _forward(lowering: Lowering, step: Step) -> None:
    x, out = lowering.values[step.inputs[0]], lowering.allocate(step)
    padded, geometry, pairs = _padded(lowering, step, x)
    if pairs is not None:
        lowering.memos[step.name] = padded
        emit_move(lowering, x, padded, np.stack([x.channels(), padded.channels()], axis=1), pairs, 0)
    floor = 0.0 if step.name in lowering.fused.values() else -math.inf
    index = weight_index(lowering, step)
    if winograd.suits(lowering, index, geometry, out.shape[1:]):
        before = (geometry.padding[1][0], geometry.padding[2][0])
        winograd.emit_winograd(lowering, step, padded, out, index[0, :, :, 0], before, bias=True, floor=floor)
    else:
        emit_windows(lowering, step, padded, out, index, geometry, bias=True, floor=floor)


def _backward(lowering: Lowering, step: Step) -> None:
    x, grad = lowering.values[step.inputs[0]], lowering.gradients[step.name]
    source, geometry, index = x, geometry_of(step), weight_index(lowering, step)
    continued = _layer(step).padding_mode != "zeros"
    if continued:
        source, geometry = lowering.memos[step.name], replace(geometry, padding=NO_MARGIN)
    fast = winograd.suits(lowering, index, geometry, grad.shape[1:])
    before = (geometry.padding[1][0], geometry.padding[2][0])
    if _few(grad, index):
        emit_weights_by_features(lowering, step, source, grad, index, geometry)
    elif fast:
        winograd.emit_winograd_weights(lowering, step, source, grad, index.shape[1], index.shape[2], before)
    else:
        emit_weights(lowering, step, source, grad, index, geometry)
    emit_bias_gradient(lowering, step, grad)
    if step.inputs[0] not in lowering.needed:
        return
    grad_x, accumulate = lowering.gradient_into(step.inputs[0])
    if fast and not continued:
        turned, after = index[0, :, :, 0].T, (2 - before[0], 2 - before[1])
        winograd.emit_winograd(lowering, step, grad, grad_x, turned, after, flipped=True, accumulate=accumulate)
        return
    if not continued:
        emit_adjoint(lowering, step, grad, grad_x, index, geometry, accumulate=accumulate)
        return
    grad_padded = lowering.arena.allocate(source.shape)
    emit_adjoint(lowering, step, grad, grad_padded, index, geometry)
    _fold(lowering, step, grad_padded, grad_x, accumulate)


def _fold(lowering: Lowering, step: Step, grad_padded: Buffer, grad_x: Buffer, accumulate: int) -> None:
    """Add the gradient of what stands beyond the edge to that of where it came from."""
    if not accumulate:
        lowering.emit("elementwise.fill", out=lowering.place(grad_x), count=grad_x.size, value=0.0)
    mode = NUMPY_MODES[_layer(step).padding_mode]
    padding = geometry_of(step).padding
    sources = [np.pad(np.arange(n), pair, mode=mode) for n, pair in zip(grad_x.shape[1:], padding, strict=True)]
    pairs = np.stack([grad_padded.positions(), grad_x.space(*sources).ravel()], axis=1)
    channels = np.stack([grad_padded.channels(), grad_x.channels()], axis=1)
    emit_move(lowering, grad_padded, grad_x, channels, pairs, 1)


RULES[Convolution] = Rule(_forward, _backward, _margin, floor=always, assigns=True)
