"""Checks that every value of a layer is the sum of the terms that explain it."""

from __future__ import annotations

import numpy as np

from striate.explain.decompositions import Cell, Decomposition, decompose
from striate.testing.bounds import forward
from striate.testing.draws import Case
from striate.testing.numbers import values_for
from striate.testing.operations import Operation

CELLS = 4
TOLERANCE = 1e-12  # of the largest of the value and the sum of the absolute terms


def check_explanation(entry: Operation, case: Case, batch: int, seed: int) -> None:
    """A few values, taken apart, are the sums of their terms, and the terms name what stands in the inputs."""
    rng = np.random.default_rng(seed)
    for _ in range(CELLS):
        cell = cell_of(entry, case, seed, int(rng.integers(2**31)))
        found, value = decompose(cell), float(cell.output[cell.index])
        if not error(found, value) <= TOLERANCE:
            raise AssertionError(f"value {value!r} at {cell.index}; its terms give {found.result!r}")
        _check_places(found, cell)


def cell_of(entry: Operation, case: Case, seed: int, pick: int) -> Cell:
    """Return one value of the layer on one sample, chosen by ``pick``."""
    values = values_for(entry, case, 1, seed, training=False)
    output = forward(case, values)[0]
    index = tuple(int(i) for i in np.unravel_index(pick % output.size, output.shape))
    inputs = tuple(x[0] for x in values.inputs)
    return Cell(case.layer, values.parameters, inputs, index, values.context.states, output)


def error(found: Decomposition, value: float) -> float:
    """Return how far the terms are from ``value``, relative to what is added."""
    amounts = [abs(value)]
    if not found.product:
        amounts.append(float(np.abs(found.terms.products).sum()) + sum(map(abs, found.constants.values())))
    return abs(found.result - value) / max(*amounts, 1e-300)


def _check_places(found: Decomposition, cell: Cell) -> None:
    terms = found.terms
    inside = terms.places >= 0
    flat = [x.ravel() for x in cell.inputs]
    read = [flat[n][place] for n, place in zip(terms.inputs[inside], terms.places[inside], strict=True)]
    np.testing.assert_array_equal(terms.values[inside], read, err_msg="terms name other values than they hold")
