"""Samples that can only be read in order, written to a temporary file from which they can be streamed."""

from __future__ import annotations

import math
import secrets
import weakref
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import IO, Any

import numpy as np

from striate.data.streaming.cache import LIMIT, PARTIAL, decoded_folder, limit_bytes
from striate.data.streaming.choice import is_streamed
from striate.data.streaming.stored import Stored
from striate.errors import DataError

PIECE_BYTES = 1 << 24


class Spool:
    """A temporary file in the cache folder, removed with the last stream that reads it.

    Parameters
    ----------
    where : str
        What messages call the data.

    Raises
    ------
    DataError
        If the file cannot be written, or takes more than STRIATE_CACHE_GB.
    """

    def __init__(self, where: str) -> None:
        self.where, self.folder, self._size, self._limit = where, decoded_folder(), 0, limit_bytes()
        self.path = self.folder / f"{secrets.token_hex(8)}{PARTIAL}"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._file: IO[bytes] = self.path.open("xb", buffering=0)
        except OSError as error:
            raise self._failed(error) from error
        weakref.finalize(self, _remove, self._file, self.path)

    def write(self, values: Any) -> None:
        """Append the bytes of a buffer."""
        view = memoryview(values).cast("B")
        self._size += len(view)
        if self._size > self._limit:
            raise DataError(
                f"{self.where}: samples that are streamed may take {self._limit:,} bytes in the cache folder "
                f"{self.folder}; these take more. Raise the limit ({LIMIT}), or save them with np.save."
            )
        try:
            while len(view):
                view = view[self._file.write(view) :]
        except OSError as error:
            raise self._failed(error) from error

    def stored(self, shape: tuple[int, ...], dtype: Any) -> Stored:
        """Return the array that was written."""
        return Stored(self.path, 0, shape, np.dtype(dtype), self)

    def _failed(self, error: OSError) -> DataError:
        return DataError(
            f"{self.where}: does not fit into memory, and the cache folder {self.folder} cannot take it "
            f"({error.strerror}). Set STRIATE_CACHE_DIR to a folder with more room."
        )

    def __reduce__(self) -> Any:
        return type(None), ()  # the file belongs to the stream that was pickled


def gathered(batches: Iterable[np.ndarray], where: str, read: str) -> np.ndarray | Stored | None:
    """Return all batches as one array: in memory, or in a temporary file; None without any.

    Parameters
    ----------
    batches : iterable of array [n, ...]
    where : str
        What messages call them.
    read : {"auto", "memory", "stream"}
        By default, the file is used from the batch on with which they would take half of the free memory.

    Raises
    ------
    DataError
        If batches differ in type or in the shape of a sample, or the file cannot be written.
    """
    held: list[np.ndarray] = []
    remaining, size = _alike(batches, where), 0
    for batch in remaining:
        held.append(batch)
        size += batch.nbytes
        if is_streamed(read, size):
            return _spooled(held, remaining, where)
    return np.concatenate(held) if held else None


def _spooled(held: list[np.ndarray], remaining: Iterator[np.ndarray], where: str) -> Stored:
    spool, count = Spool(where), 0
    shape, dtype = held[0].shape[1:], held[0].dtype
    for batch in chain(_emptied(held), remaining):
        spool.write(np.ascontiguousarray(batch))
        count += len(batch)
    return spool.stored((count, *shape), dtype)


def _alike(batches: Iterable[np.ndarray], where: str) -> Iterator[np.ndarray]:
    """Yield the batches; raise DataError at the first that differs in type or in the shape of a sample."""
    shape, dtype, count = None, None, 0
    for batch in batches:
        if shape is None:
            shape, dtype = batch.shape[1:], batch.dtype
        if batch.shape[1:] != shape or batch.dtype != dtype:
            raise DataError(
                f"{where}: samples must have one shape and type; sample {count} is {batch.dtype} "
                f"{list(batch.shape[1:])}, the first is {dtype} {list(shape)}. Resize or convert them."
            )
        yield batch
        count += len(batch)


def _emptied(held: list[np.ndarray]) -> Iterator[np.ndarray]:
    while held:
        yield held.pop(0)


def spooled_bytes(source: IO[bytes], shape: tuple[int, ...], dtype: np.dtype[Any], where: str) -> Stored:
    """Return an array whose bytes follow in ``source``, as a temporary file.

    Raises
    ------
    DataError
        If ``source`` ends early, or the file cannot be written.
    """
    spool, missing = Spool(where), math.prod(shape) * dtype.itemsize
    while missing:
        piece = source.read(min(missing, PIECE_BYTES))
        if not piece:
            raise DataError(f"{where}: damaged ({missing:,} bytes are missing). Copy the file again.")
        spool.write(piece)
        missing -= len(piece)
    return spool.stored(shape, dtype)


def _remove(file: IO[bytes], path: Path) -> None:
    file.close()
    with suppress(OSError):
        path.unlink()
