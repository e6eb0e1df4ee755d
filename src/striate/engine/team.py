"""A program, and the threads that run it together."""

from __future__ import annotations

import numpy as np

from striate.engine.memory import aligned
from striate.engine.program import ENTRY, REGISTERS, ROW, Tables
from striate.engine.workers import JOB, UNUSED, Workers, shared, yield_address
from striate.kernels.mailboxes import LINE


class Team:
    """The calling thread and up to ``threads - 1`` workers, which run one program again and again.

    The workers belong to the process. While they run another program, the calling thread runs this one alone;
    the results have the same bits.

    Parameters
    ----------
    tables : Tables
    threads : int
    arena_size : int
        Floats of buffers that each thread needs for itself.
    workers : Workers, optional
        The process's by default.
    """

    def __init__(self, tables: Tables, threads: int, arena_size: int, workers: Workers | None = None) -> None:
        self._tables, self._count = tables, threads - 1
        self._workers = shared() if workers is None else workers
        self._state = aligned(LINE * len(tables.phases), np.int64)
        self._kept = (self._state, tables.phases)  # all that a worker reads that comes after the last task
        # the buffers of different threads must not share a page, nor the same place in the caches
        self.arenas = [aligned(arena_size + 1024) for _ in range(threads)]
        self._scratch = [aligned(64 + REGISTERS, np.int64) for _ in range(threads)]
        self._lead = ENTRY(tables.leader)
        self._jobs = [self._job(thread) for thread in range(threads)]
        self._arguments = np.concatenate([np.zeros(3, np.int64), self._jobs[0]])

    def run(self) -> None:
        """Run every phase of the program once."""
        count = self._workers.borrow(self._count, self._jobs[1:], self._kept) if self._count > 0 else None
        if count is None:
            self.rest()
            self._run_with(0)
        else:
            try:
                self._run_with(count)
            finally:
                self._workers.give_back()
        if self._tables.errors:
            error = self._tables.errors[0]
            self._tables.errors.clear()
            raise error
        for check in self._tables.checks:
            check()

    def rest(self) -> None:
        """Return when no worker takes part in a run of this program any more."""
        self._workers.rest(self._kept)

    def _run_with(self, workers: int) -> None:
        self._arguments[:3] = self._workers.mailboxes.ctypes.data, workers, self._workers.wake_address
        self._lead(UNUSED.ctypes.data, UNUSED.ctypes.data, self._arguments.ctypes.data)

    def _job(self, thread: int) -> np.ndarray:
        """Return the arguments of ``striate.kernels.runner.run`` for a thread."""
        t = self._tables
        job = np.array(
            [
                self._state.ctypes.data,
                t.phases.ctypes.data,
                len(t.phases),
                t.rows.ctypes.data,
                ROW,
                t.tasks.ctypes.data,
                REGISTERS,
                self.arenas[thread].ctypes.data,
                self._scratch[thread].ctypes.data,
                yield_address(),
            ],
            np.int64,
        )
        assert len(job) == JOB
        return job
