"""Arrays from IDX files, the format of MNIST, plain or gzip-compressed.

A file is: two zero bytes, a byte for the element type, a byte for the number of dimensions, each
dimension as a big-endian 32-bit number, then the elements, big-endian, in row-major order. What the header
claims is compared with what the file can hold before memory is taken for it.

References
----------
LeCun, Cortes and Burges, "The MNIST database of handwritten digits", section "File formats".
"""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from pathlib import Path
from typing import IO

import numpy as np

from striate.errors import DataError
from striate.machine import available_memory

ELEMENT_TYPES = {8: ">u1", 9: ">i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}
GZIP_MAGIC = b"\x1f\x8b"
GZIP_MAX_RATIO = 1032  # deflate cannot compress better than 1032 to 1
CHUNK_BYTES = 1 << 20
AGAIN = "Copy the file again."


def read_idx(path: str | Path, ndim: int | None = None) -> np.ndarray:
    """Return the array of an IDX file in the byte order of this machine.

    Parameters
    ----------
    path : path
        Plain or gzip-compressed, whatever its name says.
    ndim : int, optional
        The number of dimensions it must have: 3 for images, 1 for labels.

    Raises
    ------
    DataError
        If the file is missing, not IDX, of another kind, shorter or longer than its header claims,
        damaged, or too big for the memory of this machine.
    """
    path = Path(path)
    try:
        with path.open("rb") as raw:
            compressed = raw.read(2) == GZIP_MAGIC
            raw.seek(0)
            if compressed:
                with gzip.GzipFile(fileobj=raw) as stream:
                    return _read(stream, path, ndim, compressed=True)  # type: ignore[arg-type]
            return _read(raw, path, ndim, compressed=False)
    except EOFError as error:
        raise DataError(f"{path}: the gzip stream ends too early, the file is truncated. {AGAIN}") from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise DataError(f"{path}: the gzip stream is damaged ({error}). {AGAIN}") from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error}). Check the path.") from error


def _read(stream: IO[bytes], path: Path, ndim: int | None, *, compressed: bool) -> np.ndarray:
    dtype, shape = _read_header(stream, path, ndim)
    claimed = math.prod(shape) * dtype.itemsize
    file_bytes = path.stat().st_size
    header_bytes = 4 + 4 * len(shape)
    possible = file_bytes * GZIP_MAX_RATIO if compressed else file_bytes - header_bytes
    if claimed > possible or (claimed != possible and not compressed):
        got = f"at most {possible:,}" if compressed else f"{possible:,}"
        raise _size_error(path, shape, claimed, got)
    if claimed > available_memory():
        raise DataError(
            f"{path}: {_times(shape)} elements need {claimed:,} bytes; this machine has "
            f"{available_memory():,} to spare. Use a smaller file."
        )
    content = _read_bounded(stream, claimed)
    if len(content) != claimed:
        got = "more" if len(content) > claimed else f"{len(content):,}"
        raise _size_error(path, shape, claimed, got)
    return np.frombuffer(content, dtype).astype(dtype.newbyteorder("="), copy=False).reshape(shape)


def _read_header(stream: IO[bytes], path: Path, ndim: int | None) -> tuple[np.dtype, tuple[int, ...]]:
    magic = stream.read(4)
    if len(magic) < 4:
        raise DataError(f"{path}: an IDX file starts with a header of 4 bytes; got {len(magic)}. {AGAIN}")
    zeros, code, dimensions = struct.unpack(">HBB", magic)
    if zeros != 0 or code not in ELEMENT_TYPES or dimensions == 0:
        raise DataError(f"{path}: not an IDX file; its first bytes are {magic.hex(' ')}. {AGAIN}")
    if ndim is not None and dimensions != ndim:
        raise DataError(
            f"{path}: {_kind(ndim)} have {ndim} dimension{'s' * (ndim != 1)}; this file has {dimensions}, "
            f"as {_kind(dimensions)} have. Check that the files have not been mixed up."
        )
    sizes = stream.read(4 * dimensions)
    if len(sizes) < 4 * dimensions:
        raise DataError(f"{path}: the file ends inside its header. {AGAIN}")
    return np.dtype(ELEMENT_TYPES[code]), struct.unpack(f">{dimensions}I", sizes)


def _read_bounded(stream: IO[bytes], claimed: int) -> bytearray:
    """Return the contents of the stream, at most one byte more than claimed; memory grows as bytes arrive."""
    content = bytearray()
    while len(content) <= claimed:
        chunk = stream.read(min(CHUNK_BYTES, claimed + 1 - len(content)))
        if not chunk:
            break
        content += chunk
    return content


def _size_error(path: Path, shape: tuple[int, ...], claimed: int, got: str) -> DataError:
    return DataError(
        f"{path}: the header claims {_times(shape)} elements, {claimed:,} bytes; the file holds {got}. {AGAIN}"
    )


def _kind(ndim: int) -> str:
    return {1: "labels", 3: "images"}.get(ndim, "arrays")


def _times(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))
