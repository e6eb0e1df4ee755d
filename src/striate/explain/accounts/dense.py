"""Values of fully connected layers and embeddings taken apart."""

from __future__ import annotations

import numpy as np

from striate.explain.accounts.terms import Account, Cell, Terms, accounts_for, terms_at
from striate.layers.dense import Linear, RadialBasis
from striate.layers.embedding import Embedding
from striate.reference.dense import centres


@accounts_for(Linear)
def linear(cell: Cell) -> Account:
    """``sum over c of weight[k, c] * x[c] + bias[k]``."""
    k = cell.index[0]
    constants = {"bias": float(cell.parameters["bias"][k])} if "bias" in cell.parameters else {}
    terms = terms_at(cell, np.arange(cell.x.size), cell.parameters["weight"][k])
    return Account(terms, "sum of weight * x" + " + bias" * bool(constants), constants)


@accounts_for(RadialBasis)
def radial(cell: Cell) -> Account:
    """``sum over c of (x[c] - centre[k, c])^2``."""
    centre = centres(cell.layer, dict(cell.parameters))[cell.index[0]]
    terms = terms_at(cell, np.arange(cell.x.size), centre, (cell.x - centre) ** 2)
    return Account(terms, "sum of (x - centre)^2", factor_name="centre")


@accounts_for(Embedding)
def embedding(cell: Cell) -> Account:
    """The entry of the table that the symbol names."""
    dimension, place = cell.index
    weight = cell.parameters["weight"][int(cell.x.ravel()[place]), dimension]
    terms = terms_at(cell, np.array([place]))
    looked_up = Terms(terms.inputs, terms.places, terms.values, None, np.array([weight]))
    return Account(looked_up, "weight[symbol, dimension]", statistics={"symbol": float(cell.x.ravel()[place])})
