"""The numbers of a table that does not fit into memory, in a file: written in blocks, read by row or by column."""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from typing import Any

import numpy as np

from striate.data.streaming.choice import is_streamed
from striate.data.streaming.spool import Spool
from striate.data.streaming.stored import Stored, StoredStream
from striate.machine import available_memory

BLOCK_BYTES = 1 << 24
HELD_SHARE = 16
"""One part in so many of the free memory is for columns that were read together."""


class StoredNumbers(StoredStream):
    """The numbers of a table in a file (uint8, int32 or float64 [N, D]); a row is a sample of the stream.

    The file holds one row after the other. Whoever asks for a column gets it from a group of neighbours that were
    read together, so that going through all columns takes few passes over the file.
    """

    def __init__(self, stored: Stored) -> None:
        super().__init__(stored)
        self._first, self._group = 0, np.empty((0, 0), stored.dtype)

    def column(self, place: int) -> np.ndarray:
        """Return a column, [N] in memory."""
        if not self._first <= place < self._first + len(self._group):
            self._first, self._group = place, self._read_columns(place)
        cells: np.ndarray = self._group[place - self._first]
        return cells if isinstance(self.rows, range) else cells[self.rows]

    def blocks(self) -> Iterator[np.ndarray]:
        """Yield all rows of the file, some megabytes at a time."""
        count, width = self.stored.shape
        step = max(1, BLOCK_BYTES // (width * self.dtype.itemsize))
        return (self.read(np.arange(start, min(start + step, count))) for start in range(0, count, step))

    def part(self, offset: int, count: int, dtype: Any) -> np.ndarray:
        """Return an array that lies elsewhere in the open file, [count] in memory."""
        other = copy(self)
        other.stored = self.stored._replace(offset=offset, shape=(count,), dtype=np.dtype(dtype))
        return other.read(np.arange(count))

    def _read_columns(self, first: int) -> np.ndarray:
        count, width = self.stored.shape
        together = max(1, available_memory() // HELD_SHARE // (count * self.dtype.itemsize))
        self._group = np.empty((0, 0), self.dtype)  # before the next group takes its memory
        group = np.empty((min(together, width - first), count), self.dtype)
        start = 0
        for block in self.blocks():
            group[:, start : start + len(block)] = block[:, first : first + len(group)].T
            start += len(block)
        return group

    def __copy__(self) -> StoredNumbers:
        """Return the same file without the columns held."""
        other = object.__new__(type(self))
        vars(other).update(vars(self) | {"_first": 0, "_group": np.empty((0, 0), self.dtype)})
        return other

    def __getstate__(self) -> dict[str, Any]:
        return super().__getstate__() | {"_first": 0, "_group": np.empty((0, 0), self.dtype)}


class Gathering:
    """Collects the blocks of numbers of a table: in memory, or in a temporary file once memory is short.

    Parameters
    ----------
    where : str
        What messages call the table.
    read : {"auto", "memory", "stream"}
        By default, the file is used from the block on with which the numbers would take half of the free memory.
    """

    def __init__(self, where: str, read: str) -> None:
        self.where, self.read = where, read
        self.spool: Spool | None = None
        self._held: list[np.ndarray] = []
        self._dtype, self.count, self._width, self._size = np.dtype(np.uint8), 0, 0, 0

    def add(self, numbers: np.ndarray) -> None:
        """Append rows (uint8, int32 or float64 [n, D])."""
        numbers = _smallest(numbers)
        dtype = np.promote_types(self._dtype, numbers.dtype)
        if self.spool is not None:
            self._write(numbers, dtype)
        else:
            self._held.append(numbers)
            self._size += numbers.nbytes
            if numbers.nbytes and is_streamed(self.read, self._size):
                self._spill(dtype)
        self._dtype, self.count, self._width = dtype, self.count + len(numbers), numbers.shape[1]

    def done(self) -> np.ndarray | StoredNumbers:
        """Return all rows in the smallest type that holds them."""
        return np.concatenate(self._held) if self.spool is None else self._stored(self.spool)

    def _stored(self, spool: Spool) -> StoredNumbers:
        return StoredNumbers(spool.stored((self.count, self._width), self._dtype))

    def _spill(self, dtype: np.dtype[Any]) -> None:
        self.spool = Spool(self.where)
        while self._held:
            self.spool.write(self._held.pop(0).astype(dtype, order="C", copy=False))

    def _write(self, numbers: np.ndarray, dtype: np.dtype[Any]) -> None:
        assert self.spool is not None
        if dtype != self._dtype:
            narrow, self.spool = self._stored(self.spool), Spool(self.where)
            for block in narrow.blocks():
                self.spool.write(block.astype(dtype))
        self.spool.write(numbers.astype(dtype, order="C", copy=False))


def _smallest(numbers: np.ndarray) -> np.ndarray:
    """Return the numbers as bytes if all are whole and from 0 to 255, as `parse_numbers` does."""
    if numbers.dtype != np.uint8 and numbers.size and ((numbers >= 0) & (numbers <= 255)).all():  # NaN is not
        as_bytes = numbers.astype(np.uint8)
        return as_bytes if (as_bytes == numbers).all() else numbers
    return numbers
