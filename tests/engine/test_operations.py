"""Every operation with kernels against its reference: outputs, gradients of inputs, gradients of parameters.

More than 5,000 configurations in all, drawn by hypothesis: sides and channels from 1 to 40, batches from 1 to 70,
samples that lie in memory in five ways, kernels for 4, 8 and 16 lanes. Each is run with one thread and with two,
which must give the same bits; on small whole numbers, operations that are sums must give exactly the reference's
result. ``seen`` counts what was compared, and the last tests demand enough of everything.
"""

from __future__ import annotations

import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from striate.engine import lowering  # noqa: F401  (fills the table)
from striate.engine.channels.session import ChannelSession
from striate.engine.rules import RULES
from striate.layers.quantised import WHOLE
from striate.layers.registry import LAYERS
from striate.layers.shape import InputLayer
from striate.machine import LANES, default_lanes
from striate.testing.choices import Choices
from striate.testing.comparisons import check_output
from striate.testing.draws import Case
from striate.testing.experiments import LAYOUTS, Experiment, Setting, prepare
from striate.testing.kernel_checks import check_training
from striate.testing.operations import OPERATIONS, Operation
from striate.testing.probe import infer
from support.choices import Drawn, examples

VALUES = 60_000  # of a whole batch, so that a configuration takes milliseconds
MULTIPLY_ADDS = 6_000_000
seen: Counter[str] = Counter()


def draw_setting(choose: Choices, operation: Operation, case: Case, whole: bool) -> Setting:
    values = sum(math.prod(shape) for shape in (*case.shapes, case.output_shape))
    most = min(70, VALUES // values, MULTIPLY_ADDS // (case.layer.multiply_adds(*case.shapes) or 1))
    lanes = choose.one_of([default_lanes(), default_lanes(), *LANES])
    batch, seed = choose.integer(1, max(1, most)), choose.integer(0, 2**31)
    if operation.above is not None:  # lanes without a sample hold zeros, where there are poles
        batch = lanes
    return Setting(batch, lanes, whole, seed, operation.winograd, choose.one_of(list(LAYOUTS)))


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
        if experiment.setting.seed % 4 == 0:
            check_output(experiment, infer(experiment, 1 + less % 3, direct, ChannelSession))
            seen["channels in the lanes"] += 1
        less = less if choose.integer(0, 1) and operation.above is None else 0
        fast = check_training(experiment, less)
        note(experiment, fast.session.facts.sizes.shards, less)
    except AssertionError as error:
        raise AssertionError(f"{experiment}, direct={direct}: {error}") from error


def note(experiment: Experiment, shards: int, less: int) -> None:
    """Count what was compared, for the test that nothing is forgotten."""
    lanes, batch = experiment.setting.lanes, experiment.setting.batch
    kinds = {
        "all": True,
        "after a smaller batch": less > 0,
        f"{lanes} lanes": True,
        "exact": experiment.exact,
        "part-filled block": batch % lanes != 0,
        "several shards": shards > 1,
        "not contiguous": experiment.setting.layout != "contiguous",
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
        "not contiguous",
        "after a smaller batch",
        "large",
        "channels in the lanes",
    ):
        assert seen[kind] >= 500, kind


def test_every_layer_has_a_line() -> None:
    proved = tuple(layer for operation in OPERATIONS.values() for layer in operation.layers)
    proved += WHOLE  # see test_integers.py
    for _, layer in RULES:  # a rule for a base class is proved by those derived from it
        assert issubclass(layer, WHOLE) or any(issubclass(each, layer) for each in proved), layer
    for name, layer in LAYERS.items():
        assert issubclass(layer, (*proved, InputLayer)), name
