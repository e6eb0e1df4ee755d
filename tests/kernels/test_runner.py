"""The runner and its threads: every task once, phases in order, whoever comes late."""

from __future__ import annotations

import ctypes
import gc
import threading
import time
from typing import Any

import numpy as np
import pytest

from striate.engine.binding import Bound
from striate.engine.memory import aligned
from striate.engine.program import BUFFERS, INDEX, LANEWISE, ByCount, Place, Program
from striate.engine.team import Team
from striate.engine.workers import PATIENCE, Workers
from striate.kernels.mailboxes import ASLEEP, READY

LANES = 4
BYTES = 4 * LANES
ROUNDS = 1000


def add(program: Program, x: Any, out: Any) -> Any:
    """A row that adds one vector to another."""
    runs = program.table([[0, 0]])
    sizes = {"run_count": 1, "length": 1, "blocks": 1, "x_block": 0, "out_block": 0}
    return program.row("forward", "elementwise.copy", x=x, out=out, runs=runs, **sizes, accumulate=1)


class Counting:
    """Three phases of many tiny tasks; each adds to its own vector what others made in the phase before.

    Were a task left out or run twice, or a phase begun too early, the sums would not be those of counting.
    """

    def __init__(self, tasks: int, threads: int, patience: int = PATIENCE) -> None:
        rng = np.random.default_rng(tasks)
        self.count = tasks
        self.cells = [aligned(LANES * tasks) for _ in range(4)]
        self.cells[0][:] = 1.0
        self.orders = [np.arange(tasks), rng.permutation(tasks), rng.permutation(tasks)]
        program = Program(LANES)
        for number, order in enumerate(self.orders):
            x, out = Place(f"cells{number}", 0, INDEX), Place(f"cells{number + 1}", 0, LANEWISE)
            tasks_of = [{INDEX: BYTES * int(o), LANEWISE: BYTES * i} for i, o in enumerate(order)]
            program.phase([add(program, x, out)], tasks_of)
        memory = {f"cells{number}": cells for number, cells in enumerate(self.cells)}
        self.bound = Bound(program.finish(), memory)
        self.team = Team(self.bound, threads, Workers(patience))

    def check(self, runs: int) -> None:
        """Ones added ``runs`` times; sums of 1..runs; and sums of those."""
        self.team.rest()
        sums = [runs, runs * (runs + 1) // 2, runs * (runs + 1) * (runs + 2) // 6]
        for cells, exact in zip(self.cells[1:], sums, strict=True):
            np.testing.assert_array_equal(cells, exact)


@pytest.mark.parametrize("threads", [1, 2, 3, 4])
@pytest.mark.parametrize("tasks", [1, 7, 120])
def test_every_task_runs_once_in_every_round(threads: int, tasks: int) -> None:
    counting = Counting(tasks, threads)
    for done in range(1, ROUNDS + 1):
        counting.team.run()
        if done % 100 == 0 and done <= 400:  # beyond, the last sums leave the whole numbers of float32
            counting.check(done)
    counting.team.rest()
    np.testing.assert_array_equal(counting.cells[1], ROUNDS)
    np.testing.assert_array_equal(counting.cells[2], ROUNDS * (ROUNDS + 1) // 2)


def test_the_check_sees_a_task_too_few_and_one_too_many() -> None:
    for change in (-1, +1):
        counting = Counting(8, 2)
        counting.team.run()
        counting.check(1)
        counting.bound.select().phases[1, 1] += change  # a task of the third phase too
        counting.team.run()
        with pytest.raises(AssertionError):
            counting.check(2)


def wait_until_asleep(team: Team) -> None:
    while any(worker.mailbox[0] != ASLEEP for worker in team._workers.threads):
        time.sleep(0)


class LateWorkers:
    """Workers that wake up only when they are let go."""

    def __init__(self, team: Team) -> None:
        self.gate = threading.Event()
        self.called = 0
        workers = team._workers
        post = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64, ctypes.c_void_p)(workers.post_address)

        def wake_up(semaphore: int) -> None:
            assert self.gate.wait(30)
            post(semaphore, 1, 0)

        def call(semaphore: int, one: int, nothing: int) -> None:
            self.called += 1
            threading.Thread(target=wake_up, args=(semaphore,)).start()

        self._call = type(post)(call)
        workers.post_address = ctypes.cast(self._call, ctypes.c_void_p).value or 0


def test_late_worker_finds_nothing_to_do() -> None:
    counting = Counting(50, 3)
    late = LateWorkers(counting.team)
    counting.team.run()
    sums = [cells.copy() for cells in counting.cells]
    for cells in sums:
        np.testing.assert_array_equal(cells, 1.0)  # complete without the workers that never came
    late.gate.set()
    wait_until_asleep(counting.team)
    counting.check(1)  # after they came, nothing ran twice
    assert late.called == 2


def test_workers_that_come_late_take_part_in_the_run_of_that_time() -> None:
    counting = Counting(50, 2, patience=0)
    late = LateWorkers(counting.team)
    for runs in range(1, 6):
        late.gate.clear()
        threading.Timer(0.02, late.gate.set).start()
        counting.team.run()
        counting.check(runs)
        wait_until_asleep(counting.team)
    assert late.called == 5


def test_no_run_waits_for_a_worker_that_was_called_and_has_not_come() -> None:
    counting = Counting(50, 3)
    late = LateWorkers(counting.team)
    for runs in range(1, 6):
        counting.team.run()
        np.testing.assert_array_equal(counting.cells[1], runs)
    counting.team.rest()
    assert [worker.mailbox[0] for worker in counting.team._workers.threads] == [READY] * 2
    late.gate.set()
    for runs in range(6, 200):
        counting.team.run()
        counting.check(runs)


def test_no_run_waits_for_a_worker_that_watched_and_lost_its_core() -> None:
    """The worker sleeps, though its mailbox says that it watches: as one does that another process displaces."""
    counting = Counting(50, 3)
    counting.team.run()
    wait_until_asleep(counting.team)
    for worker in counting.team._workers.threads:
        worker.mailbox[0] = READY
    for runs in range(2, 6):
        counting.team.run()
        np.testing.assert_array_equal(counting.cells[1], runs)
    for worker in counting.team._workers.threads:
        worker.mailbox[0] = ASLEEP


@pytest.mark.parametrize("patience", [0, 1, 10, 10**5])
def test_worker_that_falls_asleep_or_watches_misses_no_run(patience: int) -> None:
    counting = Counting(7, 3, patience=patience)
    for runs in range(1, 301):
        counting.team.run()
        for _ in range(runs % 7 * 20):
            pass  # so that the next run meets workers at work, watching, about to sleep, asleep
        if runs % 100 == 0:
            counting.check(runs)


def test_threads_have_buffers_of_their_own() -> None:
    """Every task writes its number to the buffer of its thread and copies it out again."""
    tasks, threads = 64, 4
    numbers, out = aligned(LANES * tasks), aligned(LANES * tasks)
    numbers[:] = np.repeat(np.arange(tasks), LANES)
    program = Program(LANES)
    program.segment(BUFFERS, BYTES)
    clear = program.row("forward", "elementwise.fill", out=Place(BUFFERS), count=LANES, value=0.0)
    put = add(program, Place("numbers", 0, INDEX), Place(BUFFERS))
    take = add(program, Place(BUFFERS), Place("out", 0, INDEX))
    program.phase([clear, put, take], [{INDEX: BYTES * i} for i in range(tasks)])
    team = Team(Bound(program.finish(), {"numbers": numbers, "out": out}), threads)
    for runs in range(1, 201):
        team.run()
        team.rest()
        np.testing.assert_array_equal(out, runs * numbers)


def test_arguments_and_tasks_follow_the_number_of_shards() -> None:
    program, source, out = Program(LANES), aligned(2 * LANES), aligned(LANES * 3)
    source[:LANES], source[LANES:] = 1.0, 10.0
    by_count = ByCount((Place("source"), Place("source", BYTES), Place("source")))
    program.shared([[add(program, by_count, Place("out", 0, INDEX))]], [{INDEX: BYTES * i} for i in range(3)])
    bound = Bound(program.finish(), {"source": source, "out": out})
    team = Team(bound, 2)
    team.run()
    team.rest()
    bound.choose(2)
    team.run()
    team.rest()
    np.testing.assert_array_equal(out.reshape(3, LANES), np.repeat([[11], [11], [1]], LANES, axis=1))


def test_sections_run_alone() -> None:
    program, out = Program(LANES), aligned(LANES)
    rows = [
        program.row(section, "elementwise.fill", out=Place("out"), count=LANES, value=value)
        for section, value in (("forward", 1.0), ("gradient", 2.0), ("update", 3.0))
    ]
    program.phase(rows[:2], [{}])
    program.phase(rows[2:], [{}])
    team = Team(Bound(program.finish(), {"out": out}), 2)
    for sections, value in ((("forward",), 1.0), (("forward", "gradient"), 2.0), (None, 3.0), (("gradient",), 2.0)):
        team.run(sections)
        np.testing.assert_array_equal(out, value)


def test_an_external_segment_lies_where_it_is_attached() -> None:
    program, out = Program(LANES), aligned(LANES)
    program.segment("inputs", 2 * BYTES, external=True)
    program.segment("out", BYTES)
    program.phase([add(program, Place("inputs", BYTES), Place("out"))], [{}])
    bound = Bound(program.finish(), {"out": out})
    source = aligned(3 * LANES)
    source[:] = np.repeat([1, 2, 3], LANES)
    for begin in (0, 1):
        bound.attach("inputs", source.ctypes.data + BYTES * begin)
        Team(bound, 1).run()
    np.testing.assert_array_equal(out, 2 + 3)


def test_memory_that_is_too_small_is_refused() -> None:
    program = Program(LANES)
    program.segment("out", BYTES)
    with pytest.raises(ValueError, match=r"out: needs 16 bytes; got 4\."):
        Bound(program.finish(), {"out": aligned(1)})


def test_flush_to_zero_is_on_inside_and_off_outside() -> None:
    program, tiny, out = Program(LANES), aligned(LANES), aligned(LANES)
    tiny[:] = 1e-40
    program.phase([add(program, Place("tiny"), Place("out"))], [{}])
    Team(Bound(program.finish(), {"tiny": tiny, "out": out}), 1).run()
    np.testing.assert_array_equal(out, 0.0)
    assert tiny[0] > 0


def test_empty_phases_are_passed() -> None:
    program, out = Program(LANES), aligned(LANES)
    fill = program.row("forward", "elementwise.fill", out=Place("out"), count=LANES, value=3.0)
    program.phase([], [{}])
    program.phase([fill], [])
    program.phase([fill], [{}])
    Team(Bound(program.finish(), {"out": out}), 2).run()
    np.testing.assert_array_equal(out, 3.0)


def test_exception_of_a_python_row_is_raised_by_run() -> None:
    from striate.engine.program import Row

    def fails(addresses: Any, memory: Any) -> None:
        raise ValueError("no such thing")

    program = Program(LANES)
    program.phase([Row(None, {}, "forward", fails)], [{}])
    team = Team(Bound(program.finish()), 2)
    for _ in range(2):
        with pytest.raises(ValueError, match="no such thing"):
            team.run()


def test_threads_end_with_the_last_team_that_needs_them() -> None:
    counting = Counting(5, 4)
    counting.team.run()
    workers = [worker.thread for worker in counting.team._workers.threads]
    assert [thread.is_alive() for thread in workers] == [True] * 3
    del counting
    gc.collect()
    for thread in workers:
        thread.join(10)
    assert [thread.is_alive() for thread in workers] == [False] * 3
