"""Random numbers that are a function of (seed, epoch, sample, transform): no state to save, none to restore.

A run that was stopped draws the same numbers when it goes on, whatever the batch size, the number of
threads, or the order in which samples are asked for.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

MULTIPLIERS = (np.uint64(0xD2511F53), np.uint64(0xCD9E8D57))
KEY_STEPS = (0x9E3779B9, 0xBB67AE85)
ROUNDS = 10
LOW = np.uint64(0xFFFFFFFF)
WORD_BITS = np.uint64(32)


def philox(counter: np.ndarray, key: int) -> np.ndarray:
    """Return the random words of Philox4x32-10 for each counter.

    Parameters
    ----------
    counter : uint64[4, ...]
        Four words of 32 bits for each block.
    key : int
        64 bits.

    Returns
    -------
    uint64[4, ...]
        Four random words of 32 bits for each block.

    References
    ----------
    Salmon, Moraes, Dror and Shaw (2011), "Parallel random numbers: as easy as 1, 2, 3", section 4.
    """
    c0, c1, c2, c3 = counter
    keys = [key & 0xFFFFFFFF, key >> 32]
    for _ in range(ROUNDS):
        first, second = c0 * MULTIPLIERS[0], c2 * MULTIPLIERS[1]
        c0 = (second >> WORD_BITS) ^ c1 ^ np.uint64(keys[0])
        c2 = (first >> WORD_BITS) ^ c3 ^ np.uint64(keys[1])
        c1, c3 = second & LOW, first & LOW
        keys = [(word + step) & 0xFFFFFFFF for word, step in zip(keys, KEY_STEPS, strict=True)]
    return np.stack([c0, c1, c2, c3])


@dataclass(frozen=True)
class Draw:
    """The random numbers of one transform for some samples in one epoch.

    The counter of a block is (sample, epoch, stream, block), the key is the seed.

    Parameters
    ----------
    seed : int
        0 to 2^64 - 1.
    epoch : int
    indices : int64[N]
        The samples by their place in the training split.
    stream : int
        The place of the transform in its augmentation.
    """

    seed: int
    epoch: int
    indices: np.ndarray
    stream: int

    def uniform(self, count: int) -> np.ndarray:
        """Return numbers from 0 to below 1 (float64[N, count]), multiples of 2^-32."""
        blocks = -(-count // 4)
        counter = np.empty((4, len(self.indices), blocks), np.uint64)
        counter[0] = np.asarray(self.indices, np.uint64)[:, np.newaxis]
        counter[1], counter[2] = self.epoch, self.stream
        counter[3] = np.arange(blocks, dtype=np.uint64)
        words = np.moveaxis(philox(counter, self.seed), 0, -1)
        return words.reshape(len(self.indices), -1)[:, :count] * 2.0**-32

    def normal(self, count: int) -> np.ndarray:
        """Return numbers of the standard normal distribution (float64[N, count]).

        Pairs of uniforms ``u, v`` give ``sqrt(-2 log(1 - u)) * (cos, sin)(2 pi v)``.

        References
        ----------
        Box and Muller (1958), "A note on the generation of random normal deviates".
        """
        half = -(-count // 2)
        uniform = self.uniform(2 * half)
        radius = np.sqrt(-2 * np.log1p(-uniform[:, :half]))
        angle = 2 * np.pi * uniform[:, half:]
        return np.concatenate([radius * np.cos(angle), radius * np.sin(angle)], axis=1)[:, :count]
