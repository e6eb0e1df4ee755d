"""Rows of one file, read with positioned reads: arrays in NPY and NPZ files, and decoded samples in the cache."""

from __future__ import annotations

import math
import os
import weakref
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from striate.data.streaming.stream import Stream
from striate.errors import DataError

MADE_AGAIN = "Start again, or resume the run: files of the cache are made again."

Convert = Callable[[np.ndarray], np.ndarray]


class Stored(NamedTuple):
    """Where an array lies in a file, in C order; the file may be one that is removed with its ``owner``.

    ``remedy`` says what to do when the file has been shortened.
    """

    path: Path
    offset: int
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    owner: Any = None
    remedy: str = "Restore the file."


class _OpenFile:
    """A file that stays open as long as a stream, or a part of it, is in use."""

    def __init__(self, path: Path) -> None:
        try:
            self.number = os.open(path, os.O_RDONLY)
        except OSError as error:
            raise DataError(f"{path}: cannot be read ({error.strerror}). Check the path.") from error
        weakref.finalize(self, _close, self.number)


def _close(number: int) -> None:
    with suppress(OSError):  # nothing was written
        os.close(number)


class StoredStream(Stream):
    """Rows of an array in a file.

    Nothing is mapped, so the memory of a training does not depend on the size of the file. The file stays open, so
    removing or replacing it does not disturb a training.

    Parameters
    ----------
    stored : Stored
    convert : function, optional
        Brings rows as they are stored, [n, ...], to samples, uint8 or float32 [n, C, *space].

    Raises
    ------
    DataError
        If the file cannot be opened.
    """

    def __init__(self, stored: Stored, convert: Convert | None = None) -> None:
        self.stored, self.convert = stored, convert
        self._file = _OpenFile(self.stored.path)
        sample = np.zeros((1, *stored.shape[1:]), stored.dtype)
        sample = sample if convert is None else convert(sample)
        super().__init__(stored.shape[0], sample.shape[1:], sample.dtype)

    def read(self, rows: np.ndarray) -> np.ndarray:
        """Return the samples at ``rows``; neighbours are read together.

        Raises
        ------
        DataError
            If the file has become shorter, or cannot be read.
        """
        shape, dtype = self.stored.shape[1:], self.stored.dtype
        room = np.empty((len(rows), *shape), dtype)
        size = math.prod(shape) * dtype.itemsize
        raw: Any = room.reshape(-1).view(np.uint8)
        view = memoryview(raw)
        starts = np.flatnonzero(np.concatenate([[True], np.diff(rows) != 1]))
        for start, stop in zip(starts.tolist(), [*starts[1:].tolist(), len(rows)], strict=True):
            self._fill(view[start * size : stop * size], self.stored.offset + int(rows[start]) * size)
        return room if self.convert is None else self.convert(room)

    @property
    def file_bytes(self) -> int:
        """The length of the open file."""
        return os.fstat(self._file.number).st_size

    def piece(self, start: int, size: int) -> bytes:
        """Return bytes of the open file, fewer than ``size`` at its end."""
        return os.pread(self._file.number, size, start)

    def _fill(self, room: memoryview, place: int) -> None:
        while len(room):
            try:
                count = os.preadv(self._file.number, [room], place)
            except OSError as error:
                raise DataError(
                    f"{self.stored.path}: cannot be read ({error.strerror}). Check the disk."
                ) from error
            if count == 0:
                raise DataError(f"{self.stored.path}: was shortened while it was being read. {self.stored.remedy}")
            room, place = room[count:], place + count

    def __copy__(self) -> StoredStream:
        """Return a stream of the same open file, even if its path no longer exists."""
        other = object.__new__(type(self))
        vars(other).update(vars(self))
        return other

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_file"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._file = _OpenFile(self.stored.path)
