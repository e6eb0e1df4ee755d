from __future__ import annotations

import itertools
import math
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from striate.errors import UsageError
from striate.training import schedules


def test_constant_is_the_same_at_every_step():
    assert [schedules.as_schedule(0.3)(t) for t in (0, 1, 10**9)] == [0.3] * 3


def test_a_function_is_taken_as_it_is():
    def f(step):
        return 1 / (1 + step)

    assert schedules.as_schedule(f) is f


def test_step_decay_falls_after_the_named_steps():
    alpha = schedules.step_decay(1.0, every=[10, 15], factor=0.1)
    assert [alpha(t) for t in (0, 9, 10, 14)] == [1.0, 1.0, 0.1, 0.1]
    assert alpha(15) == pytest.approx(0.01, rel=1e-15)


def test_exponential_multiplies_by_the_factor_over_every_interval():
    alpha = schedules.exponential(0.5, every=7, factor=0.3)
    for t in (0, 3, 20):
        assert alpha(t + 7) == pytest.approx(0.3 * alpha(t), rel=1e-12)


@given(steps=st.integers(1, 1000), rate=st.floats(1e-6, 10), share=st.floats(0, 1))
def test_cosine_falls_from_the_rate_to_the_floor_and_stays(steps, rate, share):
    floor = rate * share
    alpha = schedules.cosine(rate, steps, floor)
    values = [alpha(t) for t in range(steps + 3)]
    assert values[0] == pytest.approx(rate)
    assert all(a >= b - 1e-12 * rate for a, b in itertools.pairwise(values))
    assert values[-3:] == pytest.approx([floor] * 3, abs=1e-12)


def test_warm_up_rises_in_equal_parts_and_hands_over():
    alpha = schedules.warm_up(4, schedules.step_decay(0.5, every=2, factor=0.1))
    rises = [alpha(t + 1) - alpha(t) for t in range(4)]
    assert rises == pytest.approx([0.1] * 4)
    assert [alpha(t) for t in (4, 5)] == [0.5, 0.5]
    assert alpha(6) == pytest.approx(0.05)


def test_schedules_equal_those_of_pytorch():
    torch = pytest.importorskip("torch")

    def of(make, steps=40, rate=0.2):
        optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=rate)
        schedule = make(optimizer)
        rates = []
        for _ in range(steps):
            rates.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            schedule.step()
        return rates

    lr = torch.optim.lr_scheduler
    pairs = [
        (schedules.step_decay(0.2, 7, 0.3), lambda o: lr.StepLR(o, 7, 0.3)),
        (schedules.step_decay(0.2, [5, 20], 0.3), lambda o: lr.MultiStepLR(o, [5, 20], 0.3)),
        (schedules.exponential(0.2, 1, 0.9), lambda o: lr.ExponentialLR(o, 0.9)),
        (schedules.cosine(0.2, 40, 0.01), lambda o: lr.CosineAnnealingLR(o, 40, 0.01)),
        (schedules.one_cycle(0.2, 40), lambda o: lr.OneCycleLR(o, 0.2, 40, cycle_momentum=False)),
        (
            schedules.one_cycle(0.2, 40, 0.5, 10, 100),
            lambda o: lr.OneCycleLR(
                o, 0.2, 40, pct_start=0.5, div_factor=10, final_div_factor=100, cycle_momentum=False
            ),
        ),
    ]
    for ours, make in pairs:
        assert [ours(t) for t in range(40)] == pytest.approx(of(make), rel=1e-9)


@pytest.mark.parametrize("rate", [-0.1, math.nan, math.inf])
def test_an_impossible_learning_rate_is_refused(rate):
    with pytest.raises(UsageError, match=r"learning rate: must be .*; got"):
        schedules.as_schedule(rate)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: schedules.as_schedule("0.1"), "a number or a function of the step; got '0.1'"),
        (lambda: schedules.as_schedule(None), "learning rate: must be a number; got None"),
        (lambda: schedules.step_decay(0.1, 0), "step decay: every: must be at least 1; got 0"),
        (lambda: schedules.step_decay(0.1, [5, 5]), r"the steps must increase; got \[5, 5\]"),
        (lambda: schedules.exponential(0.1, 5, 1.5), "factor must be at most 1; got 1.5"),
        (lambda: schedules.cosine(0.1, 5, 0.2), "the floor must be at most the rate 0.1; got 0.2"),
        (lambda: schedules.warm_up(0, 0.1), "warm-up: steps: must be at least 1; got 0"),
        (lambda: schedules.one_cycle(0.1, 10, rise=1.0), "rise: must be above 0 and below 1; got 1"),
    ],
)
def test_arguments_that_cannot_mean_anything_are_refused(make, message):
    with pytest.raises(UsageError, match=message):
        make()


@pytest.mark.parametrize(
    "alpha",
    [
        schedules.constant(0.3),
        schedules.step_decay(0.3, every=4),
        schedules.step_decay(0.3, every=[2, 5]),
        schedules.exponential(0.3, every=4, factor=0.5),
        schedules.warm_up(3, schedules.cosine(0.3, 8, floor=0.1)),
        schedules.one_cycle(0.3, 9),
    ],
)
def test_schedules_can_be_pickled(alpha):
    again = pickle.loads(pickle.dumps(alpha))
    assert [again(t) for t in range(12)] == [alpha(t) for t in range(12)]
