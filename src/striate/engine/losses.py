"""Losses as the engine runs them: what they read and write, and the call of a loss without a kernel."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from striate.engine.layout import Buffer
from striate.engine.lowering import Lowering
from striate.engine.lowering.fallback import Values
from striate.engine.program import LANEWISE, TARGETS, Place
from striate.layers.base import Shape
from striate.losses import Loss


@dataclass(frozen=True)
class Results:
    """What a loss reads and writes for every sample: its weight, its loss, whether it is classified rightly."""

    weights: np.ndarray
    losses: np.ndarray
    correct: np.ndarray


def emit_reference(
    lowering: Lowering, loss: Loss, shape: Shape, value: Buffer, grad: Buffer, results: Results
) -> None:
    """Emit a call of the reference of a loss that has no kernel."""
    samples = value.blocks * value.lanes
    outputs, gradient, count = Values(value, shape), Values(grad, shape), loss.target_count(shape)

    def run(addresses: Sequence[int]) -> None:
        wanted = _floats(addresses[2], samples * count).reshape(value.blocks, count, value.lanes)
        rows = wanted.transpose(0, 2, 1).reshape(samples, count)
        weights, losses, correct = (_floats(address, samples) for address in addresses[3:])
        found, slope = loss.reference(outputs.read(addresses[0]), _targets(loss, rows, shape))
        losses[:], correct[:] = found, 0.0
        gradient.write(addresses[1], slope.reshape(samples, *shape) * weights.reshape(-1, *(1,) * len(shape)))

    lowering.call_back(
        run,
        [
            lowering.place(value),
            lowering.place(grad),
            Place(lowering.samples.targets.ctypes.data, TARGETS),
            *(Place(array.ctypes.data, LANEWISE) for array in vars(results).values()),
        ],
    )


def _targets(loss: Loss, rows: np.ndarray, shape: Shape) -> np.ndarray:
    """Return the targets of a shard (float32[n, T]) as the reference takes them."""
    if loss.takes_class_numbers:
        return loss.prepare(rows.astype(np.int64).reshape(len(rows), *shape[1:]), shape)
    return loss.prepare(rows, shape)


def _floats(address: int, count: int) -> np.ndarray:
    return np.ctypeslib.as_array((ctypes.c_float * count).from_address(address))
