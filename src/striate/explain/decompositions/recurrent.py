"""Values of recurrent layers taken apart."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from striate.explain.decompositions.terms import Cell, Decomposition, decomposes, terms_at
from striate.layers.recurrent import GRU, LSTM, Recurrent
from striate.reference.recurrent import run


@decomposes(Recurrent)
def recurrent(cell: Cell) -> Decomposition:
    """The candidate is a sum over the inputs at one position; the gates and the state before stand beside it."""
    layer, parameters = cell.layer, dict(cell.parameters)
    feature, position = cell.index
    channels, length = cell.x.shape
    number = length - 1 - position if layer.reverse else position
    states, values = run(layer, parameters, cell.x[np.newaxis])
    gates = {name: float(array[0, feature]) for name, array in values[number].items()}
    h, c = (state[0] for state in states[number])
    candidate = layer.gates.index("candidate") if "candidate" in layer.gates else 0
    row = candidate * layer.features + feature
    terms = terms_at(cell, np.arange(channels) * length + position, parameters["weight"][row])
    own = parameters["recurrent_weight"][row]
    constants = {"state": float(own @ h)}
    if layer.bias:
        constants["bias"] = float(parameters["bias"][row])
    before = {"h[t-1]": float(h[feature])}
    finish, text = _finish(layer, gates, float(h[feature]), float(c[feature]))
    if isinstance(layer, LSTM):
        before["c[t-1]"] = float(c[feature])
    if isinstance(layer, GRU):
        reset = values[number]["reset"][0]
        constants["state"] = gates["reset"] * gates["product"] if layer.reset_after else float(own @ (reset * h))
    shown = {name: gates[name] for name in layer.gates if name in gates}
    return Decomposition(
        terms, layer.formula, constants, finish=finish, finish_rule=text, statistics={**before, **shown}
    )


def _finish(layer: Any, gates: dict[str, float], h: float, c: float) -> tuple[Callable[[float], float], str]:
    """Return what is done with the sum of the candidate, and the same in symbols."""
    if isinstance(layer, LSTM):
        kept = gates["forget"] * c
        text = "output * tanh(forget * c[t-1] + input * tanh(sum))"
        return (lambda total: gates["output"] * math.tanh(kept + gates["input"] * math.tanh(total))), text
    if isinstance(layer, GRU):
        update, text = gates["update"], "(1 - update) * tanh(sum) + update * h[t-1]"
        return (lambda total: (1 - update) * math.tanh(total) + update * h), text
    if layer.activation == "tanh":
        return math.tanh, "tanh(sum)"
    return (lambda total: max(total, 0.0)), "max(sum, 0)"
