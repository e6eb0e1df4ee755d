"""Layers without a rule of their own, one channel at a time: the other layout with a single lane."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from striate.engine.channels.buffers import Channels, SingleArena
from striate.engine.channels.context import ChannelLowering, with_lanes, work_of
from striate.engine.layout import NO_MARGIN
from striate.engine.lowering import FALLBACK, Lowering
from striate.engine.lowering import rule as sample_rule
from striate.engine.program import Row
from striate.network import Step


class SingleLowering(Lowering):
    """The other layout's lowering, whose kernels have one lane, on the buffers of ``whole``."""

    def __init__(self, whole: ChannelLowering) -> None:
        facts = replace(whole.facts, winograd=False)
        super().__init__(facts, whole.program, SingleArena(whole.arena))

    def row(self, kernel: str, constants: tuple[Any, ...] = (), /, **arguments: Any) -> Row:
        """Return a kernel call of the section and layer at work."""
        return with_lanes(super().row(kernel, constants, **arguments), 1)

    def emit_pack(self, kernel: str, constants: tuple[Any, ...] = (), /, **arguments: Any) -> None:
        """Append a call that depends on parameters and states alone."""
        super().emit_pack(kernel, constants, **arguments)
        self.packs[-1] = with_lanes(self.packs[-1], 1)


def forward(lowering: ChannelLowering, single: SingleLowering, step: Step) -> None:
    """Emit the forward pass of ``step`` one channel at a time."""
    single.where = step.name
    for name in step.inputs:
        single.values[name] = _planar(lowering, name)
    (sample_rule(step.layer) or FALLBACK).forward(single, step)
    cost = lowering.lanes * (step.layer.multiply_adds(*step.input_shapes) + 4 * math.prod(step.shape))
    for work in map(work_of, single.rows):
        lowering.works.append(work if work.products else replace(work, products=cost // len(single.rows)))
    single.rows.clear()
    found = single.values[step.name]
    fields = {key: getattr(found, key) for key in ("offset", "shape", "margin", "lanes", "blocks", "block_stride")}
    lowering.values[step.name] = Channels(**fields, count=found.shape[0])


def _planar(lowering: ChannelLowering, name: str) -> Channels:
    """Return the value ``name`` with one lane."""
    buffer = lowering.values[name]
    if buffer.lanes == 1:
        return buffer
    shape = (buffer.count, *buffer.shape[1:])
    out = lowering.arena.of_channels(shape, lowering.margins.get(name, NO_MARGIN), lanes=1)
    lowering.copy_features(buffer, out)
    return out
