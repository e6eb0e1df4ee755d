"""JPEG files through simplejpeg, where it is installed: the pixels that Pillow reads, several times as fast.

It releases the interpreter lock for the whole of a file, so that threads decode side by side. Only files without
any flaw are read here; whatever is unusual is left to Pillow, which says what is wrong with it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

File = str | Path | BinaryIO
MAGIC = b"\xff\xd8\xff"
SCAN = b"\xff\xda"  # begins a pass over the pixels; within coded pixels a zero follows every 255
MOST_SCANS = 50  # of the largest image: 3 seconds; a scan of a blank image of any size takes a few bytes
MOST_BYTES = 2**26  # of a file that is read at once
HEAD_BYTES = 2**16  # in which a header is looked for
TURNING = (b"Exif\0\0", b"http://ns.adobe.com/xap/")  # where a file may say that it is to be turned
COLOURS = {"Gray": "GRAY", "YCbCr": "RGB"}


class Header(NamedTuple):
    """The header of an image file: (rows, columns) as it will be seen, and whether it is grey."""

    size: tuple[int, int]
    grey: bool


@cache
def _library() -> Any:
    try:
        import simplejpeg
    except ImportError:
        return None
    return simplejpeg


def header(path: str | Path) -> Header | None:
    """Return the header of a file; None for one that Pillow should read."""
    data = _start(path, HEAD_BYTES)
    return None if data is None else _header(data)


def pixels(file: File, most: Callable[[int], int], least: tuple[int, int] | None) -> np.ndarray | None:
    """Return uint8[rows, columns, 1 or 3] of a file; None for one that Pillow should read.

    Parameters
    ----------
    file : path or binary file
    most : function of the bytes of a file
        Images of more pixels are left to Pillow, which refuses them, and so are those with too many scans.
    least : (rows, columns), optional
        What the image will be resized to: Pillow reads one that is several times larger at a part of its size.
    """
    data = _start(file, MOST_BYTES)
    found = None if data is None else _header(data)
    if data is None or found is None:
        return None
    (rows, columns), grey = found
    if rows * columns * max(1, data.count(SCAN) / MOST_SCANS) > most(len(data)):
        return None
    if least is not None and min(rows, columns) >= 4 * max(least):
        return None
    try:
        decoded = _library().decode_jpeg(data, COLOURS["Gray" if grey else "YCbCr"])
    except ValueError:
        return None
    return np.asarray(decoded, np.uint8)


def occurrences(file: BinaryIO, *marks: bytes) -> int:
    """Return how often marks occur in a file in which a decoder stands: for `SCAN`, the passes over the pixels."""
    place, overlap = file.tell(), max(map(len, marks)) - 1
    file.seek(0)
    count, end = 0, b""
    while piece := file.read(HEAD_BYTES):
        count += sum((end + piece).count(mark) for mark in marks)
        end = piece[-overlap:]
    file.seek(place)
    return count


def _header(data: bytes) -> Header | None:
    if any(data.find(mark, 0, HEAD_BYTES) >= 0 for mark in TURNING):
        return None
    try:
        rows, columns, colour, _ = _library().decode_jpeg_header(data)
    except ValueError:
        return None
    return Header((rows, columns), colour == "Gray") if colour in COLOURS else None


def _start(file: File, most: int) -> bytes | None:
    """Return a JPEG file, or its head if it has more than ``most`` bytes; a file in memory is rewound."""
    if _library() is None:
        return None
    if isinstance(file, str | Path):
        data = _read(file, most)
    else:
        data = file.read(most)
        file.seek(0)
    return data if data is not None and data.startswith(MAGIC) else None


def _read(path: str | Path, most: int) -> bytes | None:
    """Return a file, or its head if it has more than ``most`` bytes; None if it cannot be read.

    Every system call releases the interpreter lock and waits for it again; a file object makes twice as many calls.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        try:
            size = os.fstat(descriptor).st_size
            wanted = size if size <= most else HEAD_BYTES
            data = os.read(descriptor, wanted)
        finally:
            os.close(descriptor)
    except OSError:
        return None
    return data if len(data) == wanted else None
