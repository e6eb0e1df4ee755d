"""Threads that sleep until a program needs them; one set of them serves all programs of a process."""

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
from striate.kernels import library
from striate.kernels.library import Request
from striate.kernels.mailboxes import ASLEEP, BUSY, CALLED, LINE

RUN, SERVE = Request("runner", "run", 8), Request("runner", "serve", 8)
JOB = 10  # arguments of ``run``
MOST = 1024  # workers
PATIENCE = 5000  # looks for more work before a worker sleeps, some 200 microseconds: Python's time between steps
LOOKS, PAUSE_SECONDS = 100, 1e-4  # a wait for a worker: looks that only give the core away, then naps
LAST_LOOKS = 10_000  # a second: the longest wait for workers that are no longer needed
UNUSED = np.zeros(8, np.int64)
UNUSED_ADDRESS = int(UNUSED.ctypes.data)


@functools.cache
def yield_address() -> int:
    """Return the address of the C function that gives the core to another thread."""
    if sys.platform == "win32":
        function: Any = ctypes.WinDLL("kernel32").SwitchToThread
    else:
        function = ctypes.CDLL(None).sched_yield
    return int(ctypes.cast(function, ctypes.c_void_p).value or 0)


class Worker:
    """A thread that sleeps until it is called, and runs its job without the interpreter lock.

    Parameters
    ----------
    mailbox : int64[1]
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
        self.ended = False
        kernels = library.load([RUN, SERVE])
        arguments = [mailbox.ctypes.data, patience, kernels[RUN].address, self.job.ctypes.data, yield_address()]
        self._arguments = np.array(arguments, np.int64)
        self.entry: Callable[[], int] = functools.partial(
            ENTRY(kernels[SERVE].address), UNUSED_ADDRESS, UNUSED_ADDRESS, self._arguments.ctypes.data
        )
        self.alarm = threading.Lock()
        self.alarm.acquire()
        self.thread = threading.Thread(target=_work, args=(weakref.ref(self), self.alarm), daemon=True)
        self.thread.start()

    def call(self) -> None:
        """Wake the thread: it has work."""
        self.mailbox[0] = BUSY
        self.alarm.release()

    @property
    def busy(self) -> bool:
        """Whether the thread takes part in a run."""
        return bool(self.mailbox[0] >= BUSY)


def _work(reference: Any, alarm: threading.Lock) -> None:
    while True:
        alarm.acquire()
        worker = reference()
        if worker is None or worker.ended:
            return
        entry = worker.entry
        del worker
        entry()


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
    wake_address : int
        A C function that wakes every worker whose mailbox says CALLED.
    """

    def __init__(self, patience: int = PATIENCE) -> None:
        self._patience = patience
        self._begin()
        follow(self)

    def _begin(self) -> None:
        self.threads: list[Worker] = []
        self.mailboxes = aligned(LINE * MOST, np.int64)
        self._lock = threading.Lock()
        self._last: Any = None  # what the workers served last, kept so that a late one finds it
        self._limit = MOST
        self._wake = ctypes.CFUNCTYPE(None)(_waker(self.threads))
        self.wake_address = int(ctypes.cast(self._wake, ctypes.c_void_p).value or 0)
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
        waited = 0
        while self._last is kept and any(worker.busy for worker in self.threads):
            time.sleep(0 if waited < LOOKS else PAUSE_SECONDS)
            waited += 1

    def _rest(self) -> None:
        self.rest(self._last)

    def _start(self, count: int) -> None:
        """Start workers until there are ``count``, or as many as the system allows."""
        self._rest()
        self._last = None
        while len(self.threads) < min(count, self._limit):
            place = LINE * len(self.threads)
            try:
                self.threads.append(Worker(self.mailboxes[place : place + LINE], self._patience))
            except RuntimeError:
                self._limit = len(self.threads)


def _waker(workers: list[Worker]) -> Callable[[], None]:
    def wake() -> None:
        for worker in workers:
            if worker.mailbox[0] == CALLED:
                worker.call()

    return wake


def _dismiss(workers: list[Worker]) -> None:
    waited = 0
    for worker in workers:
        while (
            worker.mailbox[0] != ASLEEP and waited < LAST_LOOKS
        ):  # at exit, another thread may run programs for ever
            time.sleep(PAUSE_SECONDS)
            waited += 1
        worker.ended = True
        worker.alarm.release()


@functools.cache
def shared() -> Workers:
    """Return the workers that all programs of this process share."""
    return Workers()
