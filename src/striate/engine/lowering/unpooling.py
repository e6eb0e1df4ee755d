"""Max unpooling: the maxima are found again, then values go where gradients of the pooling would go."""

from __future__ import annotations

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
from striate.layers.unpooling import MaxUnpooling
from striate.network import Step


def _geometry(step: Step) -> Geometry:
    layer: MaxUnpooling = step.layer  # type: ignore[assignment]
    return Geometry.of(layer.pool().window(step.input_shapes[1]))


def _forward(lowering: Lowering, step: Step) -> None:
    x, source = (lowering.values[name] for name in step.inputs)
    out, geometry = lowering.allocate(step), _geometry(step)
    best = lowering.arena.allocate(step.input_shapes[0])
    for where, taps in window_tables(source, best, geometry):
        lowering.emit("pooling.max_pool", unrolled(taps), **pooling_arguments(lowering, source, best, where, taps))
    covered = partition(source, geometry)
    if not covered:
        lowering.emit("elementwise.fill", out=lowering.place(out), count=out.size, value=0.0)
    buffers = (source, best, x, out)
    for places, pairs in gradient_tables(buffers, geometry):
        emit_max_gradient(lowering, buffers, places, pairs, accumulate=int(not covered))
    if lowering.training:
        lowering.memos[step.name] = best
    else:
        lowering.arena.free(best)


def _backward(lowering: Lowering, step: Step) -> None:
    if step.inputs[0] not in lowering.needed:
        return
    source, grad = lowering.values[step.inputs[1]], lowering.gradients[step.name]
    best: Buffer = lowering.memos[step.name]
    grad_x, accumulate = lowering.gradient_into(step.inputs[0])
    buffers = {"source": source, "best": best, "grad_x": grad_x, "grad_out": grad}
    table = lowering.program.table
    for places, taps in gradient_tables((source, best, grad_x, grad), _geometry(step)):
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
    lowering.arena.free(best)


RULES[SAMPLES, MaxUnpooling] = Rule(_forward, _backward)
