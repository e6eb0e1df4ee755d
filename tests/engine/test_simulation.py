"""Simulated cores: tasks dealt out as the runner deals them out."""

from __future__ import annotations

import numpy as np
import pytest

from striate import models
from striate.engine import simulation
from striate.engine.inference_session import InferenceSession
from striate.engine.simulation import Measured, measure, moved_bytes
from striate.engine.training_session import TrainingSession


def test_threads_take_the_next_task_when_they_are_free() -> None:
    measured = Measured([np.array([3.0, 1.0, 1.0, 2.0]), np.array([4.0])], 0.0)
    assert measured.total_seconds == 11.0
    assert measured.seconds(1) == 11.0
    assert measured.seconds(2) == 4.0 + 4.0  # 3 + ... beside 1 + 1 + 2
    assert measured.seconds(4) == 3.0 + 4.0
    assert measured.seconds(100) == 7.0


def test_every_further_thread_makes_barriers_dearer() -> None:
    measured = Measured([np.ones(8), np.ones(8)], 0.25)
    assert measured.seconds(2) == 4.0 + 4.0 + 0.5
    assert measured.seconds(4) == 2.0 + 2.0 + 1.5
    assert measured.speed_up(1) == 1.0


@pytest.mark.parametrize("threads", [1, 3])
def test_measuring_covers_every_task_and_changes_nothing_that_a_step_reads(threads: int) -> None:
    rng = np.random.default_rng(0)
    network = models.lenet5(10, (1, 28, 28))
    options = {"loss": "cross_entropy", "optimizer": "momentum", "dtype": np.dtype(np.float32), "threads": threads}
    session, other = (TrainingSession(network, batch_size=20, **options) for _ in range(2))
    x, y = rng.normal(size=(20, 1, 28, 28)).astype(np.float32), rng.integers(0, 10, 20)
    session.vectors.theta[: network.parameter_count] = rng.normal(0.0, 0.1, network.parameter_count)
    other.vectors.theta[:] = session.vectors.theta
    for each in (session, other):
        each.step(x, np.arange(20), y, (0.1,) * 8)
    measured = measure(session.team, ("forward", "loss"), rounds=2)
    whole = session.team.select(("forward", "loss"))
    assert [len(phase) for phase in measured.phases] == [count for _, count in whole.phases]
    assert all((phase > 0).all() for phase in measured.phases)
    first, second = (each.step(x, np.arange(20), y, (0.1,) * 8)[0] for each in (session, other))
    assert first.tobytes() == second.tobytes()


def test_memory_bounds_a_phase_from_below() -> None:
    measured = Measured([np.ones(4), np.ones(4)], 0.0, [6.0, 1.0], 2.0)
    assert measured.seconds(1) == 8.0
    assert measured.seconds(4) == 3.0 + 1.0


def test_bytes_are_those_of_segments_that_do_not_fit_into_a_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    network = models.mlp(3, 20, hidden=(10,))
    session = InferenceSession(network, batch_size=4, dtype=np.dtype(np.float32), threads=1)
    assert moved_bytes(session.program) == [0.0] * len(session.program.phases)
    monkeypatch.setattr(simulation, "SHARED_CACHE_BYTES", 0)
    everything = moved_bytes(session.program)
    assert 4 * (200 + 30) < sum(everything) < 4 * sum(s.size for s in session.program.segments.values())
