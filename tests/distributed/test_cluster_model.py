"""The model of many machines in the benchmarks."""

import pytest
from benchmarks.cluster import BACKWARD, CONTROL, GAP, Link, Step


def test_step_of_four_ranks_by_hand() -> None:
    step, link = Step(0.1, 4_000_000, (1000,), 64), Link(1e-5, 1e9)
    gradients = 1e-5 * (1 + 2 * GAP) + 0.003
    parameters = 2e-5 + 0.003
    seen = 2e-5 + 3e-6
    assert step.seconds(4, link) == pytest.approx(0.1 + gradients + parameters + seen + CONTROL * 2e-5)
    assert step.seconds(1, link) == 0.1


def test_speed_up_is_bounded_by_the_ranks() -> None:
    step = Step(0.1, 4_000_000, (), 64)
    slow, fast = Link(2e-5, 1.25e9), Link(2e-6, 1.25e10)
    for ranks in (2, 16, 1024):
        assert 1.0 < step.speed_up(ranks, slow) < step.speed_up(ranks, fast) < ranks


def test_overlap_hides_gradients_behind_the_backward_pass_and_no_more() -> None:
    link, parameters = Link(1e-5, 1e9), 4_000_000
    gradients = 1e-5 * (1 + 2 * GAP) + 0.003
    for compute, hidden in ((0.1, gradients), (0.003, BACKWARD * 0.003)):
        step = Step(compute, parameters, (), 64)
        assert step.seconds(4, link) - step.seconds(4, link, overlap=True) == pytest.approx(hidden)
