"""Values of layers of several inputs taken apart: the larger, the smaller, the chosen, and sums of products."""

from __future__ import annotations

import numpy as np

from striate.explain.decompositions.maximum import choose
from striate.explain.decompositions.nonlinear import broadcast_places
from striate.explain.decompositions.terms import Cell, Decomposition, decomposes, flat_index, terms_at
from striate.layers.pairwise import MatMul, Maximum, Minimum, Where


@decomposes(Maximum, Minimum)
def extremum(cell: Cell) -> Decomposition:
    """The larger (or the smaller) of two values, the first of equal ones."""
    places = broadcast_places(cell)
    terms = terms_at(cell, places, source=np.arange(len(places)))
    winner = int(np.argmax(terms.values) if isinstance(cell.layer, Maximum) else np.argmin(terms.values))
    return choose(cell, terms, winner)


@decomposes(Where)
def choice(cell: Cell) -> Decomposition:
    """One of two values; the condition comes first."""
    places = broadcast_places(cell)
    terms = terms_at(cell, places, source=np.arange(len(places)))
    return choose(cell, terms, 1 if terms.values[0] > 0 else 2)


@decomposes(MatMul)
def product(cell: Cell) -> Decomposition:
    """``sum over k of x1[i, k] * x2[k, j]``: the terms are of the first matrix, the second has their factors."""
    *before, row, column = cell.index
    first, second = cell.inputs
    places = [flat_index((*before, row, k), first.shape) for k in range(first.shape[-1])]
    matrix = second[tuple(before)]
    return Decomposition(
        terms_at(cell, np.array(places), matrix[:, column]),
        cell.layer.formula,
        factor_name="x2",
    )
