"""Where kernels find the weights of a convolution: as they lie, or packed for a tile."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from striate.engine.lowering.context import Lowering
from striate.engine.lowering.tiles import cheapest, tiles
from striate.engine.program import Place
from striate.layers.convolution import Convolution
from striate.network import Step


def weight_index(lowering: Lowering, step: Step) -> np.ndarray:
    """Return the place of every weight in the parameter, int64[groups, filters, channels, taps].

    Where a connection table leaves a pair out, the place is that of the zero beyond the flat vector.
    """
    layer, weight = step.layer, step.parameters[0]
    assert isinstance(layer, Convolution)
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


def row_tile(rows: int, places: int, terms: int, lanes: int, most_sums: int | None) -> int:
    """Return the number of rows of the tile that suits the whole layer: its weights are packed for it."""
    return cheapest(tiles(lanes, most_sums).outer, rows, places, terms)[0]


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
    tile = row_tile(len(terms), places_count, terms.shape[1], lanes, lowering.facts.most_sums)
    order, begins = packed(len(terms), terms, tile)
    return Weights(lowering.pack(order, step), begins, tile, tile)
