"""A bound for layers that state none: what their numbers move by when inputs and parameters are rounded.

A stable float32 computation gives what exact arithmetic gives for arguments that differ by a few roundings (Higham
2002, "Accuracy and Stability of Numerical Algorithms", section 1.5), so its error is about the number of roundings
times the sensitivity. The sensitivity is taken from runs of the reference in which every argument differs by a
random small share of itself.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

import numpy as np

from striate.testing.bounds import Result, Roundings, Values, exact
from striate.testing.draws import Case

RUNS = 16
SHARE = 1e-7  # of itself, by which each argument differs
STEPS = 64  # roundings of an elementary function with room to spare


def sensitive(case: Case, values: Values, grad: np.ndarray) -> Result:
    """Magnitudes of any operation: the number itself, and what it moves by for each unit that arguments move."""
    truth, rng = exact(case, values, grad), np.random.default_rng(0)

    def moved(array: np.ndarray) -> np.ndarray:
        return array * (1.0 + SHARE * rng.choice([-1.0, 1.0], array.shape))

    total = _map(np.abs, truth)
    for _ in range(RUNS):
        near = dataclasses.replace(
            values,
            inputs=tuple(map(moved, values.inputs)),
            parameters={key: moved(value) for key, value in values.parameters.items()},
        )
        result = exact(case, near, moved(grad))
        total = _map(lambda t, a, b: t + np.abs(a - b) / SHARE, total, result, truth)
    return total


def roundings(case: Case, batch: int) -> Roundings:
    """As many as there are products in a number, and some for functions; parameters sum over the batch."""
    outputs = math.prod(case.output_shape)
    terms = STEPS + 2 * case.layer.multiply_adds(*case.shapes) // outputs
    return Roundings(terms, terms, terms + batch * outputs)


def _map(function: Callable[..., np.ndarray], *results: Result) -> Result:
    """Apply ``function`` to the arrays of several results that stand at the same place."""
    return Result(
        function(*(r.output for r in results)),
        tuple(function(*arrays) for arrays in zip(*(r.inputs for r in results), strict=True)),
        {key: function(*(r.parameters[key] for r in results)) for key in results[0].parameters},
    )
