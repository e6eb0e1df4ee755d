"""A ``.safetensors`` file with one JSON text in its metadata and one checksum over everything.

Rules of the format
-------------------
- The file is a safetensors file. Its metadata has the one key ``striate``, whose value is a JSON object.
- ``sha256`` of that object is the checksum of the rest of the object, written with sorted keys and without
  blanks, followed for every tensor, in the order of their names, by the line ``name dtype shape`` and its bytes.
- ``format`` is 1; ``kind`` is ``model`` or ``checkpoint``.
- Nothing in the file is executed or imported.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from striate.errors import ModelFileError
from striate.storage.atomic import write_atomically

FORMAT = 1
KEY = "striate"
HEADER_LIMIT = 1 << 25  # bytes; the description of a large network needs far less
DTYPES: dict[str, np.dtype[Any]] = {
    "F32": np.dtype(np.float32),
    "F64": np.dtype(np.float64),
    "I64": np.dtype(np.int64),
}


@dataclass(frozen=True)
class Entry:
    """What the header says of one tensor."""

    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int


@dataclass(frozen=True)
class Container:
    """A file whose header has been read and checked; no tensor has been.

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

    def tensors(self) -> dict[str, np.ndarray]:
        """Read all tensors and compare the checksum; raises ModelFileError if it differs."""
        try:
            with open(self.path, "rb") as file:
                arrays = {name: self._read(file, entry) for name, entry in self.entries.items()}
        except OSError as error:
            raise _unreadable(self.path, error) from error
        if _checksum(self.content, arrays) != self.checksum:
            raise ModelFileError(f"{self.path}: is damaged; its checksum is not that of its content. {_RESTORE}")
        return arrays

    def _read(self, file: Any, entry: Entry) -> np.ndarray:
        file.seek(self.start + entry.begin)
        array: np.ndarray = np.empty(entry.shape, DTYPES[entry.dtype])
        if file.readinto(array.reshape(-1).view(np.uint8).data) != array.nbytes:
            raise _truncated(self.path)
        return array


_RESTORE = "Restore it from a copy, or train again."


def write(path: str | Path, content: Mapping[str, Any], tensors: Mapping[str, np.ndarray]) -> Path:
    """Write ``content`` (JSON types) and ``tensors`` (float32, float64 or int64) atomically; return the path."""
    import safetensors.numpy

    arrays = {name: np.asarray(array, order="C") for name, array in tensors.items()}
    body = {**content, "format": FORMAT}
    text = json.dumps({**body, "sha256": _checksum(body, arrays)}, sort_keys=True, separators=(",", ":"))
    return write_atomically(path, safetensors.numpy.save(arrays, {KEY: text}))


def read(path: str | Path) -> Container:
    """Read and check the header of a file; allocates no more than the header needs.

    Raises
    ------
    ModelFileError
        If the file is missing, truncated, damaged, of another kind or from a later version.
    """
    path = Path(path)
    try:
        size = os.path.getsize(path)
        with open(path, "rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if size < 10 or not 2 <= length <= HEADER_LIMIT:
                raise ModelFileError(f"{path}: must be a .safetensors file; its first bytes are not those of one.")
            if length > size - 8:
                raise _truncated(path)
            header = file.read(length)
    except OSError as error:
        raise _unreadable(path, error) from error
    tensors, text = _parse_header(path, header)
    content = _parse_content(path, text)
    entries = {name: _entry(path, name, item) for name, item in tensors.items()}
    _check_cover(path, entries, size - 8 - length)
    checksum = content.pop("sha256", None)
    return Container(path, content, entries, str(checksum), 8 + length)


def _parse_header(path: Path, header: bytes) -> tuple[dict[str, Any], str]:
    try:
        fields = json.loads(header)
        text = fields.pop("__metadata__", {}).get(KEY)
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise ModelFileError(f"{path}: must be a .safetensors file; its header is damaged. {_RESTORE}") from None
    if not isinstance(text, str):
        raise ModelFileError(
            f"{path}: must be a model of striate; got a .safetensors file without its description. "
            "It comes from another program."
        )
    return fields, text


def _parse_content(path: Path, text: str) -> dict[str, Any]:
    try:
        content = json.loads(text)
        version = content.get("format")
    except (ValueError, AttributeError, RecursionError):
        raise ModelFileError(f"{path}: its description is damaged. {_RESTORE}") from None
    if version != FORMAT:
        raise ModelFileError(
            f"{path}: must have format {FORMAT}; got {version!r}. Install the version of striate that wrote it."
        )
    return dict(content)


def _entry(path: Path, name: str, item: Any) -> Entry:
    try:
        dtype, shape, (begin, end) = item["dtype"], tuple(item["shape"]), item["data_offsets"]
        fits = dtype in DTYPES and all(type(n) is int and n >= 0 for n in (*shape, begin, end))
        fits = fits and end - begin == math.prod(shape) * DTYPES[dtype].itemsize
    except (KeyError, TypeError, ValueError):
        fits = False
    if not fits:
        raise ModelFileError(f"{path}: the header's entry for {name[:60]!r} is damaged. {_RESTORE}")
    return Entry(dtype, shape, begin, end)


def _check_cover(path: Path, entries: Mapping[str, Entry], size: int) -> None:
    """Raise unless the tensors lie one after the other and end with the file."""
    place = 0
    for entry in sorted(entries.values(), key=lambda entry: (entry.begin, entry.end)):
        if entry.begin != place:
            raise ModelFileError(f"{path}: its tensors overlap or leave gaps; the header is damaged. {_RESTORE}")
        place = entry.end
    if place > size:
        raise _truncated(path)
    if place < size:
        raise ModelFileError(f"{path}: has {size - place} bytes after its last tensor. {_RESTORE}")


def _checksum(content: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> str:
    digest = hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode())
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(f"\n{name} {array.dtype.str} {list(array.shape)}\n".encode())
        digest.update(array.reshape(-1).view(np.uint8).data)
    return digest.hexdigest()


def _truncated(path: Path) -> ModelFileError:
    return ModelFileError(f"{path}: is truncated; it ends before its tensors do. {_RESTORE}")


def _unreadable(path: Path, error: OSError) -> ModelFileError:
    return ModelFileError(f"{path}: cannot be read ({error.strerror or error}). Check the name and the rights.")
