"""Large fully connected layers: their gradient is summed over all shards at once."""

from __future__ import annotations

import numpy as np
import pytest

from striate.engine.lowering import dense
from striate.engine.program import ByCount
from striate.engine.training_session import TrainingSession
from striate.layers import Linear, ReLU
from striate.network import Sequential

BATCH, FEATURES, LANES = 64, 130, 8
COUNTS = (64, 17, 64, 1, 40)  # what is left in the buffers of shards that get no samples must not count


def session_of(loss: str, optimizer: str, threads: int = 2) -> TrainingSession:
    return TrainingSession(
        Sequential([Linear(300), ReLU(), Linear(70), ReLU(), Linear(10)], FEATURES),
        batch_size=BATCH,
        loss=loss,
        optimizer=optimizer,
        dtype=np.dtype(np.float32),
        threads=threads,
        lanes=LANES,
    )


def gradients(threads: int = 2) -> tuple[list[np.ndarray], list[tuple[int, int]]]:
    """Gradients of whole numbers, in which float32 makes no error, for batches of different sizes."""
    session, rng = session_of("mean_squared_error", "gradient_descent", threads), np.random.default_rng(0)
    net = session.network
    session.vectors.theta[: net.parameter_count] = rng.integers(-1, 2, net.parameter_count)
    x = rng.integers(-1, 2, (BATCH, FEATURES)).astype(np.float32)
    targets = rng.integers(-2, 3, (BATCH, 10)).astype(np.float32)
    found = []
    for n in COUNTS:
        weights = np.full(n, 5.0, np.float32)  # half the number of outputs: the gradient is whole
        session.step(x, np.arange(n), targets[:n], (0.0,), weights)
        session.team.rest()
        found.append(session.vectors.gradient[: net.parameter_count].copy())
    rows = session.program.rows
    return found, {row.where for row in rows if isinstance(row.arguments.get("taps"), ByCount)}


@pytest.mark.parametrize("large", [700, 20000])
@pytest.mark.parametrize("threads", [1, 2])
def test_gradient_is_that_of_small_layers(monkeypatch: pytest.MonkeyPatch, large: int, threads: int) -> None:
    expected, summed = gradients()
    assert not summed
    monkeypatch.setattr(dense, "LARGE", large)
    found, summed = gradients(threads)
    assert len(summed) == (3 if large == 700 else 2)
    for n, one, other in zip(COUNTS, found, expected, strict=True):
        assert np.abs(other).max() < 2**24
        np.testing.assert_array_equal(one, other, err_msg=f"{n} samples")


def test_a_network_of_one_large_layer_trains(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing follows the sum over all shards."""
    monkeypatch.setattr(dense, "LARGE", 700)
    net = Sequential([Linear(40, bias=False)], 30)
    session = TrainingSession(
        net, batch_size=20, loss="mean_squared_error", optimizer="gradient_descent", dtype=np.dtype(np.float32)
    )
    x = np.arange(600, dtype=np.float32).reshape(20, 30) % 3 - 1
    session.step(x, np.arange(20), np.ones((20, 40), np.float32), (0.0,), np.full(20, 20.0, np.float32))
    session.team.rest()
    found = net.views(session.vectors.gradient[: net.parameter_count])["linear1.weight"]
    np.testing.assert_array_equal(found, np.tile(-x.sum(axis=0), (40, 1)))


def test_gradients_of_shards_stay_untouched(monkeypatch: pytest.MonkeyPatch) -> None:
    """So they take no memory: the system gives none to zeros that nobody writes."""
    monkeypatch.setattr(dense, "LARGE", 700)
    session = session_of("cross_entropy", "adam")
    net = session.network
    rng = np.random.default_rng(0)
    session.vectors.theta[: net.parameter_count] = rng.normal(0, 0.1, net.parameter_count)
    x = rng.normal(size=(BATCH, FEATURES)).astype(np.float32)
    session.step(x, np.arange(BATCH), rng.integers(0, 10, BATCH), (1e-3, 0.9, 0.999, 1e-8, 10.0, 1000.0, 0.0))
    session.team.rest()
    others = session.vectors.shards.reshape(-1, session.vectors.padded)[1:, : net.parameter_count]
    for slot in net.parameters:
        touched = any(slot.view(row).any() for row in others)
        assert touched == slot.name.endswith(".bias"), slot.name
        assert slot.view(session.vectors.gradient).any()
