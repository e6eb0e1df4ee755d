"""Convolution as tables for the correlation kernels."""

from __future__ import annotations

import math

import numpy as np

from striate.engine.layout import Buffer, Margin, three
from striate.engine.lowering.context import RULES, Lowering, Rule, always
from striate.engine.lowering.correlation import Sums, emit_bias_gradient, emit_sums, emit_weight_gradient
from striate.engine.lowering.windows import Geometry, class_tables, classes, inputs_under, places, taps
from striate.engine.machine import cheapest, tiles
from striate.layers.convolution import Convolution
from striate.network import Step


def _margin(step: Step) -> Margin:
    window = step.layer.window(*step.input_shapes)
    return three(window.padding, (0, 0)) if window else ((0, 0),) * 3


def _geometry(step: Step) -> Geometry:
    window = step.layer.window(*step.input_shapes)
    assert window is not None
    return Geometry.of(window)


def _sizes(step: Step) -> tuple[int, int, int, int]:
    """Return groups, filters and channels of a group, and taps."""
    layer: Convolution = step.layer  # type: ignore[assignment]
    weight = step.parameters[0].spec.shape
    return layer.groups, weight[0] // layer.groups, weight[1], math.prod(weight[2:])


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


def _forward(lowering: Lowering, step: Step) -> None:
    x, out = lowering.values[step.inputs[0]], lowering.allocate(step)
    groups, filters, channels, count = _sizes(step)
    geometry = _geometry(step)
    tile = row_tile(filters, math.prod(out.shape[1:]) * x.blocks, channels * count, x.lanes)
    terms = np.arange(filters * channels * count).reshape(filters, -1)
    for g in range(groups):
        index, begins = packed(filters, terms + g * terms.size, tile)
        numbers = g * filters + np.arange(filters)
        emit_sums(
            lowering,
            Sums(
                x=x,
                out=out,
                weights=lowering.pack(index, step),
                bias=lowering.parameter(step, "bias"),
                rows=np.stack([begins, numbers * out.strides[0], numbers], axis=1),
                channels=(channels, x.strides[0], count * tile),
                taps=np.stack([taps(x, geometry), np.arange(count) * tile], axis=1),
                places=places(x, out, geometry),
                x_begin=g * channels * x.strides[0],
                row_tile=tile,
                floor=0.0 if step.name in lowering.fused.values() else -math.inf,
            ),
        )


def _backward(lowering: Lowering, step: Step) -> None:
    x, grad = lowering.values[step.inputs[0]], lowering.gradients[step.name]
    geometry = _geometry(step)
    groups, filters, channels, count = _sizes(step)
    for g in range(groups):
        numbers = g * filters + np.arange(filters)
        inputs = (np.arange(channels)[:, None] * x.strides[0] + taps(x, geometry)[None, :]).ravel()
        emit_weight_gradient(
            lowering,
            step,
            x=x,
            grad=grad,
            rows=np.stack([numbers * grad.strides[0], numbers * channels * count], axis=1),
            taps=np.stack([inputs + g * channels * x.strides[0], np.arange(channels * count)], axis=1),
            places=places(x, grad, geometry),
        )
    emit_bias_gradient(lowering, step, grad)
    if step.inputs[0] in lowering.needed:
        _input_gradient(lowering, step, grad, geometry)


def _input_gradient(lowering: Lowering, step: Step, grad: Buffer, geometry: Geometry) -> None:
    """Sum, at every input position, over the filters and taps whose windows cover it.

    Positions that meet the same taps form a class with a table of its own, so nothing is multiplied by
    padding or by the zeros between strides.
    """
    grad_x, accumulate = lowering.gradient_into(step.inputs[0])
    groups, filters, channels, count = _sizes(step)
    tile = row_tile(channels, math.prod(grad_x.shape[1:]) * grad.blocks, filters * count, grad.lanes)
    parts = list(classes(inputs_under, grad_x.shape[1:], grad.shape[1:], geometry))
    numbers = np.arange(filters * channels * count).reshape(filters, channels, count)
    terms = numbers.transpose(1, 0, 2).reshape(channels, -1)
    for g in range(groups):
        index, begins = packed(channels, terms + g * terms.size, tile)
        weights = lowering.pack(index, step)
        numbers = g * channels + np.arange(channels)
        for part in parts:
            where, pairs = class_tables(grad_x, grad, part, geometry)
            emit_sums(
                lowering,
                Sums(
                    x=grad,
                    out=grad_x,
                    weights=weights,
                    bias=None,
                    rows=np.stack([begins, numbers * grad_x.strides[0], numbers], axis=1),
                    channels=(filters, grad.strides[0], count * tile),
                    taps=np.stack([pairs[:, 0], pairs[:, 1] * tile], axis=1),
                    places=where,
                    x_begin=g * filters * grad.strides[0],
                    row_tile=tile,
                    accumulate=accumulate,
                ),
            )


RULES[Convolution] = Rule(_forward, _backward, _margin, floor=always)
