"""The loop that runs a program of kernels on one thread, without the interpreter."""

from __future__ import annotations

from striate.kernels.vector import (
    Ints,
    atomic_add,
    call_kernel,
    call_plain,
    flush_to_zero,
    relax,
    restore_mode,
    shift,
)

SPINS = 2000  # a wait longer than this (some microseconds) gives the core to others


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
):
    """Run all phases together with other threads that call this with the same ``state``.

    A phase is a number of tasks that may run in any order, on any thread; a task is a run through some
    rows with its own registers. The next phase begins when every task of this one is done.
    Threads claim tasks from a counter, so a thread that comes late, or never, only takes fewer of them.

    Parameters
    ----------
    state : int64[phases, 16]
        Tasks claimed (column 0) and done (column 8) of each phase; zero at the start.
    phases : int64[phases, 2]
        First task, number of tasks.
    rows : int64[rows, row_size]
        Address of the kernel, number of arguments n, n values, n registers: an argument is the value plus
        what the register holds.
    tasks : int64[tasks, 2 + register_count]
        First row and end of rows of each task, and what its registers hold. Register 0 holds 0; register 1
        the buffers of the thread,
        unless the task has its own.
    arena : int
        Address of the buffers of this thread.
    scratch : int64[64]
        Room of this thread for the arguments of a call.
    """
    mode = flush_to_zero()
    arguments = shift(scratch, register_count)
    for phase in range(phase_count):
        first_task, task_count = phases[2 * phase], phases[2 * phase + 1]
        task = atomic_add(state, 16 * phase, 1)
        while task < task_count:
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
            atomic_add(state, 16 * phase + 8, 1)
            task = atomic_add(state, 16 * phase, 1)
        waited = 0
        while atomic_add(state, 16 * phase + 8, 0) < task_count:
            waited += 1
            if waited > SPINS:
                call_plain(yield_address)
            else:
                relax()
    restore_mode(mode)
