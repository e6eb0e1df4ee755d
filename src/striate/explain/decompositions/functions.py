"""Values of activations taken apart: what went in, and the function."""

from __future__ import annotations

import math

import numpy as np

from striate.explain.decompositions.terms import Cell, Decomposition, Terms, decomposes, flat_index, terms_at
from striate.layers import activation
from striate.layers.activation import Activation, LogSoftmax, Softmax
from striate.reference.registry import Context, operation

FORMULAE = {
    "Identity": "x",
    "ReLU": "max(x, 0)",
    "LeakyReLU": "x if x > 0 else {slope:g} * x",
    "PReLU": "x if x > 0 else weight * x",
    "ELU": "x if x > 0 else {alpha:g} * (exp(x) - 1)",
    "SELU": "{scale:.6g} * (x if x > 0 else {alpha:.6g} * (exp(x) - 1))",
    "GELU": "x * P(Z <= x)",
    "SiLU": "x / (1 + exp(-x))",
    "Softplus": "log(1 + exp({beta:g} * x)) / {beta:g}",
    "Sigmoid": "1 / (1 + exp(-x))",
    "Tanh": "tanh(x)",
    "HardSigmoid": "x / 6 + 0.5, cut to 0..1",
    "HardTanh": "x cut to {low:g}..{high:g}",
    "HardSwish": "x * (x / 6 + 0.5 cut to 0..1)",
    "Step": "1 if x >= 0 else 0",
}


def formula(layer: Activation) -> str:
    """Return an activation in symbols.

    Examples
    --------
    >>> formula(activation.LeakyReLU(0.2))
    'x if x > 0 else 0.2 * x'
    """
    text = FORMULAE.get(type(layer).__name__, f"{type(layer).__name__}(x)")
    return text.format_map(_Fields(layer))


class _Fields(dict[str, float]):
    def __init__(self, layer: Activation) -> None:
        super().__init__()
        self._layer = layer

    def __missing__(self, key: str) -> float:
        return float(getattr(self._layer, key))


@decomposes(Activation)
def elementwise(cell: Cell) -> Decomposition:
    """One value in, one value out."""
    layer: Activation = cell.layer
    parameters, statistics = {}, {}
    if isinstance(layer, activation.PReLU):
        slope = cell.parameters["weight"][0 if layer.shared else cell.index[0]]
        parameters, statistics = {"weight": np.array([slope])}, {"weight": float(slope)}
    terms = terms_at(cell, np.array([flat_index(cell.index, cell.x.shape)]))
    one = operation(layer).forward(layer, parameters, terms.values.reshape(1, 1), context=Context())
    through = Terms(terms.inputs, terms.places, terms.values, None, one.ravel())
    return Decomposition(through, formula(layer), statistics=statistics)


@decomposes(Softmax, LogSoftmax)
def softmax(cell: Cell) -> Decomposition:
    """``exp(x[c] - m) / sum over d of exp(x[d] - m)`` with the largest input m, or its logarithm."""
    channel, *position = cell.index
    places = np.array([flat_index((c, *position), cell.x.shape) for c in range(len(cell.x))])
    values = cell.x.ravel()[places]
    largest = float(values.max())
    terms = terms_at(cell, places, None, np.exp(values - largest))
    own = float(values[channel]) - largest
    if isinstance(cell.layer, LogSoftmax):
        return Decomposition(
            terms,
            "x - m - log(sum of exp(x - m)), m the largest x",
            finish=lambda total: own - math.log(total),
            finish_rule=f"{own:.6g} - log(sum)",
            statistics={"x": float(values[channel]), "m": largest},
        )
    return Decomposition(
        terms,
        "exp(x - m) / sum of exp(x - m), m the largest x",
        finish=lambda total: math.exp(own) / total,
        finish_rule=f"exp({own:.6g}) / sum",
        statistics={"x": float(values[channel]), "m": largest},
    )
