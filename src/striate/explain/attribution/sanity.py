"""Whether a map depends on what the model learnt: the test of randomised weights."""

from __future__ import annotations

from typing import Any

import numpy as np

from striate.errors import unknown_name
from striate.explain.attribution.methods import attribute
from striate.model import Model


def randomised(model: Model, seed: int = 0, down_to: str | None = None) -> Model:
    """Return the model with its weights shuffled, from the output down to the layer ``down_to`` (all by default).

    Each parameter keeps its numbers and loses their places, so that nothing changes but what was learnt.

    Raises
    ------
    UsageError
        If there is no such layer.

    References
    ----------
    Adebayo et al. (2018), "Sanity checks for saliency maps", section 3 (cascading randomization).
    """
    names = [step.name for step in model.network.steps]
    if down_to is not None and down_to not in names:
        raise unknown_name(f"{model.network.name}: layer", down_to, names)
    rng, theta = np.random.default_rng(seed), model.theta.copy()
    for step in reversed(model.network.steps):
        for slot in step.parameters:
            view = slot.view(theta)
            view[...] = rng.permutation(view.ravel()).reshape(view.shape)
        if step.name == down_to:
            break
    return Model(model.network, theta, model.states, model.classes, model.normalisation)


def sanity_check(
    model: Model, sample: Any, method: str, target: int | str | None = None, *, seeds: int = 5, **options: Any
) -> float:
    """Return how similar a map is to those of the same model with shuffled weights, from -1 to 1.

    It is the mean over ``seeds`` shuffles of ``rank_correlation``. A map that comes near 1 shows the picture
    rather than what the model learnt.

    References
    ----------
    Adebayo et al. (2018), "Sanity checks for saliency maps", section 3.1.
    """
    own = attribute(model, sample, method, target, **options)
    others = [attribute(randomised(model, seed), sample, method, own.target, **options) for seed in range(seeds)]
    return float(np.mean([rank_correlation(own.values, other.values) for other in others]))


def rank_correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Return Spearman's correlation of two maps, signs included, where one of them is not 0; 0 if one is constant.

    Positions where both are 0 say nothing of the model: a method that multiplies by the input is 0 wherever
    the picture is black.

    Examples
    --------
    >>> round(rank_correlation(np.array([1.0, 2.0, 0.0, 3.0]), np.array([10.0, 20.0, 0.0, 40.0])), 9)
    1.0
    """
    somewhere = ((a != 0) | (b != 0)).ravel()
    first, second = (_ranks(values.ravel()[somewhere]) for values in (a, b))
    if first.size < 2 or np.ptp(first) == 0 or np.ptp(second) == 0:
        return 0.0
    return float(np.corrcoef(first, second)[0, 1])


def _ranks(values: np.ndarray) -> np.ndarray:
    """Return the place of each value among all, equal ones sharing the mean of theirs."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[inverse]
