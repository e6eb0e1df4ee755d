"""Values that a maximum chose."""

from __future__ import annotations

import numpy as np

from striate.explain.decompositions.grid import joint_places, window_positions
from striate.explain.decompositions.terms import Cell, Decomposition, Terms, decomposes, terms_at
from striate.layers.global_pooling import AdaptiveMaxPooling, GlobalMaxPool
from striate.layers.pooling import MaxPooling, Pooling


@decomposes(MaxPooling)
def maximum(cell: Cell) -> Decomposition:
    """The largest value of the window; beyond the edge nothing wins."""
    places = window_places(cell, cell.layer)
    return _largest(cell, terms_at(cell, places, outside=-np.inf), places.shape)


@decomposes(GlobalMaxPool)
def global_maximum(cell: Cell) -> Decomposition:
    """The largest value of the channel."""
    size = int(np.prod(cell.x.shape[1:]))
    places = np.arange(size) + cell.index[0] * size
    return _largest(cell, terms_at(cell, places), (1, *cell.x.shape[1:]))


@decomposes(AdaptiveMaxPooling)
def part_maximum(cell: Cell) -> Decomposition:
    """The largest value of the part."""
    channel, *position = cell.index
    found = [parts[at] for parts, at in zip(cell.layer.parts(cell.x.shape), position, strict=True)]
    places = joint_places([np.array(part) for part in found], cell.x.shape[1:], [channel])
    return _largest(cell, terms_at(cell, places), places.shape)


def window_places(cell: Cell, layer: Pooling) -> np.ndarray:
    """Return int64[1, *kernel]: the places of the window of a pooling."""
    channel, *position = cell.index
    space = cell.x.shape[1:]
    return joint_places(window_positions(layer.window(cell.x.shape), space, position), space, [channel])


def _largest(cell: Cell, terms: Terms, shape: tuple[int, ...]) -> Decomposition:
    """Return the decomposition of the largest of ``terms``, the first of equal ones."""
    return choose(cell, terms, int(np.argmax(terms.values)), terms.values.reshape(shape))


def choose(cell: Cell, terms: Terms, winner: int, window: np.ndarray | None = None) -> Decomposition:
    """Return the decomposition of the term with the number ``winner``."""
    chosen, products = np.zeros(len(terms)), np.zeros(len(terms))
    chosen[winner], products[winner] = 1.0, terms.values[winner]
    picked = Terms(terms.inputs, terms.places, terms.values, chosen, products)
    return Decomposition(picked, cell.layer.formula, window=window, winner=winner, factor_name="chosen")
