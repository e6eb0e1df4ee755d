"""A ``.safetensors`` file with one JSON text in its metadata and one checksum over everything.

Rules of the format
-------------------
- The file is a safetensors file. Its metadata has the one key ``striate``, whose value is a JSON object.
- ``sha256`` of that object is the checksum of the rest of the object, written with sorted keys and without
  blanks, followed for every tensor, in the order of their names, by the line ``name dtype shape`` and its bytes.
- ``format`` is 1, or 2 if tensors are of the types I8 and I32 too; ``kind`` is ``model`` or ``checkpoint``.
- A header has at most 16 MiB and 500,000 values, no key twice in an object, and whole numbers of at most 20 digits;
  a tensor has at most 8 axes.
- Nothing in the file is executed or imported.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from striate.errors import ModelFileError
from striate.machine import available_memory
from striate.storage.atomic import write_atomically
from striate.storage.header import (
    DTYPES,
    HEADER_LIMIT,
    KEY,
    RESTORE,
    Entry,
    parse_content,
    parse_entries,
    parse_header,
    too_large,
    truncated,
)

FORMAT, FORMAT_OF_INTEGERS = 1, 2


@dataclass(frozen=True)
class Container:
    """An open file whose header has been read and checked; no tensor has been.

    Parameters
    ----------
    path : Path
    content : dict
        The JSON object, without its checksum.
    entries : dict of Entry
        The tensors by name.
    """

    path: Path
    content: dict[str, Any]
    entries: dict[str, Entry]
    checksum: str
    start: int
    file: BinaryIO

    def tensors(self) -> dict[str, np.ndarray]:
        """Read all tensors and compare the checksum; raises ModelFileError if it differs or they are too large."""
        needed, room = sum(entry.end - entry.begin for entry in self.entries.values()), available_memory()
        if needed > room:
            raise ModelFileError(
                f"{self.path}: its tensors need {needed / 2**30:,.1f} GB of memory; {room / 2**30:.1f} GB are "
                "free. Load it on a larger machine."
            )
        arrays = {name: self._read(entry) for name, entry in self.entries.items()}
        if _checksum(self.content, arrays) != self.checksum:
            raise ModelFileError(f"{self.path}: is damaged; its checksum does not match its contents. {RESTORE}")
        return arrays

    def _read(self, entry: Entry) -> np.ndarray:
        self.file.seek(self.start + entry.begin)
        array: np.ndarray = np.empty(entry.shape, DTYPES[entry.dtype])
        if self.file.readinto(array.reshape(-1).view(np.uint8).data) != array.nbytes:  # type: ignore[attr-defined]
            raise truncated(self.path)
        return array


def write(path: str | Path, content: Mapping[str, Any], tensors: Mapping[str, np.ndarray]) -> Path:
    """Write ``content`` (JSON types) and ``tensors`` (of the types in ``DTYPES``) atomically; return the path.

    Raises
    ------
    ModelFileError
        If the file cannot be written, or its description is larger than `reading` accepts.
    """
    import safetensors.numpy

    arrays = {name: np.asarray(array, order="C") for name, array in tensors.items()}
    small = any(array.dtype in (np.int8, np.int32) for array in arrays.values())
    body = {**content, "format": FORMAT_OF_INTEGERS if small else FORMAT}
    text = json.dumps({**body, "sha256": _checksum(body, arrays)}, sort_keys=True, separators=(",", ":"))
    data = safetensors.numpy.save(arrays, {KEY: text})
    size = too_large(data[8 : 8 + int.from_bytes(data[:8], "little")])
    if size is not None:
        raise ModelFileError(f"{path}: cannot be written; its description is too large ({size}). Shorten it.")
    return write_atomically(path, data)


@contextlib.contextmanager
def reading(path: str | Path) -> Iterator[Container]:
    """Open a file, check its header and return its entries; allocates no more than the header needs.

    The file stays the same until the end of the block, even if another process replaces it.

    Raises
    ------
    ModelFileError
        If the file is missing, truncated, damaged, of another kind or from a later version.
    """
    path = Path(path)
    try:
        with open(path, "rb", opener=_open_without_waiting) as file:
            yield _read_header(path, file)
    except OSError as error:
        raise ModelFileError(
            f"{path}: cannot be read ({error.strerror or error}). Check the name and the permissions."
        ) from error


def _open_without_waiting(path: str, flags: int) -> int:
    """Open a file; a pipe that nobody writes to would block for ever."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _read_header(path: Path, file: BinaryIO) -> Container:
    status = os.fstat(file.fileno())
    if not stat.S_ISREG(status.st_mode):
        raise ModelFileError(f"{path}: must be a regular file; got a device or a pipe. Copy it to a file.")
    size = status.st_size
    length = int.from_bytes(file.read(8), "little")
    if size < 10 or not 2 <= length <= HEADER_LIMIT:
        raise ModelFileError(f"{path}: must be a .safetensors file; its first bytes are not those of one.")
    if length > size - 8:
        raise truncated(path)
    fields, text = parse_header(path, file.read(length))
    content = parse_content(path, text, (FORMAT, FORMAT_OF_INTEGERS))
    checksum = str(content.pop("sha256", None))
    return Container(path, content, parse_entries(path, fields, size - 8 - length), checksum, 8 + length, file)


def _checksum(content: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> str:
    digest = hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode())
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(f"\n{name} {array.dtype.str} {list(array.shape)}\n".encode())
        digest.update(array.reshape(-1).view(np.uint8).data)
    return digest.hexdigest()
