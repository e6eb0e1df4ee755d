"""Threads that run a program together."""

from __future__ import annotations

import ctypes
import sys
import threading
import time
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

from striate.engine.memory import aligned
from striate.engine.program import ENTRY, REGISTERS, ROW, Tables
from striate.kernels.posts import ASLEEP, BUSY, CALLED, LINE, READY

PATIENCE = (
    5000  # looks for more work before a worker sleeps, some 200 microseconds: what Python needs between steps
)
LOOKS, PAUSE_SECONDS = 100, 1e-4  # a wait for a worker: looks that only give the core away, then naps
_UNUSED = np.zeros(8, np.int64)


def _yield_address() -> int:
    """Return the address of the C function that gives the core to another thread."""
    if sys.platform == "win32":
        function: Any = ctypes.WinDLL("kernel32").SwitchToThread
    else:
        function = ctypes.CDLL(None).sched_yield
    return int(ctypes.cast(function, ctypes.c_void_p).value or 0)


class _Worker:
    """A thread that sleeps until it is called, and runs its job without the interpreter lock.

    The job returns only when it was not asked for again within its patience, see ``striate.kernels.runner``.
    """

    def __init__(self, post: np.ndarray) -> None:
        self.post = post
        self.wake = threading.Lock()
        self.wake.acquire()
        self.job: tuple[Any, int] | None = None
        self.thread = threading.Thread(target=_work, args=(weakref.ref(self), self.wake), daemon=True)
        self.thread.start()

    def call(self) -> None:
        self.post[0] = BUSY
        self.wake.release()

    def wait(self, most: int) -> None:
        """Return when the post says ``most`` or less."""
        waited = 0
        while self.post[0] > most:
            time.sleep(0 if waited < LOOKS else PAUSE_SECONDS)
            waited += 1


def _work(reference: Any, wake: threading.Lock) -> None:
    while True:
        wake.acquire()
        worker = reference()
        if worker is None or worker.job is None:
            return
        entry, arguments = worker.job
        del worker
        entry(_UNUSED.ctypes.data, _UNUSED.ctypes.data, arguments)


class Team:
    """The calling thread and ``threads - 1`` others, which run one program again and again.

    Parameters
    ----------
    tables : Tables
    threads : int
    arena_size : int
        Floats of buffers that each thread needs for itself.
    patience : int
        How often a worker without work looks for some before it sleeps.
    """

    def __init__(self, tables: Tables, threads: int, arena_size: int, patience: int = PATIENCE) -> None:
        self._tables = tables
        self._state = aligned(LINE * len(tables.phases), np.int64)
        self._posts = aligned(LINE * threads, np.int64)
        # the buffers of different threads must not share a page, nor the same place in the caches
        self.arenas = [aligned(arena_size + 1024) for _ in range(threads)]
        self._scratch = [aligned(64 + REGISTERS, np.int64) for _ in range(threads)]
        lead, serve = map(ENTRY, tables.runner)
        self._workers = [_Worker(self._posts[LINE * i :]) for i in range(threads - 1)]
        self._call = ctypes.CFUNCTYPE(None)(_caller(self._workers))
        call_address = ctypes.cast(self._call, ctypes.c_void_p).value
        self._lead = lead
        self._arguments = [self._pack(0, self._posts.ctypes.data, threads - 1, call_address or 0)]
        for i, worker in enumerate(self._workers, 1):
            self._arguments.append(self._pack(i, worker.post.ctypes.data, patience))
            worker.job = serve, self._arguments[i].ctypes.data
        weakref.finalize(self, _dismiss, self._workers)

    def run(self) -> None:
        """Run every phase of the program once."""
        self._lead(_UNUSED.ctypes.data, _UNUSED.ctypes.data, self._arguments[0].ctypes.data)
        if self._tables.errors:
            error = self._tables.errors[0]
            self._tables.errors.clear()
            raise error
        for check in self._tables.checks:
            check()

    def rest(self) -> None:
        """Return when no thread runs any more."""
        for worker in self._workers:
            worker.wait(READY)

    def _pack(self, thread: int, *first: int) -> np.ndarray:
        t = self._tables
        return np.array(
            [
                *first,
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


def _caller(workers: list[_Worker]) -> Callable[[], None]:
    def call() -> None:
        for worker in workers:
            if worker.post[0] == CALLED:
                worker.call()

    return call


def _dismiss(workers: list[_Worker]) -> None:
    for worker in workers:
        worker.wait(ASLEEP)
        worker.job = None
        worker.wake.release()
