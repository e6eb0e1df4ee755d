"""Whole numbers with channels in the lanes: from floats, back to floats, and the largest of a window."""

from __future__ import annotations

import math
from typing import Any

from striate.engine.channels.buffers import Channels
from striate.engine.channels.context import ChannelLowering, ChannelRule, lanes_of_inputs
from striate.engine.channels.words import Words, allocate_words, emit_blocks
from striate.engine.lowering.pooling import geometry_of, unrolled, window_arguments, window_tables
from striate.engine.rules import CHANNELS, RULES, SAMPLES
from striate.layers.pooling import MaxPooling
from striate.layers.quantised import Quantise, QuantisedConvolution
from striate.network import Step


def _quantise(lowering: ChannelLowering, step: Step) -> None:
    layer: Quantise = step.layer  # type: ignore[assignment]
    x = lowering.values[step.inputs[0]]
    numbers = {"multiplier": layer.multiplier, "zero_point": layer.zero_point}
    observed = step.name in lowering.facts.outputs
    readers = [other.layer for other in lowering.network.steps if step.name in other.inputs]
    planes = x.lanes == 1 and math.prod(x.shape[1:]) > 1 and not observed
    if planes and all(isinstance(reader, QuantisedConvolution) for reader in readers):
        _quantise_planes(lowering, x, allocate_words(lowering, step, layer.zero_point, lanes=1), numbers)
        return
    x = lowering.compact(step.inputs[0])
    emit_blocks(lowering, "integers.quantise", x, allocate_words(lowering, step, layer.zero_point), numbers)


def _quantise_planes(lowering: ChannelLowering, x: Channels, out: Words, numbers: dict[str, Any]) -> None:
    runs, length = x.channel_runs(out)
    arguments = {
        "x": lowering.place(x),
        "out": lowering.place(out),
        "channel_count": x.count,
        "x_channel": x.strides[0],
        "out_channel": out.strides[0],
        "runs": lowering.program.table(runs),
        "run_count": len(runs),
        "length": length,
        **numbers,
    }
    products = 4 * x.count * len(runs) * length
    lowering.works.append(lowering.call("integers.quantise_planes", (), arguments, products))


def _max_pool(lowering: ChannelLowering, step: Step) -> None:
    x = lowering.values[step.inputs[0]]
    if not isinstance(x, Words):
        lowering.in_lanes(step.inputs[0])
        RULES[SAMPLES, MaxPooling].forward(lowering, step)
        return
    assert step.quantisation is not None
    out = allocate_words(lowering, step, step.quantisation.zero_point)
    for where, window in window_tables(x, out, geometry_of(step)):
        arguments = window_arguments(lowering, x, out, where, window)
        products = x.shape[0] * len(where) * len(window) * lowering.lanes
        lowering.works.append(lowering.call("integers.max_pool", unrolled(window), arguments, products))


RULES[CHANNELS, Quantise] = ChannelRule(_quantise, reads_single=True)
RULES[CHANNELS, MaxPooling] = ChannelRule(_max_pool, reads_single=True, lanes=lanes_of_inputs)
