"""What a training draws its batches from: samples, targets, weights, and their order in every epoch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from striate.data.dataset import Dataset
from striate.training.order import balanced_order, epoch_order


@dataclass(frozen=True, eq=False)
class Batches:
    """The samples of a training, ready for the engine.

    Parameters
    ----------
    inputs : uint8 or float32 [N, C, *space], contiguous
    targets : float32[N] or float32[N, T]
        Class numbers, or regression targets.
    weights : float32[N] or None
        How much each sample counts; None for 1.
    labels : int64[N] or None
        Class numbers, if every epoch draws as many samples of each class; None for each sample once.
    seed : int
    """

    inputs: np.ndarray
    targets: np.ndarray
    weights: np.ndarray | None
    labels: np.ndarray | None
    seed: int

    @classmethod
    def of(cls, dataset: Dataset, seed: int, weights: np.ndarray | None = None, balanced: bool = False) -> Batches:
        """Prepare a data set."""
        return cls(
            np.ascontiguousarray(dataset.inputs),
            np.ascontiguousarray(dataset.targets, np.float32),
            None if weights is None else np.ascontiguousarray(weights, np.float32),
            dataset.targets if balanced else None,
            seed,
        )

    def order(self, epoch: int) -> np.ndarray:
        """Return the samples of an epoch, int64[N], in the order in which they are learnt from."""
        if self.labels is not None:
            return balanced_order(self.labels, self.seed, epoch)
        return epoch_order(len(self.inputs), self.seed, epoch)
