"""Global and adaptive pooling: windows of their own size for every output."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np

from striate.engine.layout import Buffer
from striate.engine.lowering.context import RULES, Lowering, Rule
from striate.engine.lowering.pooling import emit_max_gradient, pooling_arguments
from striate.layers.global_pooling import AdaptiveAvgPooling, GlobalAvgPool, GlobalMaxPool
from striate.network import Step


def _windows(x: Buffer, out: Buffer) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield (place of x, place of out) of each window and the places of its cells."""
    axes = [
        [(i * n // o, -(-(i + 1) * n // o)) for i in range(o)]
        for n, o in zip(x.shape[1:], out.shape[1:], strict=True)
    ]
    for place, spans in zip(out.positions(), itertools.product(*axes), strict=True):
        yield np.array([[0, place]]), x.space(*(np.arange(*span) for span in spans)).ravel()


def _forward(lowering: Lowering, step: Step) -> None:
    x, out = lowering.values[step.inputs[0]], lowering.allocate(step)
    for where, cells in _windows(x, out):
        arguments = pooling_arguments(lowering, x, out, where, cells)
        lowering.emit("pooling.avg_pool", (0,), **arguments, share=1.0 / len(cells))


def _backward(lowering: Lowering, step: Step) -> None:
    if step.inputs[0] not in lowering.needed:
        return
    grad = lowering.gradients[step.name]
    grad_x, accumulate = lowering.gradient_into(step.inputs[0])
    partition = all(n % o == 0 for n, o in zip(grad_x.shape[1:], grad.shape[1:], strict=True))
    if not accumulate and not partition:
        lowering.emit("elementwise.fill", out=lowering.place(grad_x), count=grad_x.size, value=0.0)
        accumulate = 1
    for where, cells in _windows(grad_x, grad):
        arguments: dict[str, Any] = pooling_arguments(lowering, grad, grad_x, where[:, ::-1], cells)
        arguments = {_GRADIENT_NAMES.get(key, key): value for key, value in arguments.items()}
        lowering.emit("pooling.avg_pool_gradient", (0,), **arguments, share=1.0 / len(cells), accumulate=accumulate)


def _max_forward(lowering: Lowering, step: Step) -> None:
    x, out = lowering.values[step.inputs[0]], lowering.allocate(step)
    (where, cells), *_ = _windows(x, out)
    lowering.emit("pooling.max_pool", (0,), **pooling_arguments(lowering, x, out, where, cells))


def _max_backward(lowering: Lowering, step: Step) -> None:
    if step.inputs[0] not in lowering.needed:
        return
    x, out, grad = lowering.values[step.inputs[0]], lowering.values[step.name], lowering.gradients[step.name]
    grad_x, accumulate = lowering.gradient_into(step.inputs[0])
    (where, cells), *_ = _windows(x, out)
    places = np.array([[0, where[0, 1], grad.origin, 0]])
    taps = np.stack([cells, grad_x.positions()], axis=1)
    emit_max_gradient(lowering, (x, out, grad, grad_x), places, taps, accumulate)


_GRADIENT_NAMES = {"x": "grad_out", "out": "grad_x", "x_block": "grad_out_block", "out_block": "grad_x_block"}

RULES[GlobalMaxPool] = Rule(_max_forward, _max_backward)
RULES[GlobalAvgPool] = Rule(_forward, _backward)
RULES[AdaptiveAvgPooling] = Rule(_forward, _backward)
