"""Threads that sleep until a program needs them; one set serves all programs of a process."""

from __future__ import annotations

import ctypes
import functools
import sys
import threading
import time
import weakref
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from striate.engine.binding import ENTRY
from striate.engine.forks import follow
from striate.engine.memory import aligned
from striate.engine.semaphores import BYTES, address, semaphores
from striate.kernels import library
from striate.kernels.library import Request
from striate.kernels.mailboxes import ASLEEP, ENDED, LINE, SEMAPHORE

RUN, SERVE, REST = (Request("runner", name, 8) for name in ("run", "serve", "rest"))
JOB = 11  # arguments of ``run``
MOST = 1024  # workers
PATIENCE = 5000  # looks for more work before a worker sleeps, some 200 microseconds: Python's time between steps
LAST_LOOKS, PAUSE_SECONDS = 10_000, 1e-4  # the longest wait, a second, for workers that are no longer needed
UNUSED = np.zeros(8, np.int64)
UNUSED_ADDRESS = int(UNUSED.ctypes.data)
_FUNCTION = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int64, ctypes.c_void_p)


@functools.cache
def yield_address() -> int:
    """Return the address of the C function that yields the core to another thread."""
    if sys.platform == "win32":
        function: Any = ctypes.WinDLL("kernel32").SwitchToThread
    else:
        function = ctypes.CDLL(None).sched_yield
    return address(function)


class Worker:
    """A thread that sleeps until it is called, and runs its job without the interpreter lock.

    Parameters
    ----------
    mailbox : int64[2]
        Its state and its semaphore.
    patience : int
        How often to look for more work before it sleeps.

    Attributes
    ----------
    job : int64[JOB]
        The arguments of ``run``; may change while the mailbox says READY or ASLEEP.

    Raises
    ------
    RuntimeError
        If the system starts no more threads.
    """

    def __init__(self, mailbox: np.ndarray, patience: int) -> None:
        self.mailbox, self.job = mailbox, aligned(JOB, np.int64)
        self._memory, system = np.zeros(BYTES, np.uint8), semaphores()
        mailbox[:] = ASLEEP, system.create(self._memory)
        kernels = library.load([RUN, SERVE, REST])
        run, serve = (kernels[request].address for request in (RUN, SERVE))
        values = [mailbox.ctypes.data, system.wait_address, patience, run, self.job.ctypes.data, yield_address()]
        arguments = np.array(values, np.int64)
        kept = mailbox, self.job, self._memory  # the thread may outlive this object
        self.thread = threading.Thread(target=_serve, args=(ENTRY(serve), arguments, kept), daemon=True)
        self.thread.start()

    def end(self) -> None:
        """Let the thread end; it must be asleep."""
        self.mailbox[0] = ENDED
        _FUNCTION(semaphores().post_address)(int(self.mailbox[SEMAPHORE]), 1, 0)


def _serve(entry: Callable[..., int], arguments: np.ndarray, kept: object) -> None:
    entry(UNUSED_ADDRESS, UNUSED_ADDRESS, arguments.ctypes.data)


class Workers:
    """Threads that take part in the runs of any program, of one program at a time.

    They are started when they are first needed. Where the system starts no more threads, runs make do with
    those there are.

    Parameters
    ----------
    patience : int
        How often a worker without work looks for more before it sleeps.

    Attributes
    ----------
    threads : list of Worker
    mailboxes : int64[MOST, LINE]
    place : int
        Their address.
    post_address : int
        The C function that wakes the worker that sleeps on a semaphore.
    """

    def __init__(self, patience: int = PATIENCE) -> None:
        self._patience = patience
        self._begin()
        follow(self)

    def _begin(self) -> None:
        self.threads: list[Worker] = []
        self.mailboxes = aligned(LINE * MOST, np.int64)
        self.place = int(self.mailboxes.ctypes.data)
        self._lock = threading.Lock()
        self._last: Any = None  # what the workers served last, kept so that a late one finds it
        self._limit = MOST
        self.post_address = semaphores().post_address
        self._finalizer = weakref.finalize(self, _dismiss, self.threads)

    def after_fork(self) -> None:
        """Begin without threads: those of the parent do not exist here."""
        self._finalizer.detach()
        self._begin()

    def borrow(self, count: int, jobs: Sequence[np.ndarray], kept: Any) -> int | None:
        """Reserve up to ``count`` workers for one run; return how many there are, or None if all are taken.

        Parameters
        ----------
        count : int
        jobs : sequence of int64[JOB]
            The arguments of ``run`` for each worker.
        kept : object
            What holds the memory that a worker reads when it comes after the end of the run; the same object
            for the same jobs.
        """
        if not self._lock.acquire(blocking=False):
            return None
        if len(self.threads) < count:
            self._start(count)
        if self._last is not kept:
            self._rest()
            self._last = kept
            for worker, job in zip(self.threads, jobs, strict=False):
                worker.job[:] = job
        return min(count, len(self.threads))

    def give_back(self) -> None:
        """End what ``borrow`` began."""
        self._lock.release()

    def rest(self, kept: Any) -> None:
        """Return when no worker takes part in a run with this ``kept`` any more."""
        if self._last is kept and self.threads:
            arguments = np.array([self.place, len(self.threads), yield_address()], np.int64)
            _rest_entry()(UNUSED_ADDRESS, UNUSED_ADDRESS, arguments.ctypes.data)

    def _rest(self) -> None:
        self.rest(self._last)

    def _start(self, count: int) -> None:
        """Start workers until there are ``count``, or as many as the system allows."""
        self._rest()
        self._last = None
        while len(self.threads) < min(count, self._limit):
            place = LINE * len(self.threads)
            try:
                self.threads.append(Worker(self.mailboxes[place : place + 2], self._patience))
            except RuntimeError:
                self._limit = len(self.threads)


def _dismiss(workers: list[Worker]) -> None:
    waited = 0
    for worker in workers:
        while (
            worker.mailbox[0] != ASLEEP and waited < LAST_LOOKS
        ):  # at exit, another thread may run programs for ever
            time.sleep(PAUSE_SECONDS)
            waited += 1
        worker.end()


@functools.cache
def _rest_entry() -> Callable[..., int]:
    return ENTRY(library.load([REST])[REST].address)


@functools.cache
def shared() -> Workers:
    """Return the workers that all programs of this process share."""
    return Workers()
