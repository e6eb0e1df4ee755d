"""Values of fully connected layers and embeddings taken apart."""

from __future__ import annotations

import numpy as np

from striate.explain.decompositions.terms import Cell, Decomposition, Terms, decomposes, terms_at
from striate.layers.dense import Linear, RadialBasis
from striate.layers.embedding import Embedding
from striate.reference.dense import centres


@decomposes(Linear)
def linear(cell: Cell) -> Decomposition:
    """``sum over c of weight[k, c] * x[c] + bias[k]``."""
    k = cell.index[0]
    constants = {"bias": float(cell.parameters["bias"][k])} if "bias" in cell.parameters else {}
    terms = terms_at(cell, np.arange(cell.x.size), cell.parameters["weight"][k])
    return Decomposition(terms, "sum of weight * x" + " + bias" * bool(constants), constants)


@decomposes(RadialBasis)
def radial(cell: Cell) -> Decomposition:
    """``sum over c of (x[c] - centre[k, c])^2``."""
    centre = centres(cell.layer, dict(cell.parameters))[cell.index[0]]
    terms = terms_at(cell, np.arange(cell.x.size), centre, (cell.x - centre) ** 2)
    return Decomposition(terms, "sum of (x - centre)^2", factor_name="centre")


@decomposes(Embedding)
def embedding(cell: Cell) -> Decomposition:
    """The entry of the table that the symbol names."""
    dimension, place = cell.index
    values = cell.x.ravel()
    weight = cell.parameters["weight"][int(values[place]), dimension]
    terms = terms_at(cell, np.array([place]))
    entry = Terms(terms.inputs, terms.places, terms.values, None, np.array([weight]))
    return Decomposition(entry, "weight[symbol, dimension]", statistics={"symbol": float(values[place])})
