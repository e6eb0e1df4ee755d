"""Layers of two values: the larger, the smaller, products of matrices; and values that no input changes."""

from __future__ import annotations

from typing import Any

import numpy as np

from striate.engine.layout import Buffer
from striate.engine.lowering.broadcast import LARGER, SMALLER, chosen_backward, join_forward
from striate.engine.lowering.context import Lowering, Rule
from striate.engine.lowering.normalisation import emit_channel_affine
from striate.engine.lowering.shape import emit_move
from striate.engine.rules import RULES, SAMPLES
from striate.layers.pairwise import Constant, MatMul, Maximum, Minimum
from striate.network import Step


def _extremum(operation: int) -> Rule:
    return Rule(
        lambda lowering, step: join_forward(lowering, step, operation),
        lambda lowering, step: chosen_backward(lowering, step, operation),
    )


def _matrices(buffer: Buffer, shape: tuple[int, ...]) -> np.ndarray:
    """Return where every number of every matrix lies, int64[matrices, rows, columns]."""
    return buffer.features().reshape(-1, *shape[-2:])


def _emit_products(
    lowering: Lowering, x: tuple[Buffer, np.ndarray], y: tuple[Buffer, np.ndarray], out: tuple[Buffer, np.ndarray]
) -> None:
    """Emit ``out[m, i, j] += sum over k of x[m, i, k] y[m, k, j]``, a run of k for every output."""
    (a, p), (b, q), (o, r) = x, y, out
    rows, columns, inner = p.shape[1], q.shape[2], p.shape[2]
    first = np.broadcast_to(p[:, :, None, 0], (len(p), rows, columns))
    second = np.broadcast_to(q[:, None, 0, :], (len(q), rows, columns))
    runs = np.stack([first.ravel(), second.ravel(), r.ravel()], axis=1)
    steps = [int(s[0, 0, 1] - s[0, 0, 0]) if inner > 1 else 0 for s in (p, q.swapaxes(1, 2))]
    lowering.emit(
        "broadcast.product_sums",
        x=lowering.place(a),
        y=lowering.place(b),
        out=lowering.place(o),
        runs=lowering.program.table(runs),
        run_count=len(runs),
        length=inner,
        x_step=steps[0],
        y_step=steps[1],
        blocks=a.blocks,
        x_block=a.block,
        y_block=b.block,
        out_block=o.block,
    )


def _fill(lowering: Lowering, buffer: Buffer) -> None:
    lowering.emit("elementwise.fill", out=lowering.place(buffer), count=buffer.size, value=0.0)


def _matmul_forward(lowering: Lowering, step: Step) -> None:
    sources = [lowering.compact(name) for name in step.inputs]
    x, y = ((b, _matrices(b, s)) for b, s in zip(sources, step.input_shapes, strict=True))
    out = lowering.allocate(step)
    _fill(lowering, out)
    _emit_products(lowering, x, y, (out, _matrices(out, step.shape)))


def _matmul_backward(lowering: Lowering, step: Step) -> None:
    sources = [lowering.compact(name) for name in step.inputs]
    places = [_matrices(b, s) for b, s in zip(sources, step.input_shapes, strict=True)]
    grad = lowering.gradients[step.name]
    g = _matrices(grad, step.shape)
    for number, name in enumerate(step.inputs):
        if name not in lowering.needed:
            continue
        target, accumulate = lowering.compact_gradient(name)
        if not accumulate:
            _fill(lowering, target)
        out = (target, _matrices(target, step.input_shapes[number]))
        other = sources[1 - number], places[1 - number].swapaxes(1, 2)
        first: Any = (grad, g) if number == 0 else other
        second: Any = other if number == 0 else (grad, g)
        _emit_products(lowering, first, second, out)


def _constant_forward(lowering: Lowering, step: Step) -> None:
    """Add the numbers to zeros, one for each feature."""
    out = lowering.allocate(step)
    rows = lowering.arena.allocate((len(out.features()),))
    _fill(lowering, rows)
    count = rows.shape[0]
    target = rows if out.shape != rows.shape else out
    ones = lowering.constant(1.0, count)
    emit_channel_affine(lowering, rows, target, ones, lowering.parameter(step, "value"))
    if target is rows:
        pairs = np.stack([rows.features(), out.features()], axis=1)
        emit_move(lowering, rows, out, np.zeros((1, 2), np.int64), pairs, 0)


def _constant_backward(lowering: Lowering, step: Step) -> None:
    """Sum the gradient over samples; that of the input is 0."""
    grad = lowering.gradients[step.name]
    features = grad.features()
    lowering.emit(
        "elementwise.channel_sums",
        x=lowering.place(grad),
        out=lowering.parameter_gradient(step, "value"),
        channels=lowering.program.table(np.stack([features, np.arange(len(features))], axis=1)),
        channel_count=len(features),
        runs=lowering.program.table(np.zeros(1, np.int64)),
        run_count=1,
        length=1,
        blocks=grad.blocks,
        x_block=grad.block,
    )
    if step.inputs[0] in lowering.needed:
        target, accumulate = lowering.gradient_into(step.inputs[0])
        if not accumulate:
            _fill(lowering, target)


RULES[SAMPLES, Maximum] = _extremum(LARGER)
RULES[SAMPLES, Minimum] = _extremum(SMALLER)
RULES[SAMPLES, MatMul] = Rule(_matmul_forward, _matmul_backward)
RULES[SAMPLES, Constant] = Rule(_constant_forward, _constant_backward)
