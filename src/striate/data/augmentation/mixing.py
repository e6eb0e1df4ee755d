"""Mixup: every sample is blended with its neighbour in the batch, and so are their targets."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from striate.data.augmentation.checks import check_range
from striate.data.augmentation.counter import Draw

STEPS = 4096  # of the table of the beta distribution: the smaller part is exact to 1e-5


@cache
def _smaller_parts(alpha: float) -> tuple[np.ndarray, np.ndarray]:
    """Return values from 0 to 1/2, and the probability that the smaller part of a blend is at most each.

    The density of the beta distribution, ``w^(alpha - 1) * (1 - w)^(alpha - 1)``, has a pole at 0 if alpha is
    below 1; over ``t = w^alpha`` it has none.
    """
    power = min(alpha, 1.0)
    t = np.linspace(0.0, 0.5**power, STEPS)
    parts = t ** (1 / power)
    with np.errstate(divide="ignore"):
        logs = (alpha - 1) * np.log1p(-parts) + ((alpha - power) * np.log(parts) if alpha > power else 0.0)
    density = np.exp(logs - logs.max())
    sums = np.concatenate([[0.0], np.cumsum(density[1:] + density[:-1])])
    return parts, sums / sums[-1]


@dataclass(frozen=True)
class Mixup:
    """``w * x[i] + (1 - w) * x[i + 1]`` for inputs and targets; the last sample is blended with the first.

    The weight ``w`` of each sample is drawn from the beta distribution with both parameters ``alpha``, as
    ``max(w, 1 - w)``, so that a sample keeps the larger part of itself. Batches are in random order, so
    that the neighbour is a random partner.

    References
    ----------
    Zhang, Cisse, Dauphin and Lopez-Paz (2018), "mixup: beyond empirical risk minimization".
    """

    alpha: float = 0.2

    def __post_init__(self) -> None:
        check_range("mixup", "alpha", self.alpha, 0.001, 1000)

    def weights(self, draw: Draw) -> np.ndarray:
        """Return the share that each sample keeps (float64[N], from 0.5 to 1)."""
        parts, shares = _smaller_parts(self.alpha)
        return np.asarray(1 - np.interp(draw.uniform(1)[:, 0], shares, parts))

    @staticmethod
    def blend(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Return values (floating point [N, ...], inputs or targets) blended with their neighbours."""
        own = weights.reshape(-1, *(1,) * (values.ndim - 1)).astype(values.dtype)
        return np.asarray(own * values + (1 - own) * np.roll(values, -1, axis=0))
