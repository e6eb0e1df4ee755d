"""The loops that run a program of kernels on several threads, without the interpreter.

The thread that leads a run and each of its workers share a *mailbox*, a word that holds the state of the worker. A
worker that is done stays READY for a short while and watches its mailbox: starting it then takes less than a
microsecond, the time a cache line needs to travel from one core to another. After that it goes to sleep, and the
operating system needs some 50 microseconds to wake it. It sleeps on a semaphore of the system, never on the
interpreter's lock, which other Python threads may hold.
"""

from __future__ import annotations

from numba import njit

from striate.kernels.mailboxes import ASLEEP, BUSY, CALLED, ENDED, LINE, READY, SEMAPHORE
from striate.kernels.vector import (
    Ints,
    atomic_add,
    call_kernel,
    call_system,
    compare_exchange,
    flush_to_zero,
    relax,
    restore_mode,
    shift,
)

BITS = 32
BACK = 1 << BITS
SPINS = 2000  # a wait longer than this (some microseconds) gives the core to others


@njit(inline="always")
def _pause(waited, yield_address):
    """Wait a moment: first beside the other thread, later leaving the core to it."""
    if waited > SPINS:
        call_system(yield_address, 0, 0, 0)
    else:
        relax()


@njit(inline="always")
def _load(table, index):
    return atomic_add(table, index, 0)


@njit(inline="always")
def _claim(state, phase, task_count, end):
    """Return the number of the next task of a phase from an end of it, or -1 when all are claimed."""
    taken = atomic_add(state, LINE * phase, BACK if end == 1 else 1)
    front, back = taken & (BACK - 1), taken >> BITS
    if front + back >= task_count:
        return -1
    return task_count - 1 - back if end == 1 else front


@njit(inline="always")
def _run(state, phases, phase_count, rows, row_size, tasks, register_count, arena, scratch, yield_address, end):
    mode = flush_to_zero()
    arguments = shift(scratch, register_count)
    for phase in range(phase_count):
        first_task, task_count = phases[2 * phase], phases[2 * phase + 1]
        task = _claim(state, phase, task_count, end)
        while task >= 0:
            own = shift(tasks, (first_task + task) * (2 + register_count))
            registers = shift(own, 2)
            for i in range(register_count):
                scratch[i] = registers[i]
            if scratch[1] == 0:
                scratch[1] = arena
            for r in range(own[0], own[1]):
                row = shift(rows, r * row_size)
                count = row[1]
                for i in range(count):
                    arguments[i] = row[2 + i] + scratch[row[2 + count + i]]
                call_kernel(row[0], arguments)
            atomic_add(state, LINE * phase + 8, 1)
            task = _claim(state, phase, task_count, end)
        waited = 0
        while _load(state, LINE * phase + 8) < task_count:
            waited += 1
            _pause(waited, yield_address)
    restore_mode(mode)


@njit(inline="always")
def _rest(mailboxes, worker_count, yield_address):
    """Wait for the workers that take part in the last run; those that have not come yet no longer take part."""
    for i in range(worker_count):
        waited = 0
        while compare_exchange(mailboxes, LINE * i, CALLED, READY) == BUSY:
            waited += 1
            _pause(waited, yield_address)


def rest(mailboxes: Ints, worker_count: int, yield_address: int):
    """Return when no worker takes part in the last run any more.

    Parameters
    ----------
    mailboxes : int64[worker_count, 16]
    yield_address : int
        As in ``run``.
    """
    _rest(mailboxes, worker_count, yield_address)


def lead(
    mailboxes: Ints,
    worker_count: int,
    post_address: int,
    state: Ints,
    phases: Ints,
    phase_count: int,
    rows: Ints,
    row_size: int,
    tasks: Ints,
    register_count: int,
    arena: int,
    scratch: Ints,
    yield_address: int,
    end: int,
):
    """Run all phases of a program once, together with the workers that ``serve`` it.

    A phase is a number of tasks that may run in any order, on any thread; a task is a run through some
    rows with its own registers. The next phase begins when every task of this one is done.
    Threads claim tasks from a counter, so a thread that comes late, or never, only takes fewer of them. Half of
    the threads claim from the front and half from the back: see ``run``.

    Parameters
    ----------
    mailboxes : int64[worker_count, 16]
        Of each worker the state (column 0) and the semaphore on which it sleeps (column 1).
    post_address : int
        The C function that wakes the thread that sleeps on a semaphore.
    state, phases, phase_count, rows, row_size, tasks, register_count, arena, scratch, yield_address, end
        As in ``run``.
    """
    _rest(mailboxes, worker_count, yield_address)
    for i in range(LINE * phase_count):
        state[i] = 0
    for i in range(worker_count):
        if compare_exchange(mailboxes, LINE * i, READY, CALLED) == ASLEEP:
            compare_exchange(mailboxes, LINE * i, ASLEEP, CALLED)
            call_system(post_address, mailboxes[LINE * i + SEMAPHORE], 1, 0)
    _run(state, phases, phase_count, rows, row_size, tasks, register_count, arena, scratch, yield_address, end)


def run(
    state: Ints,
    phases: Ints,
    phase_count: int,
    rows: Ints,
    row_size: int,
    tasks: Ints,
    register_count: int,
    arena: int,
    scratch: Ints,
    yield_address: int,
    end: int,
):
    """Take part in one run of a program, from its first phase to its last.

    Parameters
    ----------
    state : int64[phases, 16]
        Of each phase the tasks claimed from the front, and from the back times ``BACK`` (column 0); tasks done
        (column 8).
    phases : int64[phases, 2]
        First task, number of tasks.
    rows : int64[rows, row_size]
        Address of the kernel, number of arguments n, n values, n registers: an argument is the value plus
        what the register holds.
    tasks : int64[tasks, 2 + register_count]
        First row and end of rows of each task, and what its registers hold. Register 0 holds 0; register 1
        the buffers of the thread, unless the task has its own.
    arena : int
        Address of the buffers of this thread.
    scratch : int64[64]
        Room of this thread for the arguments of a call.
    yield_address : int
        A C function without arguments that gives the core to another thread.
    end : {0, 1}
        Whether this thread claims tasks from the front or from the back. Two threads then share a phase in two
        connected parts, and find in their own caches most of what they wrote in the phase before.
    """
    _run(state, phases, phase_count, rows, row_size, tasks, register_count, arena, scratch, yield_address, end)


def serve(mailbox: Ints, wait_address: int, patience: int, run_address: int, job: Ints, yield_address: int):
    """Take part in every run for which this worker is called, until its mailbox says ENDED.

    Parameters
    ----------
    mailbox : int64[2]
        The state of this worker, and the semaphore on which it sleeps.
    wait_address : int
        The C function that sleeps until a semaphore is posted.
    patience : int
        How often to look for another run before going to sleep.
    run_address : int
        Where the code of ``run`` lies.
    job : int64[11]
        The arguments of ``run``. They change only while the mailbox says READY or ASLEEP.
    yield_address : int
        As in ``run``.
    """
    state = _load(mailbox, 0)
    while state != ENDED:
        if state == CALLED:
            compare_exchange(mailbox, 0, CALLED, BUSY)
        elif state == BUSY:
            call_kernel(run_address, job)
            compare_exchange(mailbox, 0, BUSY, READY)
        elif state == READY:
            waited = 0
            while _load(mailbox, 0) == READY and waited < patience:
                waited += 1
                _pause(waited, yield_address)
            if waited == patience:
                compare_exchange(mailbox, 0, READY, ASLEEP)
        else:
            call_system(wait_address, mailbox[SEMAPHORE], -1, 0)
        state = _load(mailbox, 0)
