"""A file of the cache folder for decoded samples that do not fit into memory, used again by the next run."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from striate.data.decoding import Decoded, Reader, bytes_needed
from striate.data.problems import FileProblem
from striate.errors import DataError
from striate.machine import cache_folder

FORMAT = 1


def cached_rows(
    root: Path, paths: Sequence[Path], reader: Reader, decode: Callable[[np.ndarray], Decoded]
) -> Decoded:
    """Return the decoded files as rows mapped from the cache, decoding only if they are not there yet.

    The file of another selection or size of the same source is removed first, so a source takes
    the space of one.

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
    folder = cache_folder() / "decoded"
    source = hashlib.sha256(os.fsencode(root.resolve())).hexdigest()[:16]
    data = folder / f"{source}-{_content_key(paths, reader)}.rows"
    notes = data.with_suffix(".json")
    found = _load(data, notes, len(paths), reader)
    if found is not None:
        return found
    needed = bytes_needed(len(paths), reader)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.glob(f"{source}-*"):
            old.unlink()
        return _fill(data, notes, len(paths), reader, decode)
    except OSError as error:
        raise DataError(
            f"{root}: {len(paths):,} decoded files need {needed:,} bytes, too many for the memory left, and the "
            f"cache folder {folder} cannot take them ({error.strerror}). "
            "Use a smaller size, or set STRIATE_CACHE_DIR."
        ) from error


def _content_key(paths: Sequence[Path], reader: Reader) -> str:
    """Return a digest that changes with the files, their order, or what is made of them."""
    digest = hashlib.sha256(f"{FORMAT} {reader!r}".encode())
    for path in paths:
        status = path.stat()
        digest.update(os.fsencode(path) + f"\0{status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:32]


def _fill(data: Path, notes: Path, count: int, reader: Reader, decode: Callable[[np.ndarray], Decoded]) -> Decoded:
    partial = data.with_name(f"{data.name}.{os.getpid()}")
    try:
        with partial.open("w+b") as file:
            _reserve(file.fileno(), bytes_needed(count, reader))
        rows = np.memmap(partial, reader.dtype, "r+", shape=(count, *reader.shape))
        decoded = decode(rows)
        rows.flush()
        partial.replace(data)
    except BaseException:
        with contextlib.suppress(OSError):
            partial.unlink()
        raise
    problems = {number: [str(problem), problem.foreign] for number, problem in decoded.problems.items()}
    written = notes.with_name(f"{notes.name}.{os.getpid()}")
    written.write_text(json.dumps({"problems": problems}))
    written.replace(notes)
    return Decoded(np.asarray(decoded.rows), decoded.problems)


def _reserve(descriptor: int, size: int) -> None:
    """Take the space now: writing into a hole of a mapped file on a full disk would end the process."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, size)
    else:
        os.truncate(descriptor, size)


def _load(data: Path, notes: Path, count: int, reader: Reader) -> Decoded | None:
    """Return what an earlier run left, or None where that is missing or incomplete."""
    try:
        problems = {
            int(number): FileProblem(reason, foreign=foreign)
            for number, (reason, foreign) in json.loads(notes.read_text())["problems"].items()
        }
        rows = np.memmap(data, reader.dtype, "r", shape=(count, *reader.shape))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return Decoded(np.asarray(rows)[: count - len(problems)], problems)
