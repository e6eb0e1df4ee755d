from __future__ import annotations

import dataclasses
import json
import math

import numpy as np
import pytest
from make_traces import CASES, PATH, RATE, START, gradient, torch_trace

from striate import models
from striate.engine.binding import Bound
from striate.engine.memory import Sizes, Vectors
from striate.engine.plan import update_phases
from striate.engine.program import Program
from striate.engine.segments import flat_sizes, padded
from striate.engine.team import Team
from striate.engine.training_session import TrainingSession
from striate.engine.updates import UPDATES
from striate.errors import UsageError
from striate.machine import default_lanes
from striate.training.optimizers import (
    OPTIMIZERS,
    SGD,
    AdamW,
    GradientDescent,
    Momentum,
    Nesterov,
    Optimizer,
    OptimizerState,
    RMSprop,
    optimizer,
)
from striate.training.optimizers.registry import describe, from_description

TRACES = {name: np.array(rows) for name, rows in json.loads(PATH.read_text()).items()}
EPS = 2.0**-24


def trace(name: str) -> np.ndarray:
    rule = rule_of(name)
    theta, state, rows = START, OptimizerState.zeros(rule, 3), []
    for step in range(1, 101):
        theta = rule.update(theta, gradient(theta), state, step, RATE)
        rows.append(theta)
    return np.array(rows)


def rule_of(name: str) -> Optimizer:
    return optimizer(name.split(maxsplit=1)[0], **CASES[name][2])


NOT_IN_PYTORCH = ("lamb",)


def test_every_optimizer_that_pytorch_has_has_a_trace():
    traced = {OPTIMIZERS[name.split()[0]] for name in TRACES}
    assert traced == set(OPTIMIZERS.values()) - {OPTIMIZERS[name] for name in NOT_IN_PYTORCH}


@pytest.mark.parametrize("name", CASES)
def test_formula_follows_the_stored_trace_of_100_steps(name):
    np.testing.assert_allclose(trace(name), TRACES[name], rtol=1e-11)


@pytest.mark.parametrize("name", CASES)
def test_formula_follows_pytorch(name):
    pytest.importorskip("torch")
    np.testing.assert_allclose(trace(name), torch_trace(name), rtol=1e-11)


class KernelRun:
    """The update phase of a plan, alone."""

    def __init__(self, rule: Optimizer, count: int) -> None:
        lanes = default_lanes()
        self.rule, self.count = rule, count
        program = Program(lanes)
        for name, size in flat_sizes(count, 0, 1, UPDATES[rule.kernel].vectors).items():
            program.segment(name, size)
        update_phases(program, padded(count), Sizes(lanes, 1, 1), rule.kernel)
        bound = Bound(program.finish())
        self.team, self.vectors = Team(bound, 1), Vectors(bound.memory.arrays, count)

    def step(self, gradient: np.ndarray, step: int, rate: float) -> np.ndarray:
        self.vectors.shards[: self.count] = gradient
        numbers = self.rule.numbers(step, rate)
        self.vectors.numbers[: len(numbers)] = numbers
        self.team.run()
        return self.vectors.theta[: self.count]


def rounded(rule: Optimizer) -> Optimizer:
    """The same rule with numbers that float32 holds exactly."""
    config = {k: v if isinstance(v, bool) else float(np.float32(v)) for k, v in rule.config().items()}
    return type(rule)(**config)


FORMS = {**{name: optimizer(name) for name in OPTIMIZERS}, "centred": RMSprop(0.9, momentum=0.5, centred=True)}


