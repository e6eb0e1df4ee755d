"""Programs that are proven before they run: the proof itself, and what kernels are said to read and write."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from striate import kernels
from striate.engine.channels.session import ChannelSession
from striate.engine.program import BACKWARD, BUFFERS, FORWARD, Place, Program
from striate.engine.program import OUTPUTS as BY_SHARD
from striate.engine.segments import GRADIENTS, OUTPUTS
from striate.engine.updates import UPDATES
from striate.engine.verify import verify
from striate.errors import ProgramError
from striate.kernels.access import ACCESS
from striate.layers import BatchNorm, Conv2d, Dropout, Flatten, Linear, MaxPool2d, ReLU
from striate.losses import LOSSES, ExpressionLoss, Loss
from striate.machine import LANES
from striate.network import Network, Sequential
from striate.testing.choices import Seeded
from striate.testing.operations import OPERATIONS
from support.programs import Alone, changed, inference_program, network_of, training_program

NAMES = sorted(OPERATIONS)
ONE_OF_EACH = [
    ExpressionLoss("(output - target)**2") if cls is ExpressionLoss else cls() for _, cls in sorted(LOSSES.items())
]


def network(outputs: int = 4) -> Network:
    return Sequential(
        [Conv2d(5, 3), BatchNorm(), ReLU(), MaxPool2d(2), Dropout(0.5), Flatten(), Linear(outputs)], (2, 8, 8)
    )


@pytest.mark.parametrize("name", NAMES)
def test_programs_of_every_operation_are_proven(name: str) -> None:
    lanes = LANES[NAMES.index(name) % len(LANES)]
    net = network_of(OPERATIONS[name].draw(Seeded(lanes)))
    verify(training_program(net, lanes))
    verify(inference_program(net, lanes))


@pytest.mark.parametrize("loss", ONE_OF_EACH, ids=lambda loss: loss.name)
def test_programs_of_every_loss_are_proven(loss: Loss) -> None:
    verify(training_program(network(), 8, loss=loss))


@pytest.mark.parametrize("optimizer", sorted(UPDATES))
def test_programs_of_every_optimizer_are_proven(optimizer: str) -> None:
    verify(training_program(network(), 8, optimizer=optimizer))


def check_rows(program: Program, seed: int = 0) -> set[str]:
    """Run every row twice, with other numbers wherever it is not said to read; return the kernels."""
    alone, kernels = Alone(program, seed), set()
    for row, registers in alone.tasks():
        found = alone.uses(row, registers)
        writes = alone.masks(found, "write", "update", "total")
        touched, reads = (
            alone.masks(found, "write", "update", "total", "scratch"),
            alone.masks(found, "read", "update"),
        )
        results = []
        alone.fill()
        for keep in (None, reads):
            if keep is not None:
                alone.fill(keep)
            start = {name: array.copy() for name, array in alone.memory.items()}
            alone.run(row, registers)
            for name, array in alone.memory.items():
                changed = (array.view(np.int32) != start[name].view(np.int32)) & ~touched[name]
                assert not changed.any(), (
                    f"{row.where}: {row.request}: writes {name} at {np.flatnonzero(changed)[:5]}"
                )
            results.append({name: array.copy() for name, array in alone.memory.items()})
            for name, array in start.items():
                alone.memory[name][:] = array
        for name, mask in writes.items():
            one, other = (result[name].view(np.int32)[mask] for result in results)
            assert np.array_equal(one, other), f"{row.where}: {row.request}: reads more than it says, for {name}"
        assert row.request is not None
        kernels.add(f"{row.request.module}.{row.request.name}")
    return kernels


@pytest.mark.parametrize("name", NAMES)
def test_kernels_touch_what_they_are_said_to(name: str) -> None:
    net = network_of(OPERATIONS[name].draw(Seeded(1)))
    check_rows(training_program(net, 8, 24))
    check_rows(inference_program(net, 8, 24))


def test_kernels_touch_what_they_are_said_to_where_values_have_margins_and_gradients_have_none() -> None:
    padded = Conv2d(3, 3, padding="same")
    check_rows(training_program(Sequential([padded, BatchNorm(), ReLU(), padded], (2, 8, 8)), 8, 24))


@pytest.mark.parametrize("name", NAMES)
def test_programs_with_channels_in_the_lanes_are_proven(name: str) -> None:
    session = ChannelSession(network_of(OPERATIONS[name].draw(Seeded(1))), batch_size=3, dtype=np.dtype(np.float32))
    verify(session.program, [3])
    check_rows(session.program)


@pytest.mark.parametrize("loss", ONE_OF_EACH, ids=lambda loss: loss.name)
def test_losses_touch_what_they_are_said_to(loss: Loss) -> None:
    check_rows(training_program(Sequential([Linear(4)], (6,)), 8, 24, loss=loss))


@pytest.mark.parametrize(("kernel", "arguments", "rule"), [
    ("store_rows", {"out": Place(OUTPUTS, 4, BY_SHARD)}, r"out must stay inside outputs, \d+ bytes; got"),
    ("store_rows", {"out": Place(OUTPUTS, -4, BY_SHARD)}, "must stay inside outputs.*got bytes -4"),
    ("store_rows", {"out": Place("nowhere")}, "must point into a segment of the program; got 'nowhere'"),
    ("store_rows", {"x": Place(BUFFERS, 2**20)}, "store_rows: x must stay inside arena"),
    ("store_rows", {"out": Place(OUTPUTS)}, "must belong to one task of a phase; got"),
])  # fmt: skip
def test_a_row_that_is_wrong_is_refused(kernel: str, arguments: dict[str, Any], rule: str) -> None:
    program = inference_program(Sequential([Conv2d(2, 3)], (1, 5, 5)), 4, 32)
    verify(program)
    with pytest.raises(ProgramError, match=rule):
        verify(changed(program, kernel, **arguments))


def test_rows_in_the_wrong_order_are_refused() -> None:
    program = inference_program(Sequential([Conv2d(2, 3)], (1, 5, 5)), 4, 32)
    phase = next(phase for phase in program.phases if phase.each)
    phase.rows.reverse()
    with pytest.raises(ProgramError, match=r"conv1: batch\.store_rows: x must be written before it is read; got"):
        verify(program)


def test_a_gradient_that_is_not_cleared_is_refused() -> None:
    program = training_program(Sequential([Conv2d(20, 3), Flatten(), Linear(3)], (1, 5, 5)), 4, 32)
    phase = next(phase for phase in program.phases if phase.each)
    wrong = [
        row for row in phase.rows if not (row.request and row.request.name == "fill" and row.section == BACKWARD)
    ]
    phase.rows, phase.spans = wrong, [(0, len(wrong))] * len(phase.tasks)
    with pytest.raises(
        ProgramError, match=f"weight_gradient: grad_w must be written before it is read.*{GRADIENTS}"
    ):
        verify(program)


def test_every_kernel_of_a_program_is_described() -> None:
    """Those of samples in the lanes; what starts with an underscore, or is inlined, is no kernel."""
    elsewhere = ("access", "functions", "runner", "sums", "warp")
    missing = []
    for path in sorted(Path(kernels.__file__).parent.glob("*.py")):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_") and not node.decorator_list:
                text = ast.unparse(node)
                if "Floats" in text and path.stem not in elsewhere and f"{path.stem}.{node.name}" not in ACCESS:
                    missing.append(f"{path.stem}.{node.name}")
    assert not missing


def test_a_kernel_that_nobody_described_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(ACCESS, "batch.store_rows")
    with pytest.raises(
        ProgramError, match=r"batch\.store_rows: reads and writes of a kernel must be declared; got none"
    ):
        verify(inference_program(Sequential([Conv2d(2, 3)], (1, 5, 5)), 4))


@pytest.mark.parametrize("change", ["read x: blocks:x_block + runs.0 + lanes", "read x: 0"])
def test_the_check_of_kernels_sees_a_description_that_says_too_little(
    monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    program = inference_program(Sequential([Conv2d(2, 3), ReLU(), ReLU()], (1, 5, 5)), 4)
    wrong = ACCESS["elementwise.activation"].replace(
        "read x: blocks:x_block + runs.0 + length:lanes + lanes", change
    )
    monkeypatch.setitem(ACCESS, "elementwise.activation", wrong)
    with pytest.raises(AssertionError, match="reads more than it says"):
        check_rows(program)
    monkeypatch.setitem(ACCESS, "elementwise.activation", "read x: blocks*x_block\nwrite out: 1")
    with pytest.raises(AssertionError, match="writes arena"):
        check_rows(program)


def test_python_functions_are_not_looked_into() -> None:
    program = Program(4)
    program.phase([program.row(FORWARD, "elementwise.fill", out=Place("out"), count=4, value=0.0)], [{}])
    with pytest.raises(ProgramError, match="must point into a segment"):
        verify(program.finish())


@pytest.mark.parametrize(("argument", "value", "message"), [
    ("out", None, "out is missing"),
    ("other", 3, "other is none of its arguments"),
    ("out", 3, "out must be a place; got 3"),
    ("out", "arena", "out must be a place; got arena"),
    ("count", 3.5, "count must be a whole number; got 3.5"),
    ("count", Place("arena"), "count must be a whole number; got arena"),
    ("value", Place("", 0, 1), "value must be a number; got"),
    ("rows", Place("arena"), "rows: must lie in tables; got arena"),
    ("rows", Place("constants"), "rows: must lie in tables; got constants"),
])  # fmt: skip
def test_rows_have_the_arguments_of_their_kernel(argument: str, value: object, message: str) -> None:
    program = training_program(network(), 4)
    row = next(row for row in program.rows if argument in row.arguments or argument == "other")
    row.arguments[argument] = value
    if value is None:
        del row.arguments[argument]
    with pytest.raises(ProgramError, match=message):
        verify(program)
