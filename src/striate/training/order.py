"""The order of the samples in an epoch: a pure function of the seed and the epoch."""

from __future__ import annotations

import numpy as np

_STREAM = 0x6F72646572  # separates these numbers from others drawn with the same seed


def epoch_order(count: int, seed: int, epoch: int) -> np.ndarray:
    """Return a permutation of 0 to ``count - 1``, int64[count], for one epoch.

    It sorts raw words of a Philox generator (counter-based, its stream fixed for good), so any epoch's
    order is known without those before it.
    """
    return np.argsort(_words(count, seed, epoch), kind="stable")


def balanced_order(labels: np.ndarray, seed: int, epoch: int) -> np.ndarray:
    """Return N samples, int64[N], with equally many of each class, in shuffled order.

    Where a class has fewer, its samples are repeated, each as often as the others or once more; where
    it has more, every epoch draws another part of them. Counts that do not divide differ by one.

    Parameters
    ----------
    labels : int64[N]
        The class of each sample.
    seed, epoch : int
    """
    present = np.unique(labels)
    chosen = []
    for place, label in enumerate(present):
        members = np.flatnonzero(labels == label)
        wanted = len(labels) // len(present) + (place < len(labels) % len(present))
        members = members[epoch_order(len(members), seed, epoch)]
        chosen.append(np.resize(members, wanted))
    joined = np.concatenate(chosen)
    return np.asarray(joined[epoch_order(len(joined), seed, epoch)])


def _words(count: int, seed: int, epoch: int) -> np.ndarray:
    return np.random.Philox(key=[seed, _STREAM], counter=[0, 0, 0, epoch]).random_raw(count)
