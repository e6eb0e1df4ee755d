"""A file in the cache folder for decoded samples that do not fit into memory, reused by the next run."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
import time
import zlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np

from striate.data.decoding import Decoded, Reader, bytes_needed
from striate.data.problems import FileProblem, printable
from striate.data.streaming.stored import Stored, StoredStream
from striate.errors import DataError, UsageError
from striate.machine import cache_folder, is_own

FORMAT = 2
DATA, NOTES, PARTIAL = ".rows", ".json", ".part"
CHECKED_BYTES = 1 << 26  # that share a checksum
ABANDONED_SECONDS = 86_400.0  # since a partial file was last written
LIMIT = "STRIATE_CACHE_GB"
DEFAULT_LIMIT = 100.0


class Entry(NamedTuple):
    """Decoded samples in the cache: their file, the folder they come from, bytes, and seconds since their use."""

    path: Path
    source: str
    size: int
    age: float


def decoded_folder() -> Path:
    """Return the folder of decoded samples."""
    return cache_folder() / "decoded"


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
    folder = decoded_folder()
    source = hashlib.sha256(os.fsencode(root.resolve())).hexdigest()[:16]
    data = folder / f"{source}-{_content_key(paths, reader)}{DATA}"
    found = _load(data, len(paths), reader)
    if found is not None:
        return found
    needed = bytes_needed(len(paths), reader)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _make_room(folder, source, needed)
        return _fill(data, root, len(paths), reader, decode)
    except OSError as error:
        raise DataError(
            f"{printable(root)}: {len(paths):,} decoded files need {needed:,} bytes, too many for the memory left, "
            f"and the cache folder {folder} cannot take them ({error.strerror}). "
            "Use a smaller size, or set STRIATE_CACHE_DIR."
        ) from error


def entries() -> list[Entry]:
    """Return the entries of the cache, the most recently used first."""
    found = []
    for path in decoded_folder().glob(f"*{DATA}"):
        notes = path.with_suffix(NOTES)
        with contextlib.suppress(OSError):
            used = (notes if notes.exists() else path).stat().st_mtime
            found.append(Entry(path, _source_of(notes), path.stat().st_size, max(0.0, time.time() - used)))
    return sorted(found, key=lambda entry: entry.age)


def limit_bytes() -> int:
    """Return how many bytes decoded samples may take: STRIATE_CACHE_GB, 100 by default.

    Raises
    ------
    UsageError
        If the variable holds no positive number.
    """
    text = os.environ.get(LIMIT) or str(DEFAULT_LIMIT)
    try:
        limit = float(text)
    except ValueError:
        limit = 0.0
    if not 0 < limit < 1e9:
        raise UsageError(f"{LIMIT}: must be a positive number of gigabytes; got {text!r}. Use for example 100.")
    return int(limit * 1e9)


def remove(path: Path) -> None:
    """Remove decoded samples with their notes; a training that uses them goes on."""
    for file in (path, path.with_suffix(NOTES)):
        with contextlib.suppress(FileNotFoundError):
            file.unlink()


def _make_room(folder: Path, source: str, needed: int) -> None:
    limit = limit_bytes()
    if needed > limit:
        raise DataError(
            f"{folder}: decoded samples may take {limit:,} bytes; these need {needed:,}. Use a smaller size, or "
            f"raise the limit ({LIMIT})."
        )
    for partial in folder.glob(f"*{PARTIAL}"):
        with contextlib.suppress(OSError):
            if time.time() - partial.stat().st_mtime > ABANDONED_SECONDS:
                partial.unlink()
    for path in folder.glob(f"{source}-*{DATA}"):
        remove(path)
    kept = entries()
    while kept and sum(entry.size for entry in kept) + needed > limit:
        remove(kept.pop().path)


def _content_key(paths: Sequence[Path], reader: Reader) -> str:
    """Return a digest that changes with the files, their order, or what is made of them."""
    digest = hashlib.sha256(f"{FORMAT} {reader!r}".encode())
    for path in paths:
        digest.update(os.fsencode(path) + f"\0{_version(path)}\n".encode())
    return digest.hexdigest()[:32]


def _version(path: Path) -> str:
    try:
        status = path.stat()
    except OSError:
        return "missing"  # removed since the folder was listed; decoding it says so
    return f"{status.st_size} {status.st_mtime_ns}"


def _fill(data: Path, root: Path, count: int, reader: Reader, decode: Callable[[np.ndarray], Decoded]) -> Decoded:
    """Decode into a temporary file, then rename it: several trainings may do so at once."""
    partial = data.with_name(f"{data.name}.{secrets.token_hex(8)}{PARTIAL}")
    written = partial.with_name(f"{partial.name}{PARTIAL}")
    try:
        with partial.open("x+b") as file:
            _reserve(file.fileno(), bytes_needed(count, reader))
        rows = np.memmap(partial, reader.dtype, "r+", shape=(count, *reader.shape))
        decoded = decode(rows)
        rows.flush()
        stream = _stream(partial, len(decoded.rows), reader)
        problems = {number: [str(problem), problem.foreign] for number, problem in decoded.problems.items()}
        notes = {"source": printable(root.resolve()), "problems": problems, "checksums": _checksums(stream)}
        written.write_text(json.dumps(notes))
        partial.replace(data)
        written.replace(data.with_suffix(NOTES))
    except BaseException:
        for path in (partial, written):
            with contextlib.suppress(OSError):
                path.unlink()
        raise
    stream.stored = stream.stored._replace(path=data)
    return Decoded(stream, decoded.problems)


def _reserve(descriptor: int, size: int) -> None:
    """Allocate the space now: writing into a hole of a mapped file on a full disk would kill the process."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, size)
    else:
        os.truncate(descriptor, size)


def _load(data: Path, count: int, reader: Reader) -> Decoded | None:
    """Return what an earlier run left, or None where that is missing, incomplete, changed, or of another user."""
    notes = data.with_suffix(NOTES)
    try:
        if not (is_own(data.stat()) and is_own(notes.stat())):
            return None
        content = json.loads(notes.read_text())
        problems = {
            int(number): FileProblem(reason, foreign=foreign)
            for number, (reason, foreign) in content["problems"].items()
        }
        stream = _stream(data, count - len(problems), reader)
        if stream.file_bytes != bytes_needed(count, reader) or content["checksums"] != _checksums(stream):
            return None
        os.utime(notes)
    except (OSError, DataError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return Decoded(stream, problems)


def _stream(data: Path, count: int, reader: Reader) -> StoredStream:
    return StoredStream(Stored(data, 0, (count, *reader.shape), reader.dtype))


def _checksums(stream: StoredStream) -> list[int]:
    """Return the CRC-32 of every piece of the open file; it is computed faster than a disk reads.

    What is checked is what will be read, even if another training removes or replaces the file meanwhile.
    """
    with ThreadPoolExecutor() as pool:
        starts = range(0, stream.file_bytes, CHECKED_BYTES)
        return list(pool.map(lambda start: zlib.crc32(stream.piece(start, CHECKED_BYTES)), starts))


def _source_of(notes: Path) -> str:
    try:
        return str(json.loads(notes.read_text())["source"])
    except (OSError, ValueError, KeyError, TypeError):
        return "unknown"
