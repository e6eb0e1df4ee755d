"""How fast a program would run on more cores than there are: measured tasks, dealt out to threads on paper."""

from __future__ import annotations

import heapq
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from striate.engine.binding import Selection
from striate.engine.team import Team


@dataclass(frozen=True)
class Measured:
    """What a run of a program consists of.

    Parameters
    ----------
    phases : list of float64[tasks]
        The seconds that each task of each phase takes alone.
    barrier_seconds : float
        What ending a phase costs two threads.
    """

    phases: list[np.ndarray]
    barrier_seconds: float

    @property
    def total_seconds(self) -> float:
        """All tasks, one after the other."""
        return float(sum(phase.sum() for phase in self.phases))

    def seconds(self, threads: int) -> float:
        """Return the time of a run on so many threads.

        As in the runner, a thread that is free takes the next task of the phase, and the next phase begins when
        the last task is done. Every further thread makes the end of a phase cost as much more as the second one:
        each adds to the same counters.
        """
        barriers = len(self.phases) * self.barrier_seconds * (threads - 1)
        return sum(_makespan(phase, threads) for phase in self.phases) + barriers

    def speed_up(self, threads: int) -> float:
        """Return how many times as fast as on one thread a run is on ``threads``."""
        return self.seconds(1) / self.seconds(threads)


def _makespan(tasks: Sequence[float] | np.ndarray, threads: int) -> float:
    """Return when the last of ``tasks`` ends that free threads take in order."""
    free = [0.0] * min(threads, len(tasks))
    for task in tasks:
        heapq.heapreplace(free, free[0] + float(task))
    return max(free)


def measure(team: Team, sections: tuple[str, ...] | None = None, rounds: int = 15) -> Measured:
    """Run every task of some sections alone, again and again, and return the least times.

    The program must have run before, so that its tasks work on numbers of the usual size.
    """
    whole = team.select(sections)
    nothing = _seconds(team, _part(whole, 0, empty=True), rounds)
    phases = []
    for first, count in whole.phases:
        times = [_seconds(team, _part(whole, first + task), rounds) - nothing for task in range(count)]
        phases.append(np.maximum(times, 1e-9))
    return Measured(phases, _barrier_seconds(team, whole, rounds))


def _part(whole: Selection, task: int, *, empty: bool = False) -> Selection:
    """Return a selection of a single task, or of one without rows."""
    tasks = whole.tasks[task : task + 1].copy()
    if empty:
        tasks[0, 1] = tasks[0, 0]
    return Selection(np.array([[0, 1]], np.int64), tasks, [], np.zeros(0, np.int64))


def _seconds(team: Team, selection: Selection, rounds: int, threads: int = 1) -> float:
    """Return the least time of a run of a selection."""
    run = team.prepare(selection)
    team.run_prepared(run, threads)
    begin = time.perf_counter()
    team.run_prepared(run, threads)
    repetitions = max(1, int(2e-4 / max(time.perf_counter() - begin, 1e-7)))
    best = float("inf")
    for _ in range(rounds):
        begin = time.perf_counter()
        for _ in range(repetitions):
            team.run_prepared(run, threads)
        best = min(best, (time.perf_counter() - begin) / repetitions)
    return best


def _barrier_seconds(team: Team, whole: Selection, rounds: int) -> float:
    """Return what a phase costs two threads beyond what it costs one: measured on phases of empty tasks."""
    tasks = np.repeat(_part(whole, 0, empty=True).tasks, 2, axis=0)
    times = {}
    for phases in (1, 65):
        table = np.array([[0, 2]] * phases, np.int64)
        selection = Selection(table, tasks, [], np.zeros(0, np.int64))
        times[phases] = [_seconds(team, selection, rounds, threads) for threads in (1, 2)]
    one, two = ((times[65][i] - times[1][i]) / 64 for i in range(2))
    return max(0.0, two - one)
