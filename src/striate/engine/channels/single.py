"""Layers without a rule of their own, one channel at a time: the other layout with a single lane."""

from __future__ import annotations

import math
from dataclasses import replace

from striate.engine.channels.buffers import Channels, SingleArena
from striate.engine.channels.context import ChannelLowering, work_of
from striate.engine.layout import NO_MARGIN
from striate.engine.lowering import FALLBACK, Lowering
from striate.engine.lowering import rule as sample_rule
from striate.engine.memory import Samples, Sizes, Vectors
from striate.engine.program import Program
from striate.network import Step


def single_lowering(lowering: ChannelLowering, vectors: Vectors) -> Lowering:
    """Return a lowering with samples in the lanes, of which there is one, on the buffers of ``lowering``."""
    program = Program(1)
    program.share(lowering.program)
    network = lowering.network
    samples = Samples(Sizes(1, 1, lowering.samples), 0, 0, network.input_shape[0])
    samples.present[:] = 1.0
    lowering.program.kept.append(samples)
    found = Lowering(
        network,
        program,
        SingleArena(lowering.arena),
        vectors.theta,
        training=False,
        vectors=vectors,
        samples=samples,
        winograd=False,
    )
    found.fused, found.margins = lowering.fused, lowering.margins
    return found


def forward(lowering: ChannelLowering, single: Lowering, step: Step) -> None:
    """Emit the forward pass of ``step`` one channel at a time."""
    for name in step.inputs:
        single.values[name] = _planar(lowering, name)
    (sample_rule(step.layer) or FALLBACK).forward(single, step)
    cost = lowering.lanes * (step.layer.multiply_adds(*step.input_shapes) + 4 * math.prod(step.shape))
    for row in single.rows:
        work = work_of(row)
        lowering.works.append(replace(work, products=cost // len(single.rows)) if not work.products else work)
    single.rows.clear()
    found = single.values[step.name]
    fields = {key: getattr(found, key) for key in ("offset", "shape", "margin", "lanes", "blocks", "block_stride")}
    lowering.values[step.name] = Channels(**fields, count=found.shape[0])


def _planar(lowering: ChannelLowering, name: str) -> Channels:
    """Return the value ``name`` with one lane."""
    buffer = lowering.values[name]
    if buffer.lanes == 1:
        return buffer
    out = lowering.arena.of_channels(
        (buffer.count, *buffer.shape[1:]), lowering.margins.get(name, NO_MARGIN), lanes=1
    )
    lowering.copy_features(buffer, out)
    return out
