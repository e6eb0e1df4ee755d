"""Adaptive max pooling: tables of windows whose sizes differ by one."""

from __future__ import annotations

import math

from striate.engine.lowering.context import Lowering, Rule
from striate.engine.lowering.pooling import (
    emit_max_gradient,
    geometry_of,
    gradient_tables,
    gradient_target,
    pooling_arguments,
    unrolled,
    window_tables,
)
from striate.engine.lowering.windows import AxisClass, axis_classes
from striate.engine.rules import RULES, SAMPLES
from striate.layers.global_pooling import AdaptiveMaxPooling, part_of
from striate.network import Step


def _parts(size: int, outputs: int, *window: int) -> list[AxisClass]:
    """Group the parts of an axis by their sizes."""
    return axis_classes([list(enumerate(part_of(size, outputs, i))) for i in range(outputs)])


def _forward(lowering: Lowering, step: Step) -> None:
    x, out = lowering.values[step.inputs[0]], lowering.allocate(step)
    for where, taps in window_tables(x, out, geometry_of(step), _parts):
        lowering.emit("pooling.max_pool", unrolled(taps), **pooling_arguments(lowering, x, out, where, taps))


def _backward(lowering: Lowering, step: Step) -> None:
    if step.inputs[0] not in lowering.needed:
        return
    x, out, grad = lowering.values[step.inputs[0]], lowering.values[step.name], lowering.gradients[step.name]
    geometry = geometry_of(step)
    exact = all(n % o == 0 for n, o in zip(step.input_shapes[0][1:], step.shape[1:], strict=True))
    grad_x, accumulate = gradient_target(lowering, step, exact)
    buffers = (x, out, grad, grad_x)
    for places, taps in gradient_tables(buffers, geometry, _parts):
        emit_max_gradient(lowering, buffers, places, taps, accumulate, -math.inf)


RULES[SAMPLES, AdaptiveMaxPooling] = Rule(_forward, _backward)
