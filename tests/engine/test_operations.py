"""Every operation with kernels against its reference: outputs, gradients of inputs, gradients of parameters."""

from __future__ import annotations

import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from striate.engine.lowering import RULES
from striate.engine.machine import LANES, default_lanes
from striate.layers.registry import LAYERS
from striate.layers.shape import InputLayer
from support.choices import Choices, Drawn, examples
from support.draws import Case
from support.operations import OPERATIONS, Operation
from support.probe import (
    Experiment,
    Fast,
    Setting,
    check_gradients,
    check_losses,
    check_output,
    check_states,
    infer,
    prepare,
)

VALUES = 60_000  # of a whole batch, so that a configuration takes milliseconds
MULTIPLY_ADDS = 6_000_000
seen: Counter[str] = Counter()


def draw_setting(choose: Choices, operation: Operation, case: Case, whole: bool) -> Setting:
    values = sum(math.prod(shape) for shape in (*case.shapes, case.output_shape))
    most = min(70, VALUES // values, MULTIPLY_ADDS // (case.layer.multiply_adds(*case.shapes) or 1))
    lanes = choose.one_of([default_lanes(), default_lanes(), *LANES])
    return Setting(choose.integer(1, max(1, most)), lanes, whole, choose.integer(0, 2**31), operation.winograd)


def draw_experiment(operation: Operation, choose: Choices) -> Experiment:
    case = operation.draw(choose)
    whole = bool(choose.integer(0, 1)) and operation.exact(case)
    return prepare(operation, case, draw_setting(choose, operation, case, whole))


def compare(operation: Operation, choose: Choices) -> None:
    """Draw one configuration and compare everything that the engine makes of it."""
    experiment = draw_experiment(operation, choose)
    direct = len(experiment.case.shapes) == 1 and bool(choose.integer(0, 1))
    less = choose.integer(1, experiment.setting.batch)
    try:
        check_output(experiment, infer(experiment, 1 + less % 2, direct))
        check_training(experiment, less if choose.integer(0, 1) else 0)
    except AssertionError as error:
        raise AssertionError(f"{experiment}, direct={direct}: {error}") from error


def check_training(experiment: Experiment, less: int) -> None:
    """Compare a step of training; if ``less``, another follows a smaller batch, on two threads."""
    fast = Fast(experiment)
    losses, gradient = fast.run()
    check_states(experiment, fast)
    check_losses(experiment, losses)
    check_gradients(experiment, fast.result(gradient))
    if less:
        fast.run(less)  # leaves nothing behind
        again, same = fast.run(threads=2)
        assert losses.tobytes() == again.tobytes(), "losses on two threads"
        assert gradient.tobytes() == same.tobytes(), "gradient on two threads"
        seen["two threads"] += 1
    note(experiment, fast.session.sizes.shards)


def note(experiment: Experiment, shards: int) -> None:
    """Count what was compared, for the test that nothing is forgotten."""
    lanes, batch = experiment.setting.lanes, experiment.setting.batch
    kinds = {
        "all": True,
        f"{lanes} lanes": True,
        "exact": experiment.exact,
        "part-filled block": batch % lanes != 0,
        "several shards": shards > 1,
        "large": max(max(shape) for shape in experiment.case.shapes) > 20,
    }
    seen.update(kind for kind, true in kinds.items() if true)


@pytest.mark.parametrize("name", OPERATIONS)
def test_same_as_reference(name: str) -> None:
    @examples(OPERATIONS[name].examples)
    @given(st.data())
    def check(data: st.DataObject) -> None:
        compare(OPERATIONS[name], Drawn(data))

    check()
    seen["operations"] += 1


def test_more_than_5000_configurations_of_every_sort_were_compared() -> None:
    if seen["operations"] < len(OPERATIONS):
        pytest.skip("only some operations were compared")
    assert seen["all"] >= 5000
    for kind in (
        "4 lanes",
        "8 lanes",
        "16 lanes",
        "exact",
        "part-filled block",
        "several shards",
        "two threads",
        "large",
    ):
        assert seen[kind] >= 500, kind


def test_every_layer_has_a_line() -> None:
    proved = tuple(layer for operation in OPERATIONS.values() for layer in operation.layers)
    assert set(RULES) <= set(proved)
    for name, layer in LAYERS.items():
        assert issubclass(layer, (*proved, InputLayer)), name
