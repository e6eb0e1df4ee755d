"""Values of activations, softmax, products, norms, distances and tables taken apart."""

from __future__ import annotations

import math

import numpy as np

from striate.explain.decompositions.maximum import window_places
from striate.explain.decompositions.terms import Cell, Decomposition, Terms, decomposes, flat_index, terms_at
from striate.layers.activation import LogSoftmax, PReLU, Softmax
from striate.layers.arithmetic import Multiply
from striate.layers.dense import RadialBasis
from striate.layers.embedding import Embedding
from striate.layers.pooling import LpPooling
from striate.reference.dense import centres


def elementwise(cell: Cell) -> Decomposition:
    """One value in, one value out, by the layer's formula."""
    terms = terms_at(cell, np.array([flat_index(cell.index, cell.x.shape)]))
    through = Terms(terms.inputs, terms.places, terms.values, None, cell.output[cell.index].reshape(1))
    return Decomposition(through, cell.layer.formula)


@decomposes(PReLU)
def prelu(cell: Cell) -> Decomposition:
    """An activation with a slope of its own for each channel."""
    found = elementwise(cell)
    slope = float(cell.parameters["weight"][0 if cell.layer.shared else cell.index[0]])
    return Decomposition(found.terms, found.rule, statistics={"weight": slope})


@decomposes(Softmax, LogSoftmax)
def softmax(cell: Cell) -> Decomposition:
    """``exp(x[c] - m) / sum over d of exp(x[d] - m)`` with the largest input m, or its logarithm."""
    channel, *position = cell.index
    places = np.array([flat_index((c, *position), cell.x.shape) for c in range(len(cell.x))])
    values = cell.x.ravel()[places]
    largest = float(values.max())
    terms = terms_at(cell, places, None, np.exp(values - largest))
    own = float(values[channel]) - largest
    statistics = {"x": float(values[channel]), "m": largest}
    if isinstance(cell.layer, LogSoftmax):
        finish, text = (lambda total: own - math.log(total)), f"{own:.6g} - log(sum)"
    else:
        finish, text = (lambda total: math.exp(own) / total), f"exp({own:.6g}) / sum"
    return Decomposition(terms, cell.layer.formula, finish=finish, finish_rule=text, statistics=statistics)


def broadcast_places(cell: Cell) -> np.ndarray:
    """Return for each input the place that broadcasting puts at the cell, int64[inputs]."""
    places = [
        flat_index(tuple(i if n > 1 else 0 for i, n in zip(cell.index, x.shape, strict=False)), x.shape)
        for x in cell.inputs
    ]
    return np.array(places)


@decomposes(Multiply)
def multiply(cell: Cell) -> Decomposition:
    """``x1 * x2 * ...``, each where broadcasting puts it."""
    places = broadcast_places(cell)
    terms = terms_at(cell, places, source=np.arange(len(places)))
    return Decomposition(terms, cell.layer.formula, product=True)


@decomposes(LpPooling)
def norm(cell: Cell) -> Decomposition:
    """``(sum of |x|^power)^(1/power)``."""
    power = cell.layer.power
    places = window_places(cell, cell.layer)
    terms = terms_at(cell, places)
    terms = Terms(terms.inputs, terms.places, terms.values, None, np.abs(terms.values) ** power)
    return Decomposition(
        terms,
        cell.layer.formula,
        finish=lambda total: total ** (1.0 / power),
        finish_rule=f"sum^(1/{power:g})",
        window=terms.values.reshape(places.shape),
    )


@decomposes(RadialBasis)
def radial(cell: Cell) -> Decomposition:
    """``sum over c of (x[c] - centre[k, c])^2``."""
    centre = centres(cell.layer, dict(cell.parameters))[cell.index[0]]
    terms = terms_at(cell, np.arange(cell.x.size), centre, (cell.x - centre) ** 2)
    return Decomposition(terms, cell.layer.formula, factor_name="centre")


@decomposes(Embedding)
def embedding(cell: Cell) -> Decomposition:
    """The entry of the table that the symbol names."""
    dimension, place = cell.index
    values = cell.x.ravel()
    weight = cell.parameters["weight"][int(values[place]), dimension]
    terms = terms_at(cell, np.array([place]))
    entry = Terms(terms.inputs, terms.places, terms.values, None, np.array([weight]))
    return Decomposition(entry, cell.layer.formula, statistics={"symbol": float(values[place])})
