"""Predict how fast a program would run on more cores: measured tasks, assigned to simulated threads."""

from __future__ import annotations

import heapq
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np

from striate.engine.binding import Selection
from striate.engine.footprint import Known, uses
from striate.engine.program import Program
from striate.engine.team import Team


@dataclass(frozen=True)
class Measured:
    """What a run of a program consists of.

    Parameters
    ----------
    phases : list of float64[tasks]
        The seconds that each task of each phase takes alone.
    barrier_seconds : float
        What a phase of empty tasks costs two threads.
    bytes : list of float
        What the tasks of each phase move between memory and the cores.
    bytes_per_second : float
        What memory gives all cores together.
    """

    phases: list[np.ndarray]
    barrier_seconds: float
    bytes: list[float] = field(default_factory=list)
    bytes_per_second: float = float("inf")

    @property
    def total_seconds(self) -> float:
        """All tasks, one after the other."""
        return float(sum(phase.sum() for phase in self.phases))

    def seconds(self, threads: int) -> float:
        """Return the time of a run on a number of threads.

        As in the runner, a thread that is free takes the next task of the phase, and the next phase begins when
        the last task is done, but not before memory has moved what the tasks need. Every further thread makes the
        end of a phase cost as much more as the second one: each adds to the same counters.
        """
        barriers = len(self.phases) * self.barrier_seconds * (threads - 1)
        moved = [size / self.bytes_per_second for size in self.bytes] or [0.0] * len(self.phases)
        spans = (max(_makespan(phase, threads), least) for phase, least in zip(self.phases, moved, strict=True))
        return sum(spans) + barriers

    def speed_up(self, threads: int) -> float:
        """Return the speed-up of a run on ``threads`` threads over one thread."""
        return self.seconds(1) / self.seconds(threads)


def _makespan(tasks: Sequence[float] | np.ndarray, threads: int) -> float:
    """Return when the last of ``tasks`` ends if free threads take them in order."""
    free = [0.0] * min(threads, len(tasks))
    for task in tasks:
        heapq.heapreplace(free, free[0] + float(task))
    return max(free)


def measure(
    team: Team, sections: tuple[str, ...] | None = None, rounds: int = 15, *, bandwidth: bool = False
) -> Measured:
    """Time every task of some sections alone, repeatedly, and return the shortest times.

    With ``bandwidth`` the bytes that the tasks move are counted, and what memory gives is measured.

    The program must have run before, so that its tasks work on numbers of the usual size.
    """
    whole = team.select(sections)
    nothing = _seconds(team, _part(whole, 0, empty=True), rounds)
    phases = []
    for first, count in whole.phases:
        times = [_seconds(team, _part(whole, first + task), rounds) - nothing for task in range(count)]
        phases.append(np.maximum(times, 1e-9))
    barrier = _barrier_seconds(team, whole, rounds)
    if not bandwidth:
        return Measured(phases, barrier)
    return Measured(phases, barrier, moved_bytes(team.program, sections), memory_bandwidth())


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
    """Return the overhead of a phase on two threads, measured with phases of two empty tasks."""
    tasks = np.repeat(_part(whole, 0, empty=True).tasks, 2, axis=0)
    times = {}
    for phases in (1, 65):
        table = np.array([[0, 2]] * phases, np.int64)
        selection = Selection(table, tasks, [], np.zeros(0, np.int64))
        times[phases] = _seconds(team, selection, rounds, threads=2)
    return max(0.0, (times[65] - times[1]) / 64)


SHARED_CACHE_BYTES = 2**24  # segments that are smaller stay in the cache that all cores share


def moved_bytes(program: Program, sections: tuple[str, ...] | None = None) -> list[float]:
    """Return the bytes of large segments that the tasks of each phase read or write, each byte counted once."""
    known: Known = {}
    found = []
    for phase in program.phases:
        spans: dict[str, list[np.ndarray]] = {}
        chosen = False
        for registers, span in zip(phase.tasks, phase.spans, strict=True):
            for row in phase.rows[slice(*span)]:
                if row.request is not None and (sections is None or row.section in sections):
                    chosen = True
                    for use in uses(program, row, registers, program.shards, known):
                        if program.segments[use.place.segment].size > SHARED_CACHE_BYTES:
                            runs = np.stack([use.begins, use.ends], axis=1) + use.place.offset
                            spans.setdefault(use.place.segment, []).append(runs)
        if chosen:
            found.append(float(sum(_covered(np.concatenate(runs)) for runs in spans.values())))
    return found


def _covered(runs: np.ndarray) -> int:
    """Return the number of bytes in at least one of the runs (begin, end)."""
    runs = runs[np.argsort(runs[:, 0], kind="stable")]
    reached = np.maximum.accumulate(np.append(0, runs[:-1, 1]))
    return int(np.maximum(runs[:, 1] - np.maximum(runs[:, 0], reached), 0).sum())


def memory_bandwidth(size: int = 2**27, rounds: int = 5) -> float:
    """Return the bytes per second that two threads copying large arrays read and write together."""
    arrays = [np.ones(size // 8) for _ in range(4)]
    best = float("inf")
    with ThreadPoolExecutor(2) as pool:
        for _ in range(rounds):
            begin = time.perf_counter()
            copies = [pool.submit(np.copyto, arrays[2 * i + 1], arrays[2 * i]) for i in range(2)]
            for copy in copies:
                copy.result()
            best = min(best, time.perf_counter() - begin)
    return 4 * size / best
