"""Sums and products of values of different shapes, as runs over the axes that all of them walk alike."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from striate.engine.layout import Buffer, canonical_shape
from striate.engine.lowering.context import Lowering
from striate.layers.base import Shape
from striate.network import Step

SUM, PRODUCT, LARGER, SMALLER = range(4)
"""What ``kernels.broadcast.join`` does with two values."""


@dataclass(frozen=True)
class Operand:
    """A value as the result walks over it.

    Parameters
    ----------
    place : Place or array
    origin : int
        Floats from the beginning of a block to the first value.
    steps : (channel, plane, row, column)
        Floats from one result to the next on each axis; 0 where the value is repeated.
    block : int
    """

    place: Any
    origin: int
    steps: tuple[int, ...]
    block: int

    @classmethod
    def of(cls, lowering: Lowering, buffer: Buffer, shape: Shape, result: Shape) -> Operand:
        """Return the value of ``shape`` in ``buffer``, broadcast to ``result``: axes from the left are equal."""
        missing = len(result) - len(shape)
        steps = [0 if n == 1 else s for n, s in zip(buffer.shape, buffer.strides, strict=True)]
        steps = [steps[0], *(steps[1 + missing :]), *(0,) * missing]
        return cls(lowering.place(buffer), buffer.origin, tuple(steps), buffer.block)

    @classmethod
    def ones(cls, lowering: Lowering) -> Operand:
        """Return the number 1 everywhere."""
        return cls(lowering.constant(1.0, lowering.arena.lanes), 0, (0, 0, 0, 0), 0)


@dataclass(frozen=True)
class Runs:
    """Where runs begin in each operand, int64[runs, operands], their length and each operand's step."""

    begins: np.ndarray
    length: int
    steps: tuple[int, ...]


def runs_over(result: Shape, operands: Sequence[Operand]) -> Runs:
    """Return the longest runs that are evenly spaced in all operands."""
    axes: list[tuple[int, np.ndarray]] = []  # from the outermost to the innermost
    for size, *steps in zip(canonical_shape(result), *(o.steps for o in operands), strict=True):
        step = np.array(steps, np.int64)
        if axes and np.array_equal(axes[-1][1], size * step):
            axes[-1] = (axes[-1][0] * size, step)
        elif size > 1:
            axes.append((size, step))
    length, inner = axes.pop() if axes else (1, np.zeros(len(operands), np.int64))
    begins = np.array([[o.origin for o in operands]], np.int64)
    for size, step in axes:
        begins = (begins[:, None] + np.arange(size)[None, :, None] * step).reshape(-1, len(operands))
    return Runs(begins, length, tuple(map(int, inner)))


def _arguments(lowering: Lowering, runs: Runs, x: Operand, y: Operand, out: Operand) -> dict[str, Any]:
    return {
        "x": x.place,
        "y": y.place,
        "out": out.place,
        "runs": lowering.program.table(runs.begins),
        "run_count": len(runs.begins),
        "length": runs.length,
        "x_step": runs.steps[0],
        "y_step": runs.steps[1],
        "blocks": lowering.arena.blocks,
        "x_block": x.block,
        "y_block": y.block,
        "out_block": out.block,
    }


def emit_join(
    lowering: Lowering,
    result: Shape,
    operands: Sequence[Operand],
    out: Operand,
    operation: int,
    floor: float = -math.inf,
) -> None:
    """Emit ``out = max(floor, sum of the operands)``, two or more; or a product, the larger, the smaller."""
    total = operands[0]
    for i, operand in enumerate(operands[1:], start=2):
        runs = runs_over(result, (total, operand, out))
        lowering.emit(
            "broadcast.join",
            (operation,),
            **_arguments(lowering, runs, total, operand, out),
            out_step=runs.steps[2],
            floor=floor if i == len(operands) else -math.inf,
        )
        total = out


def emit_gradient(lowering: Lowering, step: Step, number: int, grad: Operand, others: Operand) -> None:
    """Emit the gradient of input ``number``: grad_out times ``others``, summed where the input is broadcast."""
    target, accumulate = lowering.compact_gradient(step.inputs[number])
    operand = Operand.of(lowering, target, step.input_shapes[number], step.shape)
    if math.prod(step.input_shapes[number]) != math.prod(step.shape) and not accumulate:
        lowering.emit("elementwise.fill", out=lowering.place(target), count=target.size, value=0.0)
        accumulate = 1
    runs = runs_over(step.shape, (grad, others, operand))
    arguments = _arguments(lowering, runs, grad, others, operand)
    if runs.steps[2] == 0 and runs.length > 1:
        lowering.emit("broadcast.product_sums", **arguments)
    else:
        lowering.emit("broadcast.add_products", **arguments, out_step=runs.steps[2], accumulate=accumulate)


def join_forward(lowering: Lowering, step: Step, operation: int) -> None:
    """Emit the sum of all inputs, or what another operation makes of them."""
    sources = zip(step.inputs, step.input_shapes, strict=True)
    operands = [Operand.of(lowering, lowering.compact(name), shape, step.shape) for name, shape in sources]
    out = Operand.of(lowering, lowering.allocate(step), step.shape, step.shape)
    emit_join(lowering, step.shape, operands, out, operation, lowering.floor(step))


def join_backward(lowering: Lowering, step: Step, operation: int) -> None:
    """Emit the gradients of all inputs of a sum or product that need one."""
    shape = step.shape
    grad = Operand.of(lowering, lowering.gradients[step.name], shape, shape)
    ones = Operand.ones(lowering)
    for number, name in enumerate(step.inputs):
        if name not in lowering.needed:
            continue
        others = [n for n in range(len(step.inputs)) if n != number and operation == PRODUCT]
        factors = [
            Operand.of(lowering, lowering.compact(step.inputs[n]), step.input_shapes[n], shape) for n in others
        ]
        if len(factors) < 2:
            emit_gradient(lowering, step, number, grad, (factors or [ones])[0])
            continue
        room = lowering.arena.allocate(shape)
        together = Operand.of(lowering, room, shape, shape)
        emit_join(lowering, shape, factors, together, PRODUCT)
        emit_gradient(lowering, step, number, grad, together)
        lowering.arena.free(room)


def chosen_backward(lowering: Lowering, step: Step, operation: int) -> None:
    """Emit the gradients of the larger or smaller of two inputs."""
    shape = step.shape
    grad = Operand.of(lowering, lowering.gradients[step.name], shape, shape)
    sources = zip(step.inputs, step.input_shapes, strict=True)
    operands = [Operand.of(lowering, lowering.compact(name), own, shape) for name, own in sources]
    for number, name in enumerate(step.inputs):
        if name not in lowering.needed:
            continue
        target, accumulate = lowering.compact_gradient(name)
        if not accumulate:
            lowering.emit("elementwise.fill", out=lowering.place(target), count=target.size, value=0.0)
        x, y = operands[number], operands[1 - number]
        out = Operand.of(lowering, target, step.input_shapes[number], shape)
        runs = runs_over(shape, (x, y, grad, out))
        lowering.emit(
            "broadcast.chosen_gradients",
            (operation, int(number == 0)),
            x=x.place,
            y=y.place,
            grad=grad.place,
            out=out.place,
            runs=lowering.program.table(runs.begins),
            run_count=len(runs.begins),
            length=runs.length,
            x_step=runs.steps[0],
            y_step=runs.steps[1],
            grad_step=runs.steps[2],
            out_step=runs.steps[3],
            blocks=lowering.arena.blocks,
            x_block=x.block,
            y_block=y.block,
            grad_block=grad.block,
            out_block=out.block,
        )
