"""Contestants take turns in one run, so that a machine that slows down slows all of them."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

Work = Callable[[int], None]
"""Does a number of repetitions, and returns when all of them are done."""
PAUSE_SECONDS = 0.05  # threads of the contestant before may still be spinning


@dataclass(frozen=True)
class Speeds:
    """Items per second of each contestant, one figure per round."""

    rounds: dict[str, list[float]]

    def median(self, name: str) -> float:
        """Return the median of ``name``."""
        return statistics.median(self.rounds[name])

    def ratio(self, name: str, other: str) -> tuple[float, float, float]:
        """Return how many times as fast ``name`` is as ``other``: median, least and largest over the rounds."""
        ratios = [a / b for a, b in zip(self.rounds[name], self.rounds[other], strict=True)]
        return statistics.median(ratios), min(ratios), max(ratios)


def alternate(contestants: dict[str, Work], items: int, rounds: int, seconds: float) -> Speeds:
    """Time every contestant once per round.

    Parameters
    ----------
    contestants : dict of name -> work
    items : int
        What one repetition handles (images of a batch).
    rounds : int
    seconds : float
        How long one timing takes, about.
    """
    repetitions = {name: _repetitions(work, seconds) for name, work in contestants.items()}
    speeds: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, work in contestants.items():
            time.sleep(PAUSE_SECONDS)
            work(1)
            taken = timed(work, repetitions[name])
            speeds[name].append(items * repetitions[name] / taken)
    return Speeds(speeds)


def fastest(settings: list[Work], seconds: float = 0.3) -> Work:
    """Return the fastest of the settings of one contestant."""

    def cost(work: Work) -> float:
        count = _repetitions(work, seconds)
        return timed(work, count) / count

    return min(settings, key=cost)


def timed(work: Work, repetitions: int) -> float:
    """Return the seconds that ``repetitions`` take."""
    start = time.perf_counter()
    work(repetitions)
    return time.perf_counter() - start


def _repetitions(work: Work, seconds: float) -> int:
    work(2)
    count = 1
    while (taken := timed(work, count)) < seconds / 4:
        count *= 2
    return max(1, round(count * seconds / taken))
