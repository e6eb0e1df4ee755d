"""The batches of a training: samples, targets, weights, and their order in every epoch."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any

import numpy as np

from striate.data.augmentation import Augmentation, Mixup
from striate.data.dataset import Dataset
from striate.data.streaming import Stream, blocks
from striate.machine import available_threads
from striate.training.augmenter import Augmenter
from striate.training.order import balanced_order, epoch_order

Block = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Which samples, and an array and the places in it where they are."""
GROUP_SAMPLES = 4096  # changed together at most
GROUP_BYTES = 1 << 25  # that they may take, unless a single batch takes more


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
    inputs : uint8 or float32 [N, C, *space], contiguous, or Stream
    targets : int64[N] or float32[N, T]
        Class numbers, or regression targets.
    seed : int
    weights : float32[N] or None
        How much each sample counts; None for 1.
    balanced : bool
        Every epoch draws as many samples of each class.
    labels : int64[N], optional
        The class of each sample, for balance; the targets by default.
    shares : int
        The number of classes if targets are handed over as one share for each class, else 0.
    smoothing : float
        The part of the truth that is spread over all classes.
    augmentation : Augmentation or None
    threads : int or None
        That change samples; the processor's by default.
    own : function of the size of a batch, optional
        The parts of a batch whose samples are changed, as slices; the others are left empty. By default all are.
    """

    inputs: Any
    targets: np.ndarray
    seed: int
    weights: np.ndarray | None = None
    balanced: bool = False
    labels: np.ndarray | None = None
    shares: int = 0
    smoothing: float = 0.0
    augmentation: Augmentation | None = None
    threads: int | None = None
    own: Callable[[int], list[slice]] | None = None

    @classmethod
    def of(cls, dataset: Dataset, seed: int, targets: np.ndarray | None = None, **more: object) -> Batches:
        """Prepare a data set; ``targets`` stand for its own."""
        targets = dataset.targets if targets is None else targets
        labels = targets if np.issubdtype(targets.dtype, np.integer) else np.ascontiguousarray(targets, np.float32)
        inputs = dataset.inputs if isinstance(dataset.inputs, Stream) else np.ascontiguousarray(dataset.inputs)
        return cls(inputs, labels, seed, **more)  # type: ignore[arg-type]

    @property
    def dtype(self) -> np.dtype:
        """The type of the inputs that the engine gets."""
        return np.dtype(np.float32) if self.augmentation is not None else self.inputs.dtype

    def order(self, epoch: int) -> np.ndarray:
        """Return the samples of an epoch, int64[N], in training order."""
        if self.balanced:
            labels = self.targets if self.labels is None else self.labels
            return balanced_order(labels, self.seed, epoch)
        return epoch_order(len(self.inputs), self.seed, epoch)

    @cached_property
    def augmenter(self) -> Augmenter | None:
        """The augmenter of the samples, if there is one."""
        return None if self.augmentation is None else Augmenter(self.augmentation, self.seed)

    def batch(self, index: np.ndarray, epoch: int) -> Batch:
        """Return the samples ``index`` (int64[n]) as they are in an epoch."""
        found = next(blocks(self.inputs, [index]))
        matrices = None if self.augmenter is None else self.augmenter.matrices(index, epoch, self.space)
        return self._batch(found, epoch, matrices)

    def _batch(
        self,
        found: Block,
        epoch: int,
        matrices: np.ndarray | None,
        own: Callable[[int], list[slice]] | None = None,
    ) -> Batch:
        """Return a batch of samples that have been read, augmented if requested."""
        index, block, places = found
        weights = None if self.weights is None else self.weights[index]
        if self.augmenter is None:
            return Batch(block, places, self._targets(index), weights)
        mix, targets = self.augmenter.mix(index, epoch), self._targets(index)
        if own is None or mix is not None:  # mixup blends samples of the whole batch
            inputs = self.augmenter.apply(block, places, index, epoch, matrices)
        else:
            inputs = np.empty((len(index), *self.inputs.shape[1:]), np.float32)
            for part in own(len(index)):
                some = None if matrices is None else matrices[part]
                inputs[part] = self.augmenter.apply(block, places[part], index[part], epoch, some)
        if mix is not None:
            targets = Mixup.blend(targets, mix)
        return Batch(inputs, np.arange(len(index)), targets, weights)

    def of_epoch(self, order: np.ndarray, epoch: int, size: int, first: int) -> Iterator[Batch]:
        """Yield the batches of an epoch from number ``first`` on.

        Samples are changed for several batches together, on all threads while the engine rests. Changing them
        beside the engine made LeNet-5 slower: three threads then shared two cores (60 against 70 % of the
        speed without augmentation).
        """
        parts = [order[start : start + size] for start in range(first * size, len(order), size)]
        found = blocks(self.inputs, parts, self.threads)
        if self.augmenter is None:
            yield from (self._batch(each, epoch, None) for each in found)
            return
        many = max(1, min(GROUP_SAMPLES, GROUP_BYTES // self._sample_bytes) // size)
        with ThreadPoolExecutor(self.threads or available_threads()) as pool:
            while group := list(islice(found, many)):
                yield from self._changed(pool, group, epoch)

    def _changed(self, pool: ThreadPoolExecutor, group: list[Block], epoch: int) -> Iterator[Batch]:
        """Return some batches of augmented samples; random numbers are drawn for all at once, which is faster."""
        assert self.augmenter is not None
        matrices = self.augmenter.matrices(np.concatenate([part for part, _, _ in group]), epoch, self.space)
        ends = np.cumsum([len(part) for part, _, _ in group])
        moves = [None] * len(group) if matrices is None else np.split(matrices, ends[:-1])
        return iter(list(pool.map(lambda each, some: self._batch(each, epoch, some, self.own), group, moves)))

    @property
    def space(self) -> tuple[int, ...]:
        """The axes of space of a sample."""
        return tuple(self.inputs.shape[2:])

    @property
    def _sample_bytes(self) -> int:
        return 4 * max(1, math.prod(map(int, self.inputs.shape[1:])))

    def _targets(self, index: np.ndarray) -> np.ndarray:
        targets: np.ndarray = self.targets[index]
        if not self.shares:
            return targets
        shares = np.full((len(index), self.shares), self.smoothing / self.shares, np.float32)
        shares[np.arange(len(index)), targets] += np.float32(1.0 - self.smoothing)
        return shares
