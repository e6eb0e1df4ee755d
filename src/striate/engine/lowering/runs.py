"""Equally distant terms of sums in runs: a kernel that unrolls them needs the addresses of the first alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from striate.engine.lowering.tiles import EIGHT, sums_of_a_tile

LONGEST = 8


@dataclass(frozen=True)
class Terms:
    """The terms of a sum as a kernel goes through them.

    Parameters
    ----------
    firsts : int64[N, 2]
        A pair of places of each term, or of the first of each run.
    constants : tuple of int
        ``(length, step, step)`` of the runs; empty where terms are listed one by one.
    """

    firsts: np.ndarray
    constants: tuple[int, ...] = ()

    def kernel(self, name: str) -> str:
        """Return the name of the form of a kernel that follows these terms."""
        return f"{name}_runs" if self.constants else name


def terms(pairs: np.ndarray, lanes: int, most_sums: int | None) -> Terms:
    """Return ``pairs`` in runs of one length, where the processor gains by it and they are equally distant.

    With eight sums in a tile, addresses and the loop take more instructions than the products (WebAssembly);
    with more sums, the multiplier is what is waited for. Vectors alone are kept in order.

    Examples
    --------
    >>> found = terms(np.array([[0, 0], [4, 1], [8, 2], [40, 3], [44, 4], [48, 5]]), 4, EIGHT)
    >>> found.firsts.tolist(), found.constants
    ([[0, 0], [40, 3]], (3, 4, 1))
    """
    if lanes == 1 or sums_of_a_tile(lanes, most_sums) > EIGHT:
        return Terms(pairs)
    for length in range(min(LONGEST, len(pairs)), 2, -1):
        if len(pairs) % length:
            continue
        runs = pairs.reshape(-1, length, 2)
        steps = np.diff(runs, axis=1)
        if (steps == steps[0, 0]).all():
            return Terms(runs[:, 0], (length, int(steps[0, 0, 0]), int(steps[0, 0, 1])))
    return Terms(pairs)
