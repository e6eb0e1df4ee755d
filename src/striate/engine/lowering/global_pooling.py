"""Global pooling: one window over the whole space."""

from __future__ import annotations

from typing import Any

import numpy as np

from striate.engine.layout import Buffer
from striate.engine.lowering.context import Lowering, Rule
from striate.engine.lowering.pooling import emit_max_gradient, pooling_arguments
from striate.engine.rules import RULES, SAMPLES
from striate.layers.global_pooling import GlobalAvgPool, GlobalMaxPool
from striate.network import Step


def _window(x: Buffer, out: Buffer) -> tuple[np.ndarray, np.ndarray]:
    """Return (place of x, place of out) of the one window, int64[1, 2], and the places of its cells."""
    return np.array([[0, out.origin]]), x.positions()


def _forward(lowering: Lowering, step: Step) -> None:
    x, out = lowering.values[step.inputs[0]], lowering.allocate(step)
    where, cells = _window(x, out)
    arguments = pooling_arguments(lowering, x, out, where, cells)
    lowering.emit("pooling.avg_pool", (0,), **arguments, share=1.0 / len(cells))


def _backward(lowering: Lowering, step: Step) -> None:
    if step.inputs[0] not in lowering.needed:
        return
    grad = lowering.gradients[step.name]
    grad_x, accumulate = lowering.gradient_into(step.inputs[0])
    where, cells = _window(grad_x, grad)
    arguments: dict[str, Any] = pooling_arguments(lowering, grad, grad_x, where[:, ::-1], cells)
    arguments = {_GRADIENT_NAMES.get(key, key): value for key, value in arguments.items()}
    lowering.emit("pooling.avg_pool_gradient", (0,), **arguments, share=1.0 / len(cells), accumulate=accumulate)


def _max_forward(lowering: Lowering, step: Step) -> None:
    x, out = lowering.values[step.inputs[0]], lowering.allocate(step)
    where, cells = _window(x, out)
    lowering.emit("pooling.max_pool", (0,), **pooling_arguments(lowering, x, out, where, cells))


def _max_backward(lowering: Lowering, step: Step) -> None:
    if step.inputs[0] not in lowering.needed:
        return
    x, out, grad = lowering.values[step.inputs[0]], lowering.values[step.name], lowering.gradients[step.name]
    grad_x, accumulate = lowering.gradient_into(step.inputs[0])
    where, cells = _window(x, out)
    places = np.array([[0, where[0, 1], grad.origin, 0]])
    taps = np.stack([cells, grad_x.positions()], axis=1)
    emit_max_gradient(lowering, (x, out, grad, grad_x), places, taps, accumulate)


_GRADIENT_NAMES = {"x": "grad_out", "out": "grad_x", "x_block": "grad_out_block", "out_block": "grad_x_block"}

RULES[SAMPLES, GlobalMaxPool] = Rule(_max_forward, _max_backward)
RULES[SAMPLES, GlobalAvgPool] = Rule(_forward, _backward)
