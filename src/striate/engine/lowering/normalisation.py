"""Batch normalisation over all shards, and the affine map of channels that it ends in."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from striate.engine.layout import Buffer
from striate.engine.lowering.context import STRIDE, Lowering, Rule, always
from striate.engine.program import LANEWISE, Place
from striate.engine.rules import RULES, SAMPLES
from striate.engine.segments import FILLED, PRESENT, STATISTICS
from striate.layers.normalisation import BatchNorm
from striate.network import Step


def channel_tables(lowering: Lowering, *buffers: Buffer) -> dict[str, Any]:
    """Return the arguments that say where the values of each channel lie in each buffer."""
    runs, length = buffers[0].channel_runs(*buffers[1:])
    channels = np.stack([buffer.channels() for buffer in buffers], axis=1)
    table = lowering.program.table
    return {
        "channels": table(channels),
        "channel_count": len(channels),
        "runs": table(runs),
        "run_count": len(runs),
        "length": length,
        "blocks": buffers[0].blocks,
        "x_block": buffers[0].block,
    }


def emit_channel_affine(
    lowering: Lowering,
    x: Buffer,
    out: Buffer,
    scale: Any,
    offset: Any,
    floor: float = -math.inf,
    accumulate: int = 0,
) -> None:
    """Emit ``out = max(floor, x * scale[channel] + offset[channel])``, or add it."""
    lowering.emit(
        "normalisation.channel_affine",
        x=lowering.place(x),
        out=lowering.place(out),
        scale=scale,
        offset=offset,
        **channel_tables(lowering, x, out),
        out_block=out.block,
        floor=floor,
        accumulate=accumulate,
    )


def emit_channel_affine_gradient(lowering: Lowering, step: Step, x: Buffer, grad: Buffer) -> None:
    """Emit the gradients of weight and bias of ``weight[c] * x + bias[c]``."""
    if lowering.parameter(step, "bias") is not None:
        grad_offset = lowering.parameter_gradient(step, "bias")
    else:
        grad_offset = lowering.place(lowering.arena.allocate((x.shape[0],)))  # nobody reads it
        lowering.clear(grad_offset, x.shape[0])
    lowering.emit(
        "normalisation.channel_affine_gradient",
        x=lowering.place(x),
        grad_out=lowering.place(grad),
        grad_scale=lowering.parameter_gradient(step, "weight"),
        grad_offset=grad_offset,
        **channel_tables(lowering, x, grad),
        grad_block=grad.block,
    )


def _affine(lowering: Lowering, step: Step) -> dict[str, Any]:
    weight = lowering.parameter(step, "weight")
    nothing = lowering.constant(0.0, 1)
    bias = lowering.parameter(step, "bias")
    return {"weight": weight or nothing, "bias": bias or nothing, "affine": int(weight is not None)}


def _forward(lowering: Lowering, step: Step) -> None:
    layer: BatchNorm = step.layer  # type: ignore[assignment]
    x = lowering.compact(step.inputs[0])
    channels = x.shape[0]
    scale, offset = lowering.program.room(STATISTICS, channels), lowering.program.room(STATISTICS, channels)
    running = {name: lowering.state(step, name) for name in ("running_mean", "running_variance")}
    if lowering.training:
        mean, inverse = lowering.program.room(STATISTICS, channels), lowering.program.room(STATISTICS, channels)
        lowering.memos[step.name] = (mean, inverse)
        moments = lowering.arena.allocate((2 * channels,))
        lowering.emit(
            "normalisation.batch_moments",
            x=lowering.place(x),
            present=Place(PRESENT, 0, LANEWISE),
            moments=lowering.place(moments),
            step=channels,
            **channel_tables(lowering, x),
        )
        lowering.barrier((moments, 2 * channels))
        lowering.once(
            "normalisation.batch_statistics",
            moments=lowering.place(moments),
            stride=STRIDE,
            batch=Place(FILLED),
            shard_samples=x.blocks * x.lanes,
            space=math.prod(x.shape[1:]),
            **_affine(lowering, step),
            **running,
            momentum=layer.momentum,
            epsilon=layer.epsilon,
            scale=scale,
            offset=offset,
            mean=mean,
            inverse=inverse,
            channel_count=channels,
        )
    else:
        lowering.emit_pack(
            "normalisation.running_affine",
            **_affine(lowering, step),
            **running,
            epsilon=layer.epsilon,
            scale=scale,
            offset=offset,
            channel_count=channels,
        )
    out = lowering.allocate(step, like=x)
    floor = lowering.floor(step)
    emit_channel_affine(lowering, x, out, scale, offset, floor)


def _backward(lowering: Lowering, step: Step) -> None:
    x, grad = lowering.compact(step.inputs[0]), lowering.gradients[step.name]
    channels = x.shape[0]
    mean, inverse = lowering.memos[step.name]
    sums = lowering.arena.allocate((2 * channels,))
    affine = _affine(lowering, step)
    nothing = lowering.constant(0.0, 1)
    names = ("weight", "bias")
    gradients = {f"grad_{n}": lowering.parameter_gradient(step, n) if affine["affine"] else nothing for n in names}
    lowering.emit(
        "normalisation.batch_gradient_sums",
        x=lowering.place(x),
        grad_out=lowering.place(grad),
        mean=mean,
        inverse=inverse,
        sums=lowering.place(sums),
        **gradients,
        affine=affine["affine"],
        step=channels,
        **channel_tables(lowering, x, grad),
        grad_block=grad.block,
    )
    if step.inputs[0] not in lowering.needed:
        return
    factors = lowering.program.room(STATISTICS, 3 * channels)
    lowering.barrier((sums, 2 * channels))
    lowering.once(
        "normalisation.batch_gradient_factors",
        sums=lowering.place(sums),
        stride=STRIDE,
        batch=Place(FILLED),
        weight=affine["weight"],
        affine=affine["affine"],
        mean=mean,
        inverse=inverse,
        space=math.prod(x.shape[1:]),
        factors=factors,
        channel_count=channels,
    )
    grad_x, accumulate = lowering.compact_gradient(step.inputs[0])
    tables = channel_tables(lowering, x, grad, grad_x)
    lowering.emit(
        "normalisation.batch_gradient",
        x=lowering.place(x),
        grad_out=lowering.place(grad),
        grad_x=lowering.place(grad_x),
        factors=factors,
        present=Place(PRESENT, 0, LANEWISE),
        step=channels,
        **tables,
        grad_out_block=grad.block,
        grad_x_block=grad_x.block,
        accumulate=accumulate,
    )


RULES[SAMPLES, BatchNorm] = Rule(_forward, _backward, floor=always)
