"""Convolution as tables for the correlation kernels."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from striate.engine.layout import NO_MARGIN, Buffer, Margin
from striate.engine.lowering import winograd
from striate.engine.lowering.context import Lowering, Rule, always
from striate.engine.lowering.correlation import ONE, Groups, Sums, emit_bias_gradient, emit_sums
from striate.engine.lowering.shape import emit_move
from striate.engine.lowering.weight_gradient import emit_weights, emit_weights_by_features, few
from striate.engine.lowering.weights import arrange, weight_index, whole
from striate.engine.lowering.windows import Geometry, class_tables, classes, inputs_under, places, taps
from striate.engine.rules import RULES, SAMPLES
from striate.layers.convolution import Convolution
from striate.network import Step
from striate.reference.padding import NUMPY_MODES

NEAR = 8192  # weights that fit a first-level cache are read where they lie, in any order


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
    in_place = whole(index)
    together = together_where(in_place, index.shape, x, out)
    with lowering.independent():
        for g in range(groups // together.count):
            weights = arrange(lowering, step, index[g].reshape(filters, -1), places_count, x.lanes, in_place)
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
                    groups=together,
                ),
            )


def together_where(in_place: bool, shape: tuple[int, ...], x: Buffer, out: Buffer) -> Groups:
    """Return the groups of a convolution as repetitions of the first, if their weights lie in place.

    Parameters
    ----------
    shape : (groups, filters, channels, taps)
    x, out : Buffer
        Those of the convolution, or the other way round for its adjoint.
    """
    groups = shape[0]
    if groups == 1 or not in_place:
        return ONE
    reads, writes = x.shape[0] // groups, out.shape[0] // groups
    return Groups(groups, reads * x.strides[0], math.prod(shape[1:]), writes * out.strides[0], writes)


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
    together = together_where(near, index.shape, grad, out)
    with lowering.independent():
        for g in range(groups // together.count):
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
                        groups=together,
                    ),
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
    floor = lowering.floor(step)
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
    if step.name in lowering.facts.frozen:
        pass  # what lies below may learn
    elif few(grad, index):
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


RULES[SAMPLES, Convolution] = Rule(_forward, _backward, _margin, floor=always, assigns=True)
