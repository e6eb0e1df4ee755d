"""Files of samples in the cache folder, each with notes and checksums, shared by all runs on the same source."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
import zlib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from striate.data.problems import printable
from striate.data.streaming.stored import StoredStream
from striate.errors import DataError, UsageError
from striate.machine import cache_folder, is_own

DATA, NOTES, PARTIAL = ".rows", ".json", ".part"
CHECKED_BYTES, READ_BYTES = 1 << 26, 1 << 20  # that share a checksum; that are read at once
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


def entry_path(source: Path, content: bytes) -> Path:
    """Return where the samples of a source lie, by bytes that change with its content and with how it is read."""
    root = hashlib.sha256(os.fsencode(source.resolve())).hexdigest()[:16]
    return decoded_folder() / f"{root}-{hashlib.sha256(content).hexdigest()[:32]}{DATA}"


def version_of(path: Path) -> str:
    """Return a text that changes when a file is written."""
    try:
        status = path.stat()
    except OSError:
        return "missing"  # whoever reads it says so
    return f"{status.st_size} {status.st_mtime_ns}"


def read_notes(data: Path) -> dict[str, Any]:
    """Return the notes of an entry; raises OSError or ValueError if there are none, or another user wrote it."""
    notes = data.with_suffix(NOTES)
    if not (is_own(data.stat()) and is_own(notes.stat())):
        raise PermissionError(f"{data}: belongs to another user")
    found = json.loads(notes.read_text())
    if not isinstance(found, dict):
        raise ValueError(f"{notes}: not an object")
    return found


def is_intact(stream: StoredStream, size: int, notes: Mapping[str, Any]) -> bool:
    """Return whether the open file of an entry has its bytes and its checksums; marks it as used."""
    if stream.file_bytes != size or notes["checksums"] != _checksums(stream):
        return False
    os.utime(stream.stored.path.with_suffix(NOTES))
    return True


def publish(stream: StoredStream, data: Path, source: Path, notes: Mapping[str, Any]) -> None:
    """Move the complete file of a stream to its place in the cache, with its notes and checksums."""
    partial = stream.stored.path
    written = partial.with_name(f"{partial.name}{PARTIAL}")
    try:
        known = {"source": printable(source.resolve()), **notes, "checksums": _checksums(stream)}
        written.write_text(json.dumps(known))
        partial.replace(data)
        written.replace(data.with_suffix(NOTES))
    except BaseException:
        with contextlib.suppress(OSError):
            written.unlink()
        raise
    stream.stored = stream.stored._replace(path=data)


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


def make_room(data: Path, needed: int) -> None:
    """Remove what abandoned runs left, other entries of the same source, and those used longest ago.

    Raises
    ------
    DataError
        If the entry needs more than the whole cache may take.
    """
    folder, limit = data.parent, limit_bytes()
    if needed > limit:
        raise DataError(
            f"{folder}: decoded samples may take {limit:,} bytes; these need {needed:,}. Use a smaller size, or "
            f"raise the limit ({LIMIT})."
        )
    for partial in folder.glob(f"*{PARTIAL}"):
        with contextlib.suppress(OSError):
            if time.time() - partial.stat().st_mtime > ABANDONED_SECONDS:
                partial.unlink()
    for path in folder.glob(f"{data.name.partition('-')[0]}-*{DATA}"):
        remove(path)
    kept = entries()
    while kept and sum(entry.size for entry in kept) + needed > limit:
        remove(kept.pop().path)


def _checksums(stream: StoredStream) -> list[int]:
    """Return the CRC-32 of every piece of the open file; it is computed faster than a disk reads.

    What is checked is what will be read, even if another training removes or replaces the file meanwhile.
    """
    with ThreadPoolExecutor() as pool:
        starts = range(0, stream.file_bytes, CHECKED_BYTES)
        return list(pool.map(lambda start: _checksum(stream, start), starts))


def _checksum(stream: StoredStream, start: int) -> int:
    """Return the CRC-32 of a piece, read in parts small enough that they take the same memory in turn."""
    found = 0
    for place in range(start, min(start + CHECKED_BYTES, stream.file_bytes), READ_BYTES):
        found = zlib.crc32(stream.piece(place, READ_BYTES), found)
    return found


def _source_of(notes: Path) -> str:
    try:
        return str(json.loads(notes.read_text())["source"])
    except (OSError, ValueError, KeyError, TypeError):
        return "unknown"
