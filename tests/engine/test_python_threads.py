"""One model, or one session, used from several Python threads at once."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
import pytest

from striate import Trainer
from striate.data.dataset import Dataset
from striate.engine import pool, workers
from striate.engine.inference_session import InferenceSession
from striate.engine.pool import SessionPool, batch_class
from striate.engine.training_session import TrainingSession
from striate.engine.workers import Workers
from support.small import FLOAT, model, network, samples


def at_once(count: int, act: Callable[[int], None]) -> None:
    """Run ``act(0)`` to ``act(count - 1)`` in threads that begin together; raise the first exception."""
    start, errors = threading.Barrier(count), list[BaseException]()

    def run(number: int) -> None:
        try:
            start.wait(30)
            act(number)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(number,), daemon=True) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive(), "a thread waits for ever"
    if errors:
        raise errors[0]


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_every_thread_gets_the_answers_to_its_own_samples(threads: int) -> None:
    shared = model(threads)
    batches = [samples(count, seed) for seed, count in enumerate((1, 7, 100, 300))]
    expected = [model(1).outputs(batch) for batch in batches]

    def predict(number: int) -> None:
        for turn in range(100):
            which = (number + turn) % len(batches)
            np.testing.assert_array_equal(shared.outputs(batches[which]), expected[which])

    at_once(4, predict)


def test_one_session_serves_threads_in_turn() -> None:
    session = InferenceSession(network(), batch_size=8, dtype=FLOAT, threads=2)
    batches = [samples(8, seed) for seed in range(4)]
    session.vectors.theta[: network().parameter_count] = model().theta
    expected = [session.run(batch, np.arange(8)) for batch in batches]

    def run(number: int) -> None:
        for _ in range(200):
            np.testing.assert_array_equal(session.run(batches[number], np.arange(8)), expected[number])

    at_once(4, run)


def test_a_training_session_serves_threads_in_turn() -> None:
    """Without a learning rate every step has the losses of its own samples."""
    session = TrainingSession(
        network(), batch_size=8, loss="cross_entropy", optimizer="gradient_descent", dtype=FLOAT, threads=2
    )
    session.vectors.theta[: network().parameter_count] = model().theta
    batches, labels = [samples(8, seed) for seed in range(4)], np.arange(8) % 5
    expected = [session.step(batch, np.arange(8), labels, (0.0,))[0] for batch in batches]

    def step(number: int) -> None:
        for _ in range(200):
            losses, _ = session.step(batches[number], np.arange(8), labels, (0.0,))
            np.testing.assert_array_equal(losses, expected[number])

    at_once(4, step)


def test_predicting_during_training_changes_nothing() -> None:
    data = Dataset(samples(96), np.arange(96) % 5, tuple("abcde"), "six")

    def history(disturbed: bool) -> list[tuple[float, ...]]:
        trainer = Trainer(network(), seed=0, batch_size=16, threads=2)
        done, begun = threading.Event(), threading.Event()

        def predict() -> None:
            while not done.is_set():
                trainer.model.outputs(samples(300, 1))
                begun.set()

        disturber = threading.Thread(target=predict, daemon=True)
        if disturbed:
            disturber.start()
            assert begun.wait(30)
        records = trainer.fit(data, data, epochs=20).records
        done.set()
        if disturbed:
            disturber.join(30)
        return [(record.loss, record.val_loss, record.accuracy, record.val_accuracy) for record in records]

    assert history(disturbed=True) == history(disturbed=False)


def test_all_programs_share_the_threads_of_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    own = Workers()
    monkeypatch.setattr("striate.engine.team.shared", lambda: own)
    shared = model(threads=3)
    for count in range(1, 61):
        shared.outputs(samples(count), batch_size=count)
    assert len(own.threads) == 2
    assert len(shared._pool._idle) <= pool.MOST


def test_sessions_are_kept_within_bounds() -> None:
    some = SessionPool(network())
    for size in range(12):
        with some.lend(FLOAT, 2**size, 1, True) as session:
            assert session.batch_size == batch_class(2**size) >= 2**size
        assert len(some._idle) <= pool.MOST
    with some.lend(FLOAT, 2**11, 1, True) as again:
        assert again is session


def test_threads_wait_for_a_session_when_all_are_lent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "MOST", 2)
    some, most = SessionPool(network()), 0

    def borrow(number: int) -> None:
        nonlocal most
        for _ in range(20):
            with some.lend(FLOAT, 4, 1, True) as session:
                most = max(most, some._lent)
                session.run(samples(4), np.arange(4))

    at_once(5, borrow)
    assert most <= 2
    assert len(some._idle) <= 2


@pytest.mark.parametrize("allowed", [0, 1])
def test_runs_make_do_with_the_threads_that_the_system_starts(
    monkeypatch: pytest.MonkeyPatch, allowed: int
) -> None:
    own, started = Workers(), list[str]()

    class Refused(threading.Thread):
        def start(self) -> None:
            if len(started) == allowed:
                raise RuntimeError("can't start new thread")
            started.append(self.name)
            super().start()

    monkeypatch.setattr("striate.engine.team.shared", lambda: own)
    monkeypatch.setattr(workers.threading, "Thread", Refused)
    batch = samples(200)
    np.testing.assert_array_equal(model(threads=4).outputs(batch), model(threads=1).outputs(batch))
    assert len(own.threads) == allowed
