"""Where values lie with channels in the lanes: ``[sample][channel block][depth][row][column][lane]``."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from striate.engine.layout import NO_MARGIN, Arena, Buffer, Margin, canonical_shape
from striate.layers.base import Shape


@dataclass(frozen=True)
class Channels(Buffer):
    """The values of one step for one sample; a block of channels is what a channel is to ``Buffer``.

    With one lane a block is a single channel: the order of an image as it is stored.

    Parameters
    ----------
    count : int
        Channels; ``shape[0]`` is the number of their blocks.
    """

    count: int = 0

    def channel_places(self) -> np.ndarray:
        """Return where every channel begins, int64[count]."""
        numbers = np.arange(self.count, dtype=np.int64)
        return numbers // self.lanes * self.strides[0] + numbers % self.lanes

    def features(self) -> np.ndarray:
        """Return the places of all values in the order of Flatten, int64[count*D*H*W]."""
        return np.asarray((self.channel_places()[:, None] + self.positions()[None, :]).ravel())

    def part(self, first: int, count: int) -> Channels:
        """Return ``count`` channels from ``first``, a multiple of the lanes, as a buffer of their own."""
        shape = (-(-count // self.lanes), *self.shape[1:])
        return replace(self, offset=self.offset + first // self.lanes * self.strides[0], shape=shape, count=count)


class ChannelArena(Arena):
    """Hands out places for the buffers of one sample."""

    def __init__(self, lanes: int) -> None:
        super().__init__(lanes, 1)

    def of_channels(self, shape: Shape, margin: Margin = NO_MARGIN, lanes: int | None = None) -> Channels:
        """Return a new buffer for values of ``shape`` = (C, *space); by default with the arena's lanes."""
        lanes = lanes or self.lanes
        count, *space = canonical_shape(shape)
        blocks = -(-count // lanes)
        found = self.allocate_floats(Buffer(0, (blocks, *space), margin, lanes, 1))  # type: ignore[arg-type]
        return Channels(found.offset, found.shape, margin, lanes, 1, count=count)

    def allocate_floats(self, buffer: Buffer) -> Buffer:
        """Return ``buffer`` with a place of its own."""
        size = -(-buffer.size // 64) * 64 + 64  # a vector beyond the end may be read or written, never used
        offset = self._reuse(size) if buffer.margin == NO_MARGIN else None
        if offset is None:
            offset, self.size = self.size, self.size + size
        return replace(buffer, offset=offset)

    def free(self, buffer: Buffer) -> None:
        """Give the memory of ``buffer`` back."""
        if buffer.margin == NO_MARGIN:
            self._free.append((buffer.offset, -(-buffer.size // 64) * 64 + 64))


class SingleArena(Arena):
    """Hands out buffers with one lane, channel by channel, from the memory of another arena."""

    def __init__(self, arena: ChannelArena) -> None:
        super().__init__(1, 1)
        self.whole = arena

    def allocate(self, shape: Shape, margin: Margin = NO_MARGIN) -> Channels:
        """Return a new buffer."""
        return self.whole.of_channels(shape, margin, lanes=1)

    def free(self, buffer: Buffer) -> None:
        """Give the memory of ``buffer`` back."""
        self.whole.free(buffer)
