"""Losses as rows of a program: a call of their kernel, or of their reference where they have none."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence

import numpy as np

from striate.engine import segments
from striate.engine.binding import Memory
from striate.engine.layout import Buffer
from striate.engine.lowering import Lowering
from striate.engine.lowering.fallback import Values
from striate.engine.lowering.shape import emit_copy
from striate.engine.program import LANEWISE, TARGETS, Place
from striate.layers.base import Shape
from striate.losses import Loss


def emit_loss(lowering: Lowering, name: str, loss: Loss, number: int) -> None:
    """Emit the loss of the value ``name``, the output of that number, and its gradient."""
    value = lowering.values[name]
    grad, accumulate = lowering.gradient_into(name)
    target = lowering.arena.allocate(grad.shape) if accumulate else grad
    shape = lowering.network.step(name).shape
    kernel, numbers, features = loss.kernel(shape), loss.numbers(shape), value.features()
    results = {field: Place(segment, 0, LANEWISE) for field, segment in segments.of_loss(number).items()}
    targets = Place(segments.TARGETS, 0, TARGETS)
    if kernel is None:
        _emit_reference(lowering, loss, shape, value, target, [targets, *results.values()])
    else:
        lowering.emit(
            kernel,
            loss.kernel_constants(shape),
            outputs=lowering.place(value),
            grad=lowering.place(target),
            targets=targets,
            **results,
            **({} if numbers is None else {"numbers": numbers}),
            features=lowering.program.table(features),
            grad_features=lowering.program.table(target.features()),
            count=len(features),
            blocks=value.blocks,
            outputs_block=value.block,
            grad_block=target.block,
        )
    if accumulate:
        emit_copy(lowering, target, grad, accumulate)


def _emit_reference(
    lowering: Lowering, loss: Loss, shape: Shape, value: Buffer, grad: Buffer, places: list[Place]
) -> None:
    """Emit a call of the reference of a loss that has no kernel."""
    samples = value.blocks * value.lanes
    outputs, gradient, count = Values(value, shape), Values(grad, shape), loss.target_count(shape)

    def run(addresses: Sequence[int], memory: Memory) -> None:
        wanted = _floats(addresses[2], samples * count).reshape(value.blocks, count, value.lanes)
        rows = wanted.transpose(0, 2, 1).reshape(samples, count)
        weights, losses, correct = (_floats(address, samples) for address in addresses[3:])
        found, slope = loss.reference(outputs.read(addresses[0]), _targets(loss, rows, shape))
        losses[:], correct[:] = found, 0.0
        gradient.write(addresses[1], slope.reshape(samples, *shape) * weights.reshape(-1, *(1,) * len(shape)))

    lowering.call_back(run, [lowering.place(value), lowering.place(grad), *places])


def _targets(loss: Loss, rows: np.ndarray, shape: Shape) -> np.ndarray:
    """Return the targets of a shard (float32[n, T]) as the reference takes them."""
    if loss.takes_class_numbers:
        return loss.prepare(rows.astype(np.int64).reshape(len(rows), *shape[1:]), shape)
    return loss.prepare(rows, shape)


def _floats(address: int, count: int) -> np.ndarray:
    return np.ctypeslib.as_array((ctypes.c_float * count).from_address(address))
