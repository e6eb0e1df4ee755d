"""A program in memory, and the threads that run it together."""

from __future__ import annotations

import numpy as np

from striate.engine.binding import ENTRY, ROW, Bound, Selection
from striate.engine.memory import aligned
from striate.engine.program import REGISTERS
from striate.engine.proof import prove
from striate.engine.workers import JOB, UNUSED_ADDRESS, Workers, shared, yield_address
from striate.kernels.mailboxes import LINE


class Team:
    """The calling thread and up to ``threads - 1`` workers, which run one program again and again.

    The workers belong to the process. While they run another program, the calling thread runs this one alone;
    the results have the same bits.

    Parameters
    ----------
    bound : Bound
    threads : int
    workers : Workers, optional
        The process's by default.
    """

    def __init__(self, bound: Bound, threads: int, workers: Workers | None = None) -> None:
        self.program = bound.program
        self._bound, self._count = bound, threads - 1
        self._workers = shared() if workers is None else workers
        # the buffers of different threads must not share a page, nor the same place in the caches
        self.arenas = [aligned(bound.arena_floats + 1024) for _ in range(threads)]
        self._scratch = [aligned(64 + REGISTERS, np.int64) for _ in range(threads)]
        self._lead = ENTRY(bound.leader)
        self._runs: dict[tuple[str, ...] | None, Run] = {}
        self._proven = False
        self._kept: list[Run] = []

    def run(self, sections: tuple[str, ...] | None = None) -> None:
        """Run some sections of the program, or all, once."""
        run = self._runs.get(sections)
        if run is None:
            run = self._runs[sections] = self.prepare(self.select(sections))
        self.run_prepared(run, self._count + 1)
        self._bound.check()

    def select(self, sections: tuple[str, ...] | None = None) -> Selection:
        """Return the phases and tasks of some sections, or of all."""
        return self._bound.select(sections)

    def prepare(self, selection: Selection) -> Run:
        """Return what threads read to run a selection; the program is proven first."""
        if not self._proven:
            prove(self.program)
            self._proven = True
        buffers = [(a.ctypes.data, s.ctypes.data) for a, s in zip(self.arenas, self._scratch, strict=True)]
        return Run(selection, self._bound.rows.ctypes.data, buffers)

    def keep(self, run: Run) -> Run:
        """Make ``rest`` also wait for a run that ``prepare`` returned; return the run."""
        self._kept.append(run)
        return run

    def run_prepared(self, run: Run, threads: int) -> None:
        """Run what ``prepare`` returned on a limited number of the team's threads."""
        more = min(threads - 1, self._count)
        count = self._workers.borrow(more, run.jobs[1 : 1 + more], run) if more > 0 else None
        if count is None:
            self.rest()
            self._lead_run(run, 0)
        else:
            try:
                self._lead_run(run, count)
            finally:
                self._workers.give_back()

    def rest(self) -> None:
        """Return when no worker takes part in a run of this program any more."""
        for run in (*self._runs.values(), *self._kept):
            self._workers.rest(run)

    def _lead_run(self, run: Run, workers: int) -> None:
        run.arguments[1] = workers
        place = self._workers.place
        if run.arguments[0] != place:  # at first, and in a forked process
            run.arguments[0], run.arguments[2] = place, self._workers.post_address
        self._lead(UNUSED_ADDRESS, UNUSED_ADDRESS, run.address)


class Run:
    """What the threads read of a run; kept by the workers, so that one that comes late finds it.

    Parameters
    ----------
    selection : Selection
    rows : int
        The address of the program's rows.
    buffers : list of (arena, scratch)
        The addresses of what belongs to each thread.
    """

    def __init__(self, selection: Selection, rows: int, buffers: list[tuple[int, int]]) -> None:
        self.phases = selection.phases
        self.state = aligned(LINE * len(selection.phases), np.int64)
        shared = [self.state.ctypes.data, self.phases.ctypes.data, len(self.phases), rows, ROW]
        shared += [selection.tasks.ctypes.data, REGISTERS]
        self.jobs = [
            np.array([*shared, *own, yield_address(), number % 2], np.int64) for number, own in enumerate(buffers)
        ]
        assert len(self.jobs[0]) == JOB
        self.arguments = np.concatenate([np.zeros(3, np.int64), self.jobs[0]])
        self.address = self.arguments.ctypes.data
