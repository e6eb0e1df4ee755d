"""Sums whose terms come in runs: the same bits, and rows that do what they are said to do."""

from __future__ import annotations

import numpy as np
import pytest

from engine.test_verify import check_rows
from striate.engine.lowering import runs
from striate.engine.lowering.runs import LONGEST, terms
from striate.engine.lowering.tiles import EIGHT, MANY
from striate.engine.training_session import TrainingSession
from striate.engine.verify import verify
from striate.layers import Conv2d, ConvTranspose2d, Flatten, Linear, MaxPool2d, ReLU
from striate.network import Network, Sequential
from support.programs import training_program

FLOAT = np.dtype(np.float32)


def _network() -> Network:
    convolutions = [Conv2d(6, 5, padding=2), ReLU(), MaxPool2d(2), Conv2d(5, (2, 3), stride=2)]
    layers = [*convolutions, ConvTranspose2d(4, 3, stride=2), Flatten(), Linear(15), ReLU(), Linear(13)]
    return Sequential(layers, (2, 14, 17))


@pytest.fixture
def everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every tile follow runs, as those of WebAssembly do."""
    monkeypatch.setattr(runs, "EIGHT", MANY)


def _gradient() -> np.ndarray:
    net, rng = _network(), np.random.default_rng(1)
    session = TrainingSession(net, batch_size=40, loss="cross_entropy", optimizer="adam", dtype=FLOAT)
    session.vectors.theta[: net.parameter_count] = rng.standard_normal(net.parameter_count) / 8
    x = rng.standard_normal((40, 2, 14, 17), np.float32)
    session.step(x, np.arange(40), rng.integers(0, 13, 40), (0.0,) * 5, update=False)
    return session.vectors.gradient.copy()


def test_the_bits_are_those_of_single_terms(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = _gradient()
    monkeypatch.setattr(runs, "EIGHT", MANY)
    assert np.array_equal(_gradient().view(np.int32), expected.view(np.int32))


@pytest.mark.usefixtures("everywhere")
@pytest.mark.parametrize("lanes", [4, 8])
def test_programs_are_proven_and_kernels_touch_what_they_are_said_to(lanes: int) -> None:
    program = training_program(_network(), lanes, 24)
    verify(program)
    assert {"correlation.correlate_runs", "correlation.weight_gradient_runs"} <= check_rows(program)


@pytest.mark.parametrize("steps", [(4, 1), (-4, 1), (0, 3), (5, -7)])
@pytest.mark.parametrize("count", [*range(1, 20), 25])
def test_runs_are_the_terms_in_their_order(steps: tuple[int, int], count: int) -> None:
    pairs = np.arange(count)[:, None] * steps + (100, 200)
    found = terms(pairs, 4, EIGHT)
    length, *between = found.constants or (1, 0, 0)
    unrolled = found.firsts[:, None] + np.arange(length)[:, None] * between
    assert np.array_equal(unrolled.reshape(-1, 2), pairs)
    assert length == max((n for n in range(3, LONGEST + 1) if count % n == 0), default=1)


def test_terms_at_unequal_distances_are_listed() -> None:
    pairs = np.array([[0, 0], [4, 1], [9, 2], [13, 3], [17, 4], [22, 5]])
    assert terms(pairs, 4, EIGHT).constants == ()


@pytest.mark.parametrize(("lanes", "most_sums"), [(8, None), (16, None), (4, None), (1, EIGHT)])
def test_more_than_eight_sums_and_single_numbers_need_no_runs(lanes: int, most_sums: int | None) -> None:
    assert terms(np.arange(16).reshape(8, 2), lanes, most_sums).constants == ()
