"""Every operation with kernels against its reference: outputs, gradients of inputs, gradients of parameters."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from striate.engine.machine import default_lanes
from support.choices import Choices, Drawn, examples
from support.draws import Case
from support.operations import OPERATIONS, Operation
from support.probe import Fast, Setting, check_gradients, check_losses, check_output, infer, prepare

VALUES = 60_000  # of a whole batch, so that a configuration takes milliseconds
MULTIPLY_ADDS = 6_000_000
compared: dict[str, int] = {}


def draw_setting(choose: Choices, case: Case, whole: bool) -> Setting:
    values = sum(map(_count, (*case.shapes, case.output_shape)))
    most = min(70, VALUES // values, MULTIPLY_ADDS // (case.layer.multiply_adds(*case.shapes) or 1))
    lanes = choose.one_of([default_lanes(), default_lanes(), 4, 8, 16])
    return Setting(choose.integer(1, max(1, most)), lanes, whole, choose.integer(0, 2**31))


def _count(shape: tuple[int, ...]) -> int:
    count = 1
    for side in shape:
        count *= side
    return count


def compare(operation: Operation, choose: Choices) -> None:
    """Draw one configuration and compare everything that the engine makes of it."""
    case = operation.draw(choose)
    setting = draw_setting(choose, case, bool(choose.integer(0, 1)) and operation.exact(case))
    experiment = prepare(operation, case, setting)
    direct = len(case.shapes) == 1 and bool(choose.integer(0, 1))
    check_output(experiment, infer(experiment, 1 + choose.integer(0, 1), direct))
    fast = Fast(experiment)
    losses, gradient = fast.run()
    check_losses(experiment, losses)
    check_gradients(experiment, fast.result(gradient))
    if choose.integer(0, 1):
        fast.run(choose.integer(1, setting.batch))  # a smaller batch between leaves nothing behind
        again, same = fast.run(threads=2)
        assert losses.tobytes() == again.tobytes()
        assert gradient.tobytes() == same.tobytes()


@pytest.mark.parametrize("name", OPERATIONS)
def test_same_as_reference(name: str) -> None:
    @examples(OPERATIONS[name].examples)
    @given(st.data())
    def check(data: st.DataObject) -> None:
        compare(OPERATIONS[name], Drawn(data))
        compared[name] = compared.get(name, 0) + 1

    check()