@pytest.mark.parametrize("name", sorted(FORMS))
@pytest.mark.parametrize("step", [1, 2, 1000])
def test_kernel_takes_the_step_of_the_formula(name, step):
    rng = np.random.default_rng(step)
    count, rate = 20000, float(np.float32(0.01))
    rule = rounded(FORMS[name])
    run = KernelRun(rule, count)
    theta, first, second, g = (rng.normal(size=count).astype(np.float32) for _ in range(4))
    run.vectors.theta[:count] = theta
    first = first**2 if rule.kernel == "adadelta" else first  # a mean of squares there
    state = OptimizerState()
    for name, values in (
        ("first", first),
        ("second", second**2),
        ("mean", 0.5 * second),
        ("largest", 2 * second**2),
    ):
        if name in run.vectors.optimizer:
            run.vectors.optimizer[name][:count] = values
            setattr(state, name, values.astype(float))
    expected = rule.update(theta.astype(float), g.astype(float), state, step, rate)
    got = run.step(g, step, rate)
    # at most 12 roundings of a term no larger than the step with all its parts positive, and one of theta
    factor = 40 if hasattr(rule, "beta2") or hasattr(rule, "rho") else 2
    size = np.abs(expected - theta) + rate * (np.abs(first) + np.abs(g)) * factor
    assert np.all(np.abs(got - expected) <= EPS * (2 * np.abs(theta) + 12 * size))
    for name, kernel in run.vectors.optimizer.items():
        formula = getattr(state, name)
        bound = 4 * EPS * (np.abs(formula) + np.abs(first) + np.abs(g) + second**2 + g**2)
        assert np.all(np.abs(kernel[:count] - formula) <= bound)


@pytest.mark.parametrize("name", CASES)
def test_kernel_follows_the_stored_trace_for_100_steps(name):
    run = KernelRun(rule_of(name), 3)
    run.vectors.theta[:3] = START
    rows = [run.step(gradient(run.vectors.theta[:3].astype(float)), t, RATE).copy() for t in range(1, 101)]
    np.testing.assert_allclose(rows, TRACES[name], atol=2e-5)


def test_a_frozen_parameter_of_gradient_zero_does_not_move():
    for name in OPTIMIZERS:
        if name not in ("adamw", "lamb"):  # whose decay needs no gradient
            run = KernelRun(optimizer(name), 64)
            run.vectors.theta[:] = 3.0
            assert np.all(run.step(np.zeros(64), 1, 0.1) == 3.0), name


def test_checkpoints_written_before_an_argument_was_added_still_fit():
    from striate.training.checkpoint import _migrated

    before = {"name": "rmsprop", "rho": 0.99, "epsilon": 1e-8}
    assert _migrated({"optimizer": before})["optimizer"] == describe(RMSprop())


def test_state_has_the_vectors_of_the_kernel():
    assert sorted(vars(OptimizerState.zeros(RMSprop(centred=True), 2))) == ["first", "mean", "second"]
    with pytest.raises(AttributeError, match="the optimizer keeps no vector 'third'"):
        _ = OptimizerState.zeros(RMSprop(), 2).third


def test_names_are_found_in_any_case_and_descriptions_return():
    for name, cls in OPTIMIZERS.items():
        assert isinstance(optimizer(name.upper()), cls)
        assert from_description(describe(cls())) == cls()
    assert describe(AdamW(weight_decay=0.3))["weight_decay"] == 0.3


def test_sgd_is_the_descent_that_its_arguments_ask_for():
    assert SGD() == GradientDescent()
    assert SGD(0.8) == Momentum(0.8)
    assert SGD(0.8, nesterov=True) == Nesterov(0.8)
    with pytest.raises(UsageError, match="Nesterov's form needs a momentum; got 0"):
        SGD(nesterov=True)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: optimizer("adm"), "optimizer: unknown name 'adm'; did you mean 'adam'"),
        (lambda: optimizer(None), "optimizer: unknown name None"),
        (lambda: optimizer("momentum", beta1=0.9), "momentum: takes the arguments beta; got beta1"),
        (lambda: optimizer("sgd", beta=0.9), "sgd: takes the arguments none; got beta"),
        (lambda: Momentum(1.0), "beta: must be at least 0 and below 1; got 1"),
        (lambda: Nesterov(math.nan), "beta: must be finite; got nan"),
        (lambda: optimizer("adam", epsilon=0), "epsilon: must be above 0; got 0"),
        (lambda: optimizer("rmsprop", centred="yes"), "centred: must be "),
        (lambda: optimizer("adamw", weight_decay=-1), "weight_decay: must be at least 0; got -1"),
        (lambda: describe(type("Mine", (Momentum,), {})()), "a run needs one of .*; got Mine"),
    ],
)
def test_arguments_that_cannot_mean_anything_are_refused(make, message):
    with pytest.raises(UsageError, match=message):
        make()


