"""Mixup: every sample is blended with its neighbour in the batch, and so are their targets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from striate.data.augmentation.checks import check_range
from striate.data.augmentation.counter import Draw


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
        from scipy.special import betaincinv

        drawn = betaincinv(self.alpha, self.alpha, draw.uniform(1)[:, 0])
        return np.maximum(drawn, 1 - drawn)

    @staticmethod
    def blend(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Return values (floating point [N, ...], inputs or targets) blended with their neighbours."""
        own = weights.reshape(-1, *(1,) * (values.ndim - 1)).astype(values.dtype)
        return own * values + (1 - own) * np.roll(values, -1, axis=0)
