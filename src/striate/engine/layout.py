"""Where values lie: ``[block][channel][depth][row][column][lane]`` with margins, in one arena."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from striate.layers.base import Shape

Margin = tuple[tuple[int, int], tuple[int, int], tuple[int, int]]
NO_MARGIN: Margin = ((0, 0), (0, 0), (0, 0))


def three(values: tuple[Any, ...], fill: object) -> tuple[Any, ...]:
    """Put ``fill`` before the items of 1 or 2 axes, so that every space has depth, rows and columns."""
    return (fill,) * (3 - len(values)) + tuple(values)


@dataclass(frozen=True)
class Buffer:
    """The values of one step for the samples of a shard.

    Parameters
    ----------
    offset : int
        Where it begins in the arena, in floats.
    shape : tuple of 4 ints
        (C, D, H, W); features are channels of a space of one position.
    margin : before and after on each axis of space
        Zeros around every channel, so that padding costs nothing.
    lanes, blocks : int
    block_stride : int
        Floats from one block to the next, where other channels lie between; 0 where none do.
    """

    offset: int
    shape: tuple[int, int, int, int]
    margin: Margin
    lanes: int
    blocks: int
    block_stride: int = 0

    @property
    def padded(self) -> tuple[int, int, int]:
        """(D, H, W) with the margins."""
        d, h, w = (n + before + after for n, (before, after) in zip(self.shape[1:], self.margin, strict=True))
        return d, h, w

    @property
    def strides(self) -> tuple[int, int, int, int]:
        """Floats from one channel, plane, row, column to the next."""
        d, h, w = self.padded
        return d * h * w * self.lanes, h * w * self.lanes, w * self.lanes, self.lanes

    @property
    def block(self) -> int:
        """Floats from one block to the next."""
        return self.block_stride or self.shape[0] * self.strides[0]

    @property
    def size(self) -> int:
        """Floats in all blocks."""
        return self.blocks * self.block

    @property
    def origin(self) -> int:
        """Floats from the beginning of a block to the first value that is not margin."""
        return sum(before * stride for (before, _), stride in zip(self.margin, self.strides[1:], strict=True))

    def space(self, *axes: np.ndarray) -> np.ndarray:
        """Return the places of coordinates, one int array per axis of space, relative to a channel's begin.

        Coordinates may be negative or too large by the margin. The result has one axis for each argument.
        """
        grids = np.meshgrid(*axes, indexing="ij")
        total = np.full(grids[0].shape, self.origin, np.int64)
        for grid, stride in zip(grids, self.strides[1:], strict=True):
            total += grid.astype(np.int64) * stride
        return total

    def channels(self) -> np.ndarray:
        """Return where every channel begins within a block, int64[C]."""
        return np.arange(self.shape[0], dtype=np.int64) * self.strides[0]

    def positions(self) -> np.ndarray:
        """Return the places of all positions of a channel, int64[D*H*W]."""
        return self.space(*map(np.arange, self.shape[1:])).ravel()

    def features(self) -> np.ndarray:
        """Return the places of all values of a sample in the order of Flatten, int64[C*D*H*W]."""
        return np.asarray((self.channels()[:, None] + self.positions()[None, :]).ravel())

    def part(self, first: int, count: int) -> Buffer:
        """Return ``count`` channels from ``first`` on as a buffer of their own."""
        shape = (count, *self.shape[1:])
        return replace(self, offset=self.offset + first * self.strides[0], shape=shape, block_stride=self.block)

    def channel_runs(self, *others: Buffer) -> tuple[np.ndarray, int]:
        """Return the runs of one channel here and in others, int64[runs, 1 + others], and their length."""
        buffers = (self, *others)
        if all(buffer.margin == NO_MARGIN for buffer in buffers):
            return np.zeros((1, len(buffers)), np.int64), math.prod(self.shape[1:])
        rows = (np.arange(self.shape[1]), np.arange(self.shape[2]), np.zeros(1, np.int64))
        return np.stack([buffer.space(*rows).ravel() for buffer in buffers], axis=1), self.shape[3]

    def runs(self) -> tuple[np.ndarray, int]:
        """Return the places where uninterrupted runs of values begin, int64[runs], and their length in vectors."""
        if self.margin == NO_MARGIN:
            return np.zeros(1, np.int64), math.prod(self.shape)
        rows = self.space(np.arange(self.shape[1]), np.arange(self.shape[2]), np.zeros(1, np.int64)).ravel()
        return (self.channels()[:, None] + rows[None, :]).ravel(), self.shape[3]

    def same_runs(self, *others: Buffer) -> tuple[np.ndarray, int]:
        """Return the runs of this buffer and of others of the same shape side by side, int64[runs, 1 + others]."""
        buffers = (self, *others)
        if all(buffer.margin == NO_MARGIN for buffer in buffers):
            return np.zeros((1, len(buffers)), np.int64), math.prod(self.shape)
        rows = (np.arange(self.shape[1]), np.arange(self.shape[2]), np.zeros(1, np.int64))
        columns = [(b.channels()[:, None] + b.space(*rows).ravel()[None, :]).ravel() for b in buffers]
        return np.stack(columns, axis=1), self.shape[3]


def canonical_shape(shape: Shape) -> tuple[int, int, int, int]:
    """Return (C, D, H, W) for a sample of 0 to 3 axes of space."""
    d, h, w = three(tuple(shape[1:]), 1)
    return shape[0], d, h, w


class Arena:
    """Hands out places for buffers in one piece of memory; buffers without margins are used again."""

    def __init__(self, lanes: int, blocks: int) -> None:
        self.lanes, self.blocks = lanes, blocks
        self.size = 0
        self._free: list[tuple[int, int]] = []

    def allocate(self, shape: Shape, margin: Margin = NO_MARGIN) -> Buffer:
        """Return a new buffer; one with margins gets memory that nothing else ever used, which is zero."""
        buffer = Buffer(0, canonical_shape(shape), margin, self.lanes, self.blocks)
        # a vector beyond the end may be read, never used
        size = -(-buffer.size // 64) * 64
        offset = self._reuse(size) if margin == NO_MARGIN else None
        if offset is None:
            offset, self.size = self.size, self.size + size
        return replace(buffer, offset=offset)

    def free(self, buffer: Buffer) -> None:
        """Give the memory of ``buffer`` back."""
        if buffer.margin == NO_MARGIN:
            self._free.append((buffer.offset, -(-buffer.size // 64) * 64))

    def _reuse(self, size: int) -> int | None:
        fitting = [piece for piece in self._free if piece[1] >= size]
        if not fitting:
            return None
        offset, length = min(fitting, key=lambda piece: piece[1])
        self._free.remove((offset, length))
        if length > size:
            self._free.append((offset + size, length - size))
        return offset
