"""The order of the samples in an epoch: a pure function of the seed and the epoch."""

from __future__ import annotations

import numpy as np

_STREAM = 0x6F72646572  # keeps these numbers apart from others drawn with the same seed


def epoch_order(count: int, seed: int, epoch: int) -> np.ndarray:
    """Return a permutation of 0 to ``count - 1``, int64[count], for one epoch.

    It sorts raw words of a Philox generator (counter-based, its stream fixed for good), so any epoch's
    order is known without those before it.
    """
    words = np.random.Philox(key=[seed, _STREAM], counter=[0, 0, 0, epoch]).random_raw(count)
    return np.argsort(words, kind="stable")
