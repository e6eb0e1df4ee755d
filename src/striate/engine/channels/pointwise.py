"""Layers that treat a block of channels as the other layout treats a channel, and maps of single channels."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from striate.engine.channels.context import ChannelLowering, ChannelRule, Forward, lanes_of_inputs
from striate.engine.channels.folding import affine
from striate.engine.lowering.activation import FUNCTIONS
from striate.engine.rules import CHANNELS, RULES, SAMPLES
from striate.layers import activation
from striate.layers.arithmetic import Add, ChannelScale, Scale
from striate.layers.global_pooling import AdaptiveAvgPooling, GlobalAvgPool, GlobalMaxPool
from striate.layers.normalisation import BatchNorm
from striate.layers.padding import Pad
from striate.layers.pooling import AvgPooling
from striate.layers.regularisation import Regulariser
from striate.layers.shape import Flatten
from striate.network import Step


def _same(lowering: ChannelLowering, step: Step) -> None:
    """Let the value of the step be that of its input."""
    lowering.values[step.name] = lowering.values[step.inputs[0]]


def _activation(lowering: ChannelLowering, step: Step) -> None:
    if step.name in lowering.facts.fused or step.name in lowering.activated:
        _same(lowering, step)
    else:
        RULES[SAMPLES, type(step.layer)].forward(lowering, step)


def _alike(step: Step) -> bool:
    return all(shape == step.shape for shape in step.input_shapes)


def _affine(lowering: ChannelLowering, step: Step) -> None:
    if step.name in lowering.folded:
        _same(lowering, step)
        return
    x = lowering.compact(step.inputs[0])
    out = lowering.allocate(step, like=x)
    found, size = affine(lowering, step), x.shape[0] * lowering.lanes
    scale, offset = lowering.room(size), lowering.room(size)
    for source, packed in ((found.scale, scale), (found.offset, offset)):
        lowering.pack(
            "channels.pack_bias",
            bias=source,
            scale=source,
            offset=source,
            out=packed,
            count=x.count,
            has_bias=1,
            scaled=0,
        )
    runs, length = x.channel_runs(out)
    table = lowering.program.table
    arguments = {
        "x": lowering.place(x),
        "out": lowering.place(out),
        "scale": scale,
        "offset": offset,
        "channels": table(np.stack([x.channels(), out.channels()], axis=1)),
        "channel_count": x.shape[0],
        "runs": table(runs),
        "run_count": len(runs),
        "length": length,
        "floor": lowering.floor(step),
    }
    products = x.shape[0] * len(runs) * length * lowering.lanes
    lowering.works.append(lowering.call("channels.affine", (), arguments, products))


def _scale(lowering: ChannelLowering, step: Step) -> None:
    layer: Scale = step.layer  # type: ignore[assignment]
    x = lowering.values[step.inputs[0]]
    out = lowering.allocate(step, like=x)
    runs, length = x.channel_runs(out)
    table, vectors = lowering.program.table, x.shape[0] * lowering.lanes
    lowering.emit(
        "channels.affine",
        x=lowering.place(x),
        out=lowering.place(out),
        scale=lowering.constant(layer.factor, vectors),
        offset=lowering.constant(layer.shift, vectors),
        channels=table(np.stack([x.channels(), out.channels()], axis=1)),
        channel_count=x.shape[0],
        runs=table(runs),
        run_count=len(runs),
        length=length,
        floor=-np.inf,
    )


def _softmax(lowering: ChannelLowering, step: Step) -> None:
    x = lowering.compact(step.inputs[0])
    out = lowering.allocate(step, like=x)
    positions = np.stack([x.positions(), out.positions()], axis=1)
    lowering.emit(
        "channels.softmax",
        x=lowering.place(x),
        out=lowering.place(out),
        count=x.count,
        places=lowering.program.table(positions),
        place_count=len(positions),
        x_channel=x.strides[0],
        out_channel=out.strides[0],
        logarithm=int(isinstance(step.layer, activation.LogSoftmax)),
    )


def _like_inputs(forward: Forward, fits: Callable[[Step], bool] | None = None) -> ChannelRule:
    return ChannelRule(forward, fits=fits, lanes=lanes_of_inputs)


for _layer in FUNCTIONS:
    RULES[CHANNELS, _layer] = _like_inputs(_activation)
for _layer in (AvgPooling, GlobalAvgPool, GlobalMaxPool, AdaptiveAvgPooling, Pad):
    RULES[CHANNELS, _layer] = _like_inputs(RULES[SAMPLES, _layer].forward)
for _layer in (Flatten, activation.Identity, Regulariser):
    RULES[CHANNELS, _layer] = ChannelRule(_same, reads_single=True)
RULES[CHANNELS, Add] = _like_inputs(RULES[SAMPLES, Add].forward, fits=_alike)
RULES[CHANNELS, Scale] = _like_inputs(_scale)
RULES[CHANNELS, BatchNorm] = RULES[CHANNELS, ChannelScale] = _like_inputs(_affine)
RULES[CHANNELS, activation.Softmax] = RULES[CHANNELS, activation.LogSoftmax] = _like_inputs(_softmax)
