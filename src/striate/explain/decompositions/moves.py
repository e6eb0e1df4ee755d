"""Values of layers that join, move, repeat or scale numbers, and of global pooling, taken apart."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from striate.explain.decompositions.grid import joint_places, padded_positions
from striate.explain.decompositions.terms import Cell, Decomposition, decomposes, flat_index, terms_at
from striate.explain.decompositions.windows import choose
from striate.layers.arithmetic import Add, ChannelScale, Concatenate, Multiply, Scale
from striate.layers.base import Shape
from striate.layers.global_pooling import AdaptiveAvgPooling, GlobalAvgPool, GlobalMaxPool
from striate.layers.padding import Crop, Pad
from striate.layers.regularisation import Regulariser
from striate.layers.shape import Flatten, Reshape, Upsample
from striate.reference.global_pooling import parts_matrix
from striate.reference.shape import upsampling_matrix


def _broadcast_places(cell: Cell) -> np.ndarray:
    """Return for each input the place that broadcasting puts at the cell, int64[inputs]."""
    places = []
    for x in cell.inputs:
        index = tuple(i if n > 1 else 0 for i, n in zip(cell.index, x.shape, strict=False))
        places.append(flat_index(index, x.shape))
    return np.array(places)


@decomposes(Add)
def add(cell: Cell) -> Decomposition:
    """``x1 + x2 + ...``."""
    places = _broadcast_places(cell)
    return Decomposition(terms_at(cell, places, source=np.arange(len(places))), "sum of the inputs")


@decomposes(Multiply)
def multiply(cell: Cell) -> Decomposition:
    """``x1 * x2 * ...``."""
    places = _broadcast_places(cell)
    terms = terms_at(cell, places, source=np.arange(len(places)))
    return Decomposition(terms, "product of the inputs", product=True)


@decomposes(Concatenate)
def concatenate(cell: Cell) -> Decomposition:
    """The value of the input that the channel belongs to."""
    channel, *position = cell.index
    for number, x in enumerate(cell.inputs):
        if channel < len(x):
            place = flat_index((channel, *position), x.shape)
            return Decomposition(terms_at(cell, np.array([place]), 1.0, source=number), f"x of input {number + 1}")
        channel -= len(x)
    raise AssertionError("the index lies inside the output")


@decomposes(Scale)
def scale(cell: Cell) -> Decomposition:
    """``factor * x + shift``."""
    terms = terms_at(cell, np.array([flat_index(cell.index, cell.x.shape)]), cell.layer.factor)
    return Decomposition(terms, "factor * x + shift", {"shift": cell.layer.shift}, factor_name="factor")


@decomposes(ChannelScale)
def channel_scale(cell: Cell) -> Decomposition:
    """``weight[c] * x + bias[c]``."""
    channel = cell.index[0]
    constants = {"bias": float(cell.parameters["bias"][channel])} if "bias" in cell.parameters else {}
    weight = cell.parameters["weight"][channel]
    terms = terms_at(cell, np.array([flat_index(cell.index, cell.x.shape)]), weight)
    return Decomposition(terms, "weight * x" + " + bias" * bool(constants), constants)


@decomposes(Flatten, Reshape, Regulariser)
def same_number(cell: Cell) -> Decomposition:
    """The same number at another place; at evaluation also what disturbs training."""
    place = flat_index(cell.index, cell.output.shape)
    return Decomposition(terms_at(cell, np.array([place]), 1.0), "x", factor_name="factor")


@decomposes(Pad)
def pad(cell: Cell) -> Decomposition:
    """``x`` inside, by the mode outside."""
    layer, space = cell.layer, cell.x.shape[1:]
    channel, *position = cell.index
    pairs = layer.pairs(cell.x.shape)
    positions = [
        padded_positions(n, before, before + n + after, layer.mode)[[p]]
        for n, p, (before, after) in zip(space, position, pairs, strict=True)
    ]
    place = joint_places(positions, space, [channel])
    rule = (
        "x inside, the padding outside" if layer.mode == "zeros" else f"x, continued beyond the edge: {layer.mode}"
    )
    return Decomposition(terms_at(cell, place, 1.0, outside=layer.value), rule, factor_name="factor")


@decomposes(Crop)
def crop(cell: Cell) -> Decomposition:
    """``x[c, p + before]``."""
    pairs = cell.layer.pairs(cell.x.shape)
    index = (cell.index[0], *(p + before for p, (before, _) in zip(cell.index[1:], pairs, strict=True)))
    return Decomposition(
        terms_at(cell, np.array([flat_index(index, cell.x.shape)]), 1.0), "x", factor_name="factor"
    )


def _separable(cell: Cell, rows: Sequence[np.ndarray], rule: str) -> Decomposition:
    """Return the decomposition of a sum whose weights are the outer product of one row for each axis of space."""
    space: Shape = cell.x.shape[1:]
    positions = [np.flatnonzero(row) for row in rows]
    shares = [row[at] for row, at in zip(rows, positions, strict=True)]
    factors = np.array([float(np.prod(group)) for group in itertools.product(*shares)])
    places = joint_places(positions, space, [cell.index[0]])
    terms = terms_at(cell, places, factors)
    return Decomposition(terms, rule, window=terms.values.reshape(places.shape), factor_name="share")


@decomposes(Upsample)
def upsample(cell: Cell) -> Decomposition:
    """The nearest values, weighted by their distance."""
    layer, space = cell.layer, cell.x.shape[1:]
    factors = layer.factors(cell.x.shape)
    rows = [upsampling_matrix(n, f, layer.mode)[p] for n, f, p in zip(space, factors, cell.index[1:], strict=True)]
    return _separable(cell, rows, f"{layer.mode} values, weighted by nearness")


@decomposes(AdaptiveAvgPooling)
def adaptive_mean(cell: Cell) -> Decomposition:
    """The mean of the part of the input that belongs to the position."""
    sizes = zip(cell.x.shape[1:], cell.output.shape[1:], cell.index[1:], strict=True)
    return _separable(cell, [parts_matrix(n, o)[p] for n, o, p in sizes], "mean of the window")


def _channel(cell: Cell) -> np.ndarray:
    size = int(np.prod(cell.x.shape[1:]))
    return np.arange(size) + cell.index[0] * size


@decomposes(GlobalAvgPool)
def global_mean(cell: Cell) -> Decomposition:
    """The mean of the channel."""
    places = _channel(cell)
    terms = terms_at(cell, places, 1.0 / len(places))
    window = terms.values.reshape(1, *cell.x.shape[1:])
    return Decomposition(terms, f"sum of x / {len(places)}", window=window, factor_name="share")


@decomposes(GlobalMaxPool)
def global_maximum(cell: Cell) -> Decomposition:
    """The largest value of the channel, the first of equal ones."""
    return choose(terms_at(cell, _channel(cell)), (1, *cell.x.shape[1:]))
