"""Buffers of whole numbers with channels in the lanes: four bytes of neighbouring channels in a 32-bit word."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from striate.engine.channels.buffers import Channels
from striate.engine.channels.context import ChannelLowering
from striate.engine.layout import NO_MARGIN, Margin, canonical_shape
from striate.layers.base import Shape
from striate.network import Step

IN_A_WORD = 4


@dataclass(frozen=True)
class Words(Channels):
    """Whole numbers from 0 to 255; ``count`` and the places are those of words of four channels.

    Parameters
    ----------
    channels_inside : int
        Channels; the bytes beyond the last one hold numbers that nothing reads.
    """

    channels_inside: int = 0

    def bytes_of(self) -> np.ndarray:
        """Return the channel of every byte, -1 for none, int64[count, 4]."""
        numbers = np.arange(IN_A_WORD * self.count).reshape(-1, IN_A_WORD)
        return np.where(numbers < self.channels_inside, numbers, -1)


def _room(lowering: ChannelLowering, shape: Shape, margin: Margin, lanes: int) -> Words:
    channels, *space = canonical_shape(shape)
    found = lowering.arena.of_channels((-(-channels // IN_A_WORD), *space), margin, lanes=lanes)
    kept = {item.name: getattr(found, item.name) for item in fields(found)}
    return Words(**kept, channels_inside=channels)


def allocate_words(lowering: ChannelLowering, step: Step, zero_point: int, lanes: int | None = None) -> Words:
    """Return a new buffer for the whole numbers of ``step``, whose margins stand for zero."""
    margin = lowering.margins.get(step.name, NO_MARGIN)
    found = _room(lowering, step.shape, margin, lanes or lowering.lanes // IN_A_WORD)
    if margin != NO_MARGIN and zero_point:
        lowering.emit("integers.fill", out=lowering.place(found), count=found.size, value=zero_point)
    lowering.values[step.name] = found
    return found


def emit_blocks(
    lowering: ChannelLowering, kernel: str, x: Channels, out: Channels, numbers: dict[str, Any]
) -> None:
    """Append a call that treats ``lanes`` channels at each position."""
    runs, length = x.channel_runs(out)
    lowering.emit(
        kernel,
        x=lowering.place(x),
        out=lowering.place(out),
        channels=lowering.program.table(np.stack([x.channels(), out.channels()], axis=1)),
        channel_count=x.shape[0],
        runs=lowering.program.table(runs),
        run_count=len(runs),
        length=length,
        **numbers,
    )


def as_floats(lowering: ChannelLowering, buffer: Channels) -> Channels:
    """Return ``buffer``, or where it holds words, the same whole numbers as floats."""
    if not isinstance(buffer, Words):
        return buffer
    out = lowering.arena.of_channels((buffer.channels_inside, *buffer.shape[1:]))
    emit_blocks(lowering, "integers.to_floats", buffer, out, {})
    return out
