"""Read and write protocol buffers: messages are dataclasses whose fields carry their numbers.

Reading is bounded by what the file holds: a length is compared with the bytes that are left before anything is
taken, and nothing is allocated that a header merely claims.

References
----------
Google, "Protocol Buffers: Encoding", https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

import dataclasses
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

VARINT, FIXED64, DELIMITED, FIXED32 = 0, 1, 2, 5
DEEPEST = 16  # messages within messages
MOST_FIELDS = 100_000  # of one message, so that a graph of a million nodes is refused at once

M = TypeVar("M")


class MalformedError(ValueError):
    """Bytes that are no message of the expected kind."""


@dataclass(frozen=True)
class Kind:
    """How a field is written: its wire type, and its NumPy type where many may be packed together."""

    wire: int
    packed: str | None = None
    text: bool = False


INT = Kind(VARINT, "i8")
FLOAT = Kind(FIXED32, "<f4")
DOUBLE = Kind(FIXED64, "<f8")
BYTES = Kind(DELIMITED)
TEXT = Kind(DELIMITED, text=True)


def one(number: int, kind: Kind | type, default: Any = None) -> Any:
    """Return a dataclass field that holds one value, ``default`` where the message has none."""
    return dataclasses.field(default=default, metadata={"number": number, "kind": kind, "many": False})


def many(number: int, kind: Kind | type, most: int = MOST_FIELDS) -> Any:
    """Return a dataclass field that holds a list (of numbers: an array) with at most so many entries."""
    metadata = {"number": number, "kind": kind, "many": True, "most": most}
    return dataclasses.field(default_factory=list, metadata=metadata)


def decode(cls: type[M], data: bytes | memoryview, depth: int = 0) -> M:
    """Return the message of type ``cls`` in ``data``; fields that ``cls`` does not know are skipped.

    Raises
    ------
    MalformedError
        If the bytes are no such message.
    """
    if depth > DEEPEST:
        raise MalformedError(f"messages within messages go deeper than {DEEPEST}")
    fields = {item.metadata["number"]: item for item in dataclasses.fields(cls)}  # type: ignore[arg-type]
    found: dict[str, Any] = {}
    for number, wire, value in list(_fields(memoryview(data))):  # counted before any is taken apart
        item = fields.get(number)
        if item is None:
            continue
        if item.metadata["many"]:
            if len(found.get(item.name, ())) == item.metadata["most"]:
                raise MalformedError(
                    f"a {cls.__name__} has more than {item.metadata['most']} entries in {item.name!r}"
                )
            _append(found.setdefault(item.name, []), item.metadata["kind"], wire, value, depth)
        else:
            found[item.name] = _single(item.metadata["kind"], wire, value, depth)
    for item in fields.values():
        if item.name in found and item.metadata["many"] and _is_number(item.metadata["kind"]):
            found[item.name] = _joined(found[item.name])
    return cls(**found)


def _fields(data: memoryview) -> Iterator[tuple[int, int, Any]]:
    """Yield (number, wire type, value) of every field: an int for a varint, else the bytes."""
    place, end, count = 0, len(data), 0
    while place < end:
        count += 1
        if count > MOST_FIELDS:
            raise MalformedError(f"a message has more than {MOST_FIELDS:,} fields")
        key, place = _varint(data, place)
        number, wire = key >> 3, key & 7
        if wire == VARINT:
            value, place = _varint(data, place)
            yield number, wire, value
            continue
        if wire == DELIMITED:
            size, place = _varint(data, place)
        elif wire in (FIXED32, FIXED64):
            size = 4 if wire == FIXED32 else 8
        else:
            raise MalformedError(f"field {number} has the unknown wire type {wire}")
        if size > end - place:
            raise MalformedError(f"field {number} claims {size:,} bytes where {end - place:,} are left")
        yield number, wire, data[place : place + size]
        place += size


def _varint(data: memoryview, place: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if place >= len(data):
            raise MalformedError("it ends in the middle of a number")
        byte = data[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place
    raise MalformedError("a number does not end within 10 bytes")


def _signed(value: int) -> int:
    value &= 0xFFFF_FFFF_FFFF_FFFF
    return value - (1 << 64) if value >> 63 else value


def _is_number(kind: Kind | type) -> bool:
    return isinstance(kind, Kind) and kind.packed is not None


def _single(kind: Kind | type, wire: int, value: Any, depth: int) -> Any:
    if not isinstance(kind, Kind):
        _expect(wire, DELIMITED)
        return decode(kind, value, depth + 1)
    _expect(wire, kind.wire)
    if kind.wire == VARINT:
        return _signed(value)
    if kind.packed is not None:
        return np.frombuffer(value, kind.packed)[0].item()
    return _text(value) if kind.text else value


def _append(items: list[Any], kind: Kind | type, wire: int, value: Any, depth: int) -> None:
    """Add a value to a field of many; numbers may come one by one or packed, and are kept as arrays."""
    if not isinstance(kind, Kind) or kind.packed is None:
        items.append(_single(kind, wire, value, depth))
    elif wire == DELIMITED and kind.wire == VARINT:
        items.append(_varints(value))
    elif wire == DELIMITED:
        if len(value) % np.dtype(kind.packed).itemsize:
            raise MalformedError(f"{len(value)} packed bytes are not a whole number of values")
        items.append(np.frombuffer(value, kind.packed))
    else:
        items.append(np.array([_single(kind, wire, value, depth)], kind.packed))


def _joined(arrays: list[np.ndarray]) -> np.ndarray:
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)


def _varints(data: memoryview) -> np.ndarray:
    """Return packed varints, int64."""
    raw = np.frombuffer(data, np.uint8)
    if not len(raw):
        return np.zeros(0, np.int64)
    ends = np.flatnonzero(raw < 0x80)
    if not len(ends) or ends[-1] != len(raw) - 1:
        raise MalformedError("it ends in the middle of a number")
    begins = np.concatenate([[0], ends[:-1] + 1])
    if (ends - begins).max() >= 10:
        raise MalformedError("a number does not end within 10 bytes")
    within = np.arange(len(raw)) - np.repeat(begins, ends - begins + 1)
    parts = (raw & np.uint8(0x7F)).astype(np.uint64) << (7 * within).astype(np.uint64)
    return np.bitwise_or.reduceat(parts, begins).view(np.int64)


def _expect(wire: int, wanted: int) -> None:
    if wire != wanted:
        raise MalformedError(f"a field has wire type {wire} instead of {wanted}")


def _text(value: memoryview) -> str:
    try:
        return str(value, "utf-8")
    except UnicodeDecodeError:
        raise MalformedError("a name is not UTF-8 text") from None


def encode(message: Any) -> bytes:
    """Return ``message``, a dataclass with numbered fields, as bytes; None and empty lists are left out."""
    out: list[bytes] = []
    for item in dataclasses.fields(message):
        value, kind, number = getattr(message, item.name), item.metadata["kind"], item.metadata["number"]
        if value is None:
            continue
        for part in value if item.metadata["many"] else (value,):
            out.append(_encoded(number, kind, part))
    return b"".join(out)


def _encoded(number: int, kind: Kind | type, value: Any) -> bytes:
    if not isinstance(kind, Kind):
        return _delimited(number, encode(value))
    if kind.wire == VARINT:
        return _number(number << 3 | VARINT) + _number(int(value) & 0xFFFF_FFFF_FFFF_FFFF)
    if kind.packed is not None:
        return _number(number << 3 | kind.wire) + struct.pack("<f" if kind is FLOAT else "<d", value)
    return _delimited(number, value.encode() if kind.text else bytes(value))


def _delimited(number: int, data: bytes) -> bytes:
    return _number(number << 3 | DELIMITED) + _number(len(data)) + data


def _number(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
