"""Values of layers that nobody taught us to take apart: the derivative, and what it leaves."""

from __future__ import annotations

import math

import numpy as np

from striate.explain.decompositions.terms import Cell, Decomposition, Terms
from striate.reference.registry import Context, operation


def linearised(cell: Cell) -> Decomposition:
    """``sum of derivative * x + rest``: all that a layer with a reference only lets be said in general."""
    context = Context(states={name: state.copy() for name, state in cell.states.items()})
    inputs = tuple(x[None] for x in cell.inputs)
    grad = np.zeros((1, *cell.output.shape))
    grad[(0, *cell.index)] = 1.0
    backward = operation(cell.layer).backward
    slopes, _ = backward(cell.layer, dict(cell.parameters), inputs, cell.output[None], grad, context)
    found = [np.flatnonzero(slope) for slope in slopes]
    values = np.concatenate([x.ravel()[at] for x, at in zip(cell.inputs, found, strict=True)])
    factors = np.concatenate([slope.ravel()[at] for slope, at in zip(slopes, found, strict=True)])
    numbers = np.repeat(np.arange(len(found)), [len(at) for at in found])
    terms = Terms(numbers, np.concatenate(found), values, factors, values * factors)
    value = float(cell.output[cell.index])
    rest = math.fsum([value, *(-terms.products).tolist()])
    return Decomposition(terms, "sum of derivative * x + rest", {"rest": rest}, factor_name="derivative")
