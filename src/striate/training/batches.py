"""What a training draws its batches from: samples, targets, weights, and their order in every epoch."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from striate.data.augmentation import Augmentation, Mixup
from striate.data.dataset import Dataset
from striate.training.order import balanced_order, epoch_order


@dataclass(frozen=True, eq=False)
class Batch:
    """Samples for one step.

    Parameters
    ----------
    inputs : uint8 or float32 [*, C, *space], contiguous
    index : int64[n]
        Which of ``inputs``.
    targets : float32[n] or float32[n, T]
    weights : float32[n] or None
        How much each sample counts; None for 1.
    """

    inputs: np.ndarray
    index: np.ndarray
    targets: np.ndarray
    weights: np.ndarray | None

    def part(self, start: int, stop: int) -> Batch:
        """Return some samples of the batch."""
        weights = None if self.weights is None else self.weights[start:stop]
        return Batch(self.inputs, self.index[start:stop], self.targets[start:stop], weights)

    def __len__(self) -> int:
        return len(self.index)


@dataclass(frozen=True, eq=False)
class Batches:
    """The samples of a training, ready for the engine.

    Parameters
    ----------
    inputs : uint8 or float32 [N, C, *space], contiguous
    targets : int64[N] or float32[N, T]
        Class numbers, or regression targets.
    seed : int
    weights : float32[N] or None
        How much each sample counts; None for 1.
    balanced : bool
        Every epoch draws as many samples of each class.
    shares : int
        The number of classes if targets are handed over as one share for each class, else 0.
    smoothing : float
        The part of the truth that is spread over all classes.
    augmentation : Augmentation or None
    """

    inputs: np.ndarray
    targets: np.ndarray
    seed: int
    weights: np.ndarray | None = None
    balanced: bool = False
    shares: int = 0
    smoothing: float = 0.0
    augmentation: Augmentation | None = None

    @classmethod
    def of(cls, dataset: Dataset, seed: int, **more: object) -> Batches:
        """Prepare a data set."""
        targets = dataset.targets
        labels = targets if np.issubdtype(targets.dtype, np.integer) else np.ascontiguousarray(targets, np.float32)
        return cls(np.ascontiguousarray(dataset.inputs), labels, seed, **more)  # type: ignore[arg-type]

    @property
    def dtype(self) -> np.dtype:
        """The type of the inputs that the engine gets."""
        return np.dtype(np.float32) if self.augmentation is not None else self.inputs.dtype

    def order(self, epoch: int) -> np.ndarray:
        """Return the samples of an epoch, int64[N], in the order in which they are learnt from."""
        if self.balanced:
            return balanced_order(self.targets, self.seed, epoch)
        return epoch_order(len(self.inputs), self.seed, epoch)

    def batch(self, index: np.ndarray, epoch: int) -> Batch:
        """Return the samples ``index`` (int64[n]) as they are in an epoch."""
        weights = None if self.weights is None else self.weights[index]
        if self.augmentation is None:
            return Batch(self.inputs, index, self._targets(index), weights)
        changed = self.augmentation.apply(self.inputs[index], self.seed, epoch, index)
        inputs, targets = np.ascontiguousarray(changed, np.float32), self._targets(index)
        mix = self.augmentation.mix_weights(self.seed, epoch, index)
        if mix is not None:
            targets = Mixup.blend(targets, mix)
        return Batch(inputs, np.arange(len(index)), targets, weights)

    def of_epoch(self, order: np.ndarray, epoch: int, size: int, first: int) -> Iterator[Batch]:
        """Yield the batches of an epoch from number ``first`` on; what must be computed is computed ahead."""
        pieces = (order[start : start + size] for start in range(first * size, len(order), size))
        if self.augmentation is None:
            for index in pieces:
                yield self.batch(index, epoch)
            return
        with ThreadPoolExecutor(1) as ahead:
            waiting: Future[Batch] | None = None
            for index in pieces:
                following = ahead.submit(self.batch, index, epoch)
                if waiting is not None:
                    yield waiting.result()
                waiting = following
            if waiting is not None:
                yield waiting.result()

    def _targets(self, index: np.ndarray) -> np.ndarray:
        targets = self.targets[index]
        if not self.shares:
            return targets
        shares = np.full((len(index), self.shares), self.smoothing / self.shares, np.float32)
        shares[np.arange(len(index)), targets] += np.float32(1.0 - self.smoothing)
        return shares
