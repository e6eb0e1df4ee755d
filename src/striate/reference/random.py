"""Random numbers as a pure function of where they are used: definition.

All arithmetic is on unsigned 32-bit integers (modulo 2^32), so SIMD lanes of any width repeat it exactly.

    finalise(h):   h ^= h >> 16;  h *= 0x85EBCA6B;  h ^= h >> 13;  h *= 0xC2B2AE35;  h ^= h >> 16
    absorb(h, w) = finalise((h + 0x9E3779B9) ^ w)

    layer key    k = absorb over (seed low, seed high, step low, step high, crc32 of the name) from 0
    sample keys  a = absorb(k, sample),  b = absorb(a, 0x5EED)
    bits         u(element) = finalise(finalise(element ^ a) ^ b)

``finalise`` is the last step of MurmurHash3 (a bijection in which every input bit changes every output
bit with probability one half); low and high are the 32-bit halves of a 64-bit number; the name is UTF-8.

    uniform number        (u >> 8) * 2^-24, in [0, 1)
    keep with dropout     u >= floor(rate * 2^32)
    standard normal       sqrt(-2 ln r) * cos(2 pi t) with r = ((u(2 element) >> 8) + 1) * 2^-24 and
                          t = (u(2 element + 1) >> 8) * 2^-24

``sample`` is the number of the sample in the batch, ``element`` the number of the value in the sample,
channel by channel and row by row (for spatial dropout the number of the channel).

References
----------
Appleby (2011), MurmurHash3; Salmon et al. (2011), "Parallel random numbers: as easy as 1, 2, 3" (the idea
of numbers from counters); Box and Muller (1958), "A note on the generation of random normal deviates".
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable

import numpy as np

from striate.reference.registry import Array

WORD = 0xFFFFFFFF
GOLDEN = 0x9E3779B9
SECOND_KEY = 0x5EED


def finalise(h: Array) -> Array:
    """Return the finaliser of MurmurHash3, uint32 in and out.

    Examples
    --------
    >>> [hex(h) for h in finalise(np.array([0, 1], np.uint32)).tolist()]
    ['0x0', '0x514e28b7']
    """
    h = np.atleast_1d(np.asarray(h, np.uint32)).copy()
    h ^= h >> np.uint32(16)
    h *= np.uint32(0x85EBCA6B)
    h ^= h >> np.uint32(13)
    h *= np.uint32(0xC2B2AE35)
    h ^= h >> np.uint32(16)
    return h


def absorb(h: Array, word: Array | int) -> Array:
    """Return ``finalise((h + 0x9E3779B9) ^ word)``, uint32 in and out."""
    return finalise((np.asarray(h, np.uint32) + np.uint32(GOLDEN)) ^ np.asarray(word, np.uint32))


def layer_key(seed: int, step: int, name: str) -> int:
    """Return the key of a layer in one step, a 32-bit integer."""
    words = (seed & WORD, seed >> 32 & WORD, step & WORD, step >> 32 & WORD, zlib.crc32(name.encode()))
    key: Array = np.zeros(1, np.uint32)
    for word in words:
        key = absorb(key, word)
    return int(key[0])


def random_bits(key: int, samples: Iterable[int], elements: Array) -> Array:
    """Return uint32[N, E]: the random bits of each element of each sample.

    Parameters
    ----------
    key : int
        From ``layer_key``.
    samples : int[N]
    elements : int[E]
        Taken modulo 2^32, as the samples are.
    """
    numbers = (np.asarray(list(samples), np.int64) & WORD).astype(np.uint32)
    first = absorb(np.full(len(numbers), key, np.uint32), numbers)
    second = absorb(first, SECOND_KEY)
    counters = (np.asarray(elements, np.int64) & WORD).astype(np.uint32)
    return finalise(finalise(counters[None, :] ^ first[:, None]) ^ second[:, None])


def keep_mask(key: int, samples: Iterable[int], count: int, rate: float) -> Array:
    """Return bool[N, count]: True with probability ``1 - rate``."""
    return random_bits(key, samples, np.arange(count)) >= np.uint32(int(rate * 2**32))


def normal(key: int, samples: Iterable[int], count: int) -> Array:
    """Return float64[N, count] of mean 0 and variance 1."""
    samples = list(samples)
    elements = 2 * np.arange(count, dtype=np.int64)
    radius = ((random_bits(key, samples, elements) >> np.uint32(8)) + 1.0) * 2.0**-24
    turn = (random_bits(key, samples, elements + 1) >> np.uint32(8)) * 2.0**-24
    return np.asarray(np.sqrt(-2.0 * np.log(radius)) * np.cos(2.0 * np.pi * turn))
