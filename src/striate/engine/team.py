"""Threads that run a program together."""

from __future__ import annotations

import ctypes
import sys
import threading
import weakref
from typing import Any

import numpy as np

from striate.engine.machine import aligned
from striate.engine.program import ENTRY, REGISTERS, ROW, Tables

_UNUSED = np.zeros(8, np.int64)


def _yield_address() -> int:
    """Return the address of the C function that gives the core to another thread."""
    if sys.platform == "win32":
        function: Any = ctypes.WinDLL("kernel32").SwitchToThread
    else:
        function = ctypes.CDLL(None).sched_yield
    return int(ctypes.cast(function, ctypes.c_void_p).value or 0)


class _Worker:
    """A thread that waits for a job, runs it without the interpreter lock, and waits again."""

    def __init__(self) -> None:
        self.wake, self.idle = threading.Lock(), threading.Lock()
        self.wake.acquire()
        self.job: tuple[Any, int] | None = None
        self.thread = threading.Thread(target=_work, args=(weakref.ref(self), self.wake, self.idle), daemon=True)
        self.thread.start()

    def start(self, entry: Any, arguments: int) -> None:
        self.idle.acquire()  # a worker that woke up late finishes first
        self.job = (entry, arguments)
        self.wake.release()

    def wait(self) -> None:
        with self.idle:
            pass


def _work(reference: Any, wake: threading.Lock, idle: threading.Lock) -> None:
    while True:
        wake.acquire()
        worker = reference()
        if worker is None or worker.job is None:
            return
        entry, arguments = worker.job
        del worker
        entry(_UNUSED.ctypes.data, _UNUSED.ctypes.data, arguments)
        idle.release()


class Team:
    """The calling thread and ``threads - 1`` others, which run one program again and again.

    Parameters
    ----------
    tables : Tables
    threads : int
    arena_size : int
        Floats of buffers that each thread needs for itself.
    """

    def __init__(self, tables: Tables, threads: int, arena_size: int) -> None:
        self._tables = tables
        self._state = aligned(16 * len(tables.phases), np.int64)
        # the buffers of different threads must not share a page, nor the same place in the caches
        self.arenas = [aligned(arena_size + 1024) for _ in range(threads)]
        self._scratch = [aligned(64 + REGISTERS, np.int64) for _ in range(threads)]
        self._entry = ENTRY(tables.runner)
        self._arguments = [self._pack(i) for i in range(threads)]
        self._workers = [_Worker() for _ in range(threads - 1)]
        weakref.finalize(self, _dismiss, self._workers)

    def run(self) -> None:
        """Run every phase of the program once."""
        for worker in self._workers:
            worker.wait()
        self._state[:] = 0
        for worker, arguments in zip(self._workers, self._arguments[1:], strict=True):
            worker.start(self._entry, arguments.ctypes.data)
        self._entry(_UNUSED.ctypes.data, _UNUSED.ctypes.data, self._arguments[0].ctypes.data)
        if self._tables.errors:
            error = self._tables.errors[0]
            self._tables.errors.clear()
            raise error
        for check in self._tables.checks:
            check()

    def rest(self) -> None:
        """Return when no thread runs any more."""
        for worker in self._workers:
            worker.wait()

    def _pack(self, thread: int) -> np.ndarray:
        t = self._tables
        return np.array(
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
                _yield_address(),
            ],
            np.int64,
        )


def _dismiss(workers: list[_Worker]) -> None:
    for worker in workers:
        worker.wait()
        worker.job = None
        worker.wake.release()
