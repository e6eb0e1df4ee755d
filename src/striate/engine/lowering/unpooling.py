"""Values put at maxima, or taken from there: the maxima are found again, then values move as gradients do."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from striate.engine.layout import Buffer
from striate.engine.lowering.context import Lowering, Rule
from striate.engine.lowering.pooling import (
    emit_max_gradient,
    gradient_tables,
    partition,
    pooling_arguments,
    unrolled,
    window_tables,
)
from striate.engine.lowering.windows import Geometry
from striate.engine.rules import RULES, SAMPLES
from striate.layers.unpooling import AtMaxima, MaxGathering, MaxUnpooling
from striate.network import Step

Move = Callable[[Lowering, Step, Buffer, Buffer, Buffer, int], None]


def _geometry(step: Step) -> Geometry:
    layer: AtMaxima = step.layer  # type: ignore[assignment]
    return Geometry.of(layer.pool().window(step.input_shapes[1]))


def _maxima(lowering: Lowering, step: Step) -> Buffer:
    """Emit the pooling of the second input; it is kept for the gradient."""
    layer: AtMaxima = step.layer  # type: ignore[assignment]
    source = lowering.values[step.inputs[1]]
    best = lowering.arena.allocate(layer.pool().output_shape(step.input_shapes[1]))
    for where, taps in window_tables(source, best, _geometry(step)):
        lowering.emit("pooling.max_pool", unrolled(taps), **pooling_arguments(lowering, source, best, where, taps))
    if lowering.training:
        lowering.memos[step.name] = best
    return best


def _put(lowering: Lowering, step: Step, best: Buffer, x: Buffer, out: Buffer, accumulate: int) -> None:
    """Emit the sums of the values ``x`` of all windows whose maximum is at each place of ``out``."""
    source, geometry = lowering.values[step.inputs[1]], _geometry(step)
    if not accumulate and not partition(source, geometry):
        lowering.emit("elementwise.fill", out=lowering.place(out), count=out.size, value=0.0)
        accumulate = 1
    buffers = (source, best, x, out)
    for places, taps in gradient_tables(buffers, geometry):
        emit_max_gradient(lowering, buffers, places, taps, accumulate)


def _take(lowering: Lowering, step: Step, best: Buffer, x: Buffer, out: Buffer, accumulate: int) -> None:
    """Emit the values of ``x`` at the maximum of each window."""
    source = lowering.values[step.inputs[1]]
    buffers = {"source": source, "best": best, "grad_x": out, "grad_out": x}
    table = lowering.program.table
    for places, taps in gradient_tables((source, best, out, x), _geometry(step)):
        lowering.emit(
            "unpooling.unpool_gradient",
            unrolled(taps),
            **{name: lowering.place(buffer) for name, buffer in buffers.items()},
            **{f"{name}_block": buffer.block for name, buffer in buffers.items()},
            channels=table(np.stack([b.channels() for b in buffers.values()], axis=1)),
            channel_count=source.shape[0],
            places=table(places),
            place_count=len(places),
            taps=table(taps),
            tap_count=len(taps),
            blocks=source.blocks,
            accumulate=accumulate,
        )


def _rule(onward: Move, back: Move) -> Rule:
    """Return the rule of a layer that moves values ``onward`` and gradients ``back``."""

    def forward(lowering: Lowering, step: Step) -> None:
        x, out = lowering.values[step.inputs[0]], lowering.allocate(step)
        best = _maxima(lowering, step)
        onward(lowering, step, best, x, out, 0)
        if not lowering.training:
            lowering.arena.free(best)

    def backward(lowering: Lowering, step: Step) -> None:
        if step.inputs[0] in lowering.needed:
            best: Buffer = lowering.memos[step.name]
            grad_x, accumulate = lowering.gradient_into(step.inputs[0])
            back(lowering, step, best, lowering.gradients[step.name], grad_x, accumulate)
            lowering.arena.free(best)

    return Rule(forward, backward)


RULES[SAMPLES, MaxUnpooling] = _rule(_put, _take)
RULES[SAMPLES, MaxGathering] = _rule(_take, _put)
