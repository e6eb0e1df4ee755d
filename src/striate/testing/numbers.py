"""Numbers for a case that is differentiated: far enough from each other and from 0 that no step meets a kink."""

from __future__ import annotations

import numpy as np

from striate.layers.base import Shape
from striate.reference import Context
from striate.testing.bounds import Values
from striate.testing.draws import Case
from striate.testing.operations import Operation

LEAST_DISTANCE = 0.05  # between two values, as long as there are at most 400


def values_for(entry: Operation, case: Case, batch: int, seed: int, *, training: bool = True) -> Values:
    """Return inputs, parameters and states for ``case`` of the operation ``entry``."""
    rng = np.random.default_rng(seed)
    layer = case.layer
    if entry.indices:
        inputs = [rng.integers(0, layer.entries, (batch, *shape)).astype(np.float64) for shape in case.shapes]
    else:
        apart = 0.02  # so that two inputs differ too
        inputs = [spread(rng, (batch, *shape)) + apart * number for number, shape in enumerate(case.shapes)]
    if entry.above is not None:
        inputs = [np.abs(x) + 0.5 for x in inputs]
    parameters = {spec.name: spread(rng, spec.shape) for spec in layer.parameters(*case.shapes)}
    states = {spec.name: np.abs(spread(rng, spec.shape)) + 0.1 for spec in layer.states(*case.shapes)}
    return Values(tuple(inputs), parameters, Context(training, seed, 3, "layer", states))


def spread(rng: np.random.Generator, shape: Shape) -> np.ndarray:
    """Return evenly spaced numbers around 0, none of them 0, in random order: float64[*shape]."""
    count = int(np.prod(shape))
    step = max(LEAST_DISTANCE, 4.0 / max(count, 1)) * min(1.0, 400 / max(count, 1))
    return rng.permutation((np.arange(count) - count // 2 + 0.53) * step).reshape(shape)
