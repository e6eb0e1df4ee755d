"""Decoded images and recordings that do not fit into memory, in a file of the cache that the next run reuses."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from striate.data.decoding import Decoded, Reader, bytes_needed
from striate.data.problems import FileProblem, printable
from striate.data.streaming.cache import PARTIAL, entry_path, is_intact, make_room, publish, read_notes, version_of
from striate.data.streaming.stored import MADE_AGAIN, Stored, StoredStream
from striate.errors import DataError

FORMAT = 2


def cached_rows(
    root: Path, paths: Sequence[Path], reader: Reader, decode: Callable[[np.ndarray], Decoded]
) -> Decoded:
    """Return the decoded files as rows streamed from the cache, after decoding them if they are not there yet.

    The file of another selection or size of the same source is removed first, so a source takes the space of one;
    so are those used longest ago, if the cache would take more than its limit. What is in the cache is used if its
    checksums are right.

    Parameters
    ----------
    root : path
        The source.
    paths : sequence of path
        Its files, in the order of the rows.
    reader : Reader
    decode : function of the rows to fill

    Raises
    ------
    DataError
        If the cache folder cannot take the file.
    """
    data = entry_path(root, _content(paths, reader))
    found = _load(data, len(paths), reader)
    if found is not None:
        return found
    needed = bytes_needed(len(paths), reader)
    try:
        data.parent.mkdir(parents=True, exist_ok=True)
        make_room(data, needed)
        return _fill(data, root, len(paths), reader, decode)
    except OSError as error:
        raise DataError(
            f"{printable(root)}: {len(paths):,} decoded files need {needed:,} bytes, too many for the memory left, "
            f"and the cache folder {data.parent} cannot take them ({error.strerror}). "
            "Use a smaller size, or set STRIATE_CACHE_DIR."
        ) from error


def _content(paths: Sequence[Path], reader: Reader) -> bytes:
    """Return bytes that change with the files, their order, or what is made of them."""
    files = (os.fsencode(path) + f"\0{version_of(path)}\n".encode() for path in paths)
    return f"{FORMAT} {reader!r}".encode() + b"".join(files)


def _fill(data: Path, root: Path, count: int, reader: Reader, decode: Callable[[np.ndarray], Decoded]) -> Decoded:
    """Decode into a temporary file, then rename it: several trainings may do so at once."""
    partial = data.with_name(f"{data.name}.{secrets.token_hex(8)}{PARTIAL}")
    try:
        with partial.open("x+b") as file:
            _reserve(file.fileno(), bytes_needed(count, reader))
        rows = np.memmap(partial, reader.dtype, "r+", shape=(count, *reader.shape))
        decoded = decode(rows)  # the system writes them when it likes: the checksums tell whether it did
        stream = _stream(partial, len(decoded.rows), reader)
        problems = {number: [str(problem), problem.foreign] for number, problem in decoded.problems.items()}
        publish(stream, data, root, {"problems": problems})
    except BaseException:
        with contextlib.suppress(OSError):
            partial.unlink()
        raise
    return Decoded(stream, decoded.problems)


def _reserve(descriptor: int, size: int) -> None:
    """Allocate the space now: writing into a hole of a mapped file on a full disk would kill the process."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, size)
    else:
        os.truncate(descriptor, size)


def _load(data: Path, count: int, reader: Reader) -> Decoded | None:
    """Return what an earlier run left, or None where that is missing, incomplete, changed, or of another user."""
    try:
        notes = read_notes(data)
        problems = {
            int(number): FileProblem(reason, foreign=foreign)
            for number, (reason, foreign) in notes["problems"].items()
        }
        stream = _stream(data, count - len(problems), reader)
        intact = is_intact(stream, bytes_needed(count, reader), notes)
    except (OSError, DataError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return Decoded(stream, problems) if intact else None


def _stream(data: Path, count: int, reader: Reader) -> StoredStream:
    return StoredStream(Stored(data, 0, (count, *reader.shape), reader.dtype, remedy=MADE_AGAIN))
