"""The header of an untrusted ``.safetensors`` file: everything is checked against limits before it is used."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from striate.errors import ModelFileError

KEY = "striate"
HEADER_LIMIT = 1 << 24  # bytes; the description of a large network needs far less
VALUE_LIMIT = 500_000  # values that its JSON may hold: 40,000 epochs of history
TENSOR_LIMIT = 50_000
AXES_LIMIT = 8
DIGITS = 20  # of a whole number, which is below 2**64
SIZE_LIMIT = 1 << 63
RESTORE = "Restore it from a copy, or train again."
DTYPES: dict[str, np.dtype[Any]] = {
    "F32": np.dtype(np.float32),
    "F64": np.dtype(np.float64),
    "I64": np.dtype(np.int64),
    "I32": np.dtype(np.int32),
    "I8": np.dtype(np.int8),
}


@dataclass(frozen=True)
class Entry:
    """What the header says of one tensor."""

    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int


def too_large(text: bytes) -> str | None:
    """Return which limit a JSON header exceeds, None if it exceeds none.

    Examples
    --------
    >>> too_large(b"[1, 2]")
    """
    if len(text) > HEADER_LIMIT:
        return f"{len(text):,} bytes, of at most {HEADER_LIMIT:,}"
    values = sum(text.count(mark) for mark in b",[{")
    return f"{values:,} values, of at most {VALUE_LIMIT:,}" if values > VALUE_LIMIT else None


def parse_header(path: Path, header: bytes) -> tuple[dict[str, Any], str]:
    """Return the tensors' fields and striate's JSON text; raises ModelFileError if there are none."""
    size = too_large(header)
    if size is not None:
        raise ModelFileError(f"{path}: its header is too large ({size}). It is damaged, or from another program.")
    try:
        fields = _parse_json(header)
        text = fields.pop("__metadata__", {}).get(KEY)
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise ModelFileError(f"{path}: must be a .safetensors file; its header is damaged. {RESTORE}") from None
    if not isinstance(text, str):
        raise ModelFileError(
            f"{path}: must be a model of striate; got a .safetensors file without its description. "
            "It comes from another program."
        )
    return fields, text


def parse_content(path: Path, text: str, versions: Sequence[int]) -> dict[str, Any]:
    """Return striate's JSON object; raises ModelFileError if it is damaged or of another version."""
    try:
        content = _parse_json(text)
        found = content.get("format")
    except (ValueError, AttributeError, RecursionError):
        raise ModelFileError(f"{path}: its description is damaged. {RESTORE}") from None
    if type(found) is not int or found not in versions:
        raise ModelFileError(
            f"{path}: must have format {' or '.join(map(str, versions))}; got {str(found)[:20]!r}. "
            "Install the version of striate that wrote it."
        )
    return dict(content)


def parse_entries(path: Path, fields: Mapping[str, Any], size: int) -> dict[str, Entry]:
    """Return the tensors by name; raises ModelFileError unless they fill ``size`` bytes, one after the other."""
    if len(fields) > TENSOR_LIMIT:
        raise ModelFileError(f"{path}: has {len(fields):,} tensors, of at most {TENSOR_LIMIT:,}. {RESTORE}")
    entries = {name: _entry(path, name, item) for name, item in fields.items()}
    place = 0
    for entry in sorted(entries.values(), key=lambda entry: (entry.begin, entry.end)):
        if entry.begin != place:
            raise ModelFileError(f"{path}: its tensors overlap or leave gaps; the header is damaged. {RESTORE}")
        place = entry.end
    if place > size:
        raise truncated(path)
    if place < size:
        raise ModelFileError(f"{path}: has {size - place} bytes after its last tensor. {RESTORE}")
    return entries


def _entry(path: Path, name: str, item: Any) -> Entry:
    try:
        dtype, shape, (begin, end) = item["dtype"], tuple(item["shape"]), item["data_offsets"]
        whole = all(type(n) is int and 0 <= n < SIZE_LIMIT for n in (*shape, begin, end))
        fits = whole and dtype in DTYPES and len(shape) <= AXES_LIMIT and end - begin == _nbytes(dtype, shape)
    except (KeyError, TypeError, ValueError):
        fits = False
    if not fits:
        raise ModelFileError(f"{path}: the header's entry for {name[:60]!r} is damaged. {RESTORE}")
    return Entry(dtype, shape, begin, end)


def _nbytes(dtype: str, shape: tuple[int, ...]) -> int:
    size = DTYPES[dtype].itemsize
    for axis in shape:
        size *= axis
    return size


def _parse_json(text: str | bytes) -> Any:
    """Return the contents of JSON text; raises ValueError for a duplicate key or an endless integer."""
    return json.loads(text, object_pairs_hook=_no_duplicates, parse_int=_whole_number)


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise ValueError("a key is repeated")
    return fields


def _whole_number(digits: str) -> int:
    if len(digits) > DIGITS:
        raise ValueError("a whole number has too many digits")
    return int(digits)


def truncated(path: Path) -> ModelFileError:
    """Return the error for a file that ends too early."""
    return ModelFileError(f"{path}: is truncated; it ends before its tensors do. {RESTORE}")