DEFAULTS = {
    "adadelta": (1.0, {"rho": 0.9, "epsilon": 1e-06}),
    "adagrad": (0.01, {"epsilon": 1e-10}),
    "adam": (0.001, {"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-08}),
    "adamax": (0.002, {"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-08}),
    "adamw": (0.001, {"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-08, "weight_decay": 0.01}),
    "amsgrad": (0.001, {"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-08}),
    "gradient_descent": (0.01, {}),
    "lamb": (0.01, {"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-06, "weight_decay": 0.01}),
    "momentum": (0.01, {"beta": 0.9}),
    "nadam": (0.002, {"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-08, "psi": 0.004}),
    "nesterov": (0.01, {"beta": 0.9}),
    "radam": (0.001, {"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-08}),
    "rmsprop": (0.001, {"rho": 0.99, "epsilon": 1e-08, "momentum": 0.0, "centred": False}),
    "sgd": (0.01, {}),
}
"""The learning rate and the arguments that a user gets who names nothing but the optimizer."""
SHARES = {"beta", "beta1", "beta2", "rho", "momentum"}


def test_defaults_are_those_that_are_documented():
    """A changed default changes the results of everybody who relies on it."""
    found = {
        name: (kind.learning_rate, {field.name: getattr(kind(), field.name) for field in dataclasses.fields(kind)})
        for name, kind in OPTIMIZERS.items()
    }
    assert found == DEFAULTS


NUMBERS = [
    (kind, name)
    for kind, (_, settings) in DEFAULTS.items()
    for name, value in settings.items()
    if isinstance(value, float)
]


@pytest.mark.parametrize(("kind", "name"), NUMBERS)
def test_numbers_are_finite_and_in_their_range(kind, name):
    """All are at least 0, shares are below 1, and what a division needs is above 0."""
    least, most = (1e-30 if name == "epsilon" else 0.0), (0.999 if name in SHARES else 1e6)
    for value in (least, most):
        found = getattr(optimizer(kind, **{name: value}), name)
        assert (type(found), found) == (float, value)
    wrong = [math.nan, math.inf, -math.inf, -1e-30, "0.5"]
    for value in wrong + [0.0] * (name == "epsilon") + [1.0] * (name in SHARES):
        with pytest.raises(UsageError, match=f"{name}: must be"):
            optimizer(kind, **{name: value})


def test_lamb_scales_the_step_of_every_parameter_to_its_norm():
    """Two steps of the engine against the formula; one parameter is longer than what a task sums."""
    network = models.mlp(3, 300, hidden=(70,))
    rule, rate = rounded(optimizer("lamb")), float(np.float32(0.01))
    session = TrainingSession(
        network, batch_size=20, loss="cross_entropy", optimizer="lamb", dtype=np.dtype(np.float32), threads=3
    )
    rng = np.random.default_rng(0)
    count = network.parameter_count
    theta = rng.normal(0.0, 0.1, count).astype(np.float32)
    theta[network.parameters[-1].offset :] = 0.0  # a bias without a norm
    session.vectors.theta[:count] = theta
    state = OptimizerState.zeros(rule, count)
    state.parameters = [(slot.offset, slot.offset + slot.spec.size) for slot in network.parameters]
    x, y = rng.normal(size=(20, 300)).astype(np.float32), rng.integers(0, 3, 20)
    expected = theta.astype(float)
    for step in (1, 2):
        before = expected
        session.step(x, np.arange(20), y, rule.numbers(step, rate))
        expected = rule.update(before, session.vectors.gradient[:count].astype(float), state, step, rate)
        for slot in network.parameters[:-1]:
            part = slice(slot.offset, slot.offset + slot.spec.size)
            length = np.linalg.norm(expected[part] - before[part]) / np.linalg.norm(before[part])
            np.testing.assert_allclose(length, rate, rtol=1e-9)
    got = session.vectors.theta[:count]
    # a sum of up to 16,384 squares in 16 or fewer lanes has at most 4,096 roundings in a row; the root halves them
    assert np.all(np.abs(got - expected) <= EPS * (4 * np.abs(theta) + 2100 * 2 * np.abs(expected - theta)))
