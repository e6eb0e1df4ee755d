"""Lp pooling: sums and roots of squares for the powers 1 and 2, logarithms for others."""

from __future__ import annotations

from striate.engine.lowering.context import Lowering, Rule
from striate.engine.lowering.pooling import (
    geometry_of,
    gradient_tables,
    gradient_target,
    partition,
    pooling_arguments,
    unrolled,
    window_gradient_arguments,
    window_tables,
)
from striate.engine.rules import RULES, SAMPLES
from striate.layers.pooling import LpPooling
from striate.network import Step


def _power(step: Step) -> tuple[float, int]:
    """Return the power, and that power again if it has kernels of its own, else 0."""
    power: float = step.layer.power  # type: ignore[attr-defined]
    return power, int(power) if power in (1.0, 2.0) else 0


def _forward(lowering: Lowering, step: Step) -> None:
    x, out = lowering.values[step.inputs[0]], lowering.allocate(step)
    power, exact = _power(step)
    for where, taps in window_tables(x, out, geometry_of(step)):
        arguments = pooling_arguments(lowering, x, out, where, taps)
        if exact:
            lowering.emit("norm_pooling.norm_pool", (*unrolled(taps), exact), **arguments)
        else:
            lowering.emit("norm_pooling.power_pool", **arguments, power=power)


def _backward(lowering: Lowering, step: Step) -> None:
    if step.inputs[0] not in lowering.needed:
        return
    x, out, grad = lowering.values[step.inputs[0]], lowering.values[step.name], lowering.gradients[step.name]
    geometry, (power, exact) = geometry_of(step), _power(step)
    grad_x, accumulate = gradient_target(lowering, step, partition(x, geometry))
    buffers = (x, out, grad, grad_x)
    for places, taps in gradient_tables(buffers, geometry):
        arguments = window_gradient_arguments(lowering, buffers, places, taps, accumulate)
        cells = unrolled(taps) if exact else (0,)
        lowering.emit("norm_pooling.norm_pool_gradient", (*cells, exact), **arguments, power=power)


RULES[SAMPLES, LpPooling] = Rule(_forward, _backward)
