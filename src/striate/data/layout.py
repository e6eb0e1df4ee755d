"""Samples with channels first from arrays in other common layouts."""

from __future__ import annotations

import math
from functools import partial

import numpy as np

from striate.data.streaming.stored import Stored, StoredStream
from striate.errors import DataError

COLOURS = (1, 3)
CHUNK_BYTES = 1 << 24
LEAST_SIGNAL = 64  # values of a row that is read as a signal; shorter rows are features in no particular order


def make_inputs(array: np.ndarray, where: str, shape: tuple[int, ...] | None = None) -> np.ndarray:
    """Return an array of samples as uint8 or float32 [N, C, *space].

    With ``shape``, each entry is reshaped to it; if it has this shape with its channels last, they move to the
    front. Without, the layout is told from the array:

    =================  ==========================================================================
    stored             read as
    =================  ==========================================================================
    ``[N, D]``         grey images if the entries are bytes and D is a square; otherwise 1-channel signals
                       from 64 values on, and fewer are features: a channel of one value for each, so
                       that each is normalised by itself
    ``[N, A, B]``      grey images if bytes or A = B, else signals whose shorter axis is the channels
    ``[N, A, B, C]``   colour images, channels last if only C is 1 or 3; volumes if A = B = C;
                       channels first otherwise
    ``[N, ...]`` of 5  volumes, channels last if only the last axis is 1 or 3
    =================  ==========================================================================

    Raises
    ------
    DataError
        If entries are not numbers or not finite, or do not fill the shape.
    """
    array = np.asarray(array)
    if array.ndim < 2:
        raise DataError(
            f"{where}: samples must be the first of at least 2 axes; got shape {list(array.shape)}. Reshape it."
        )
    numbers = _to_bytes_or_float(array, where)
    if shape is not None:
        return _reshape(numbers, where, shape)
    if numbers.ndim == 2:
        return _from_rows(numbers)
    if numbers.ndim == 3:
        return _from_planes(numbers)
    if numbers.ndim not in (4, 5):
        raise DataError(f"{where}: at most 5 axes can be read; got shape {list(numbers.shape)}. Give the shape.")
    first, last = numbers.shape[1] in COLOURS, numbers.shape[-1] in COLOURS
    if last and not first:
        return np.ascontiguousarray(np.moveaxis(numbers, -1, 1))
    if numbers.ndim == 4 and not first and len(set(numbers.shape[1:])) == 1:
        return numbers[:, np.newaxis]
    return numbers


def stream_inputs(stored: Stored, where: str, shape: tuple[int, ...] | None = None) -> StoredStream:
    """Return the samples of a large array in a file as `make_inputs` would read them, as a stream.

    Numbers that are no bytes are read once before, as in memory: whole numbers from 0 to 255 become bytes.

    Raises
    ------
    DataError
        As in `make_inputs`.
    """
    dtype: type = np.float32
    if stored.dtype in (np.uint8, np.bool_) or (stored.dtype.kind in "iu" and _are_bytes(StoredStream(stored))):
        dtype = np.uint8

    if stored.dtype.kind not in "biuf":
        make_inputs(np.zeros((1, *stored.shape[1:]), stored.dtype), where, shape)
    return StoredStream(stored, partial(_converted, dtype=dtype, where=where, shape=shape))


def _converted(rows: np.ndarray, dtype: type, where: str, shape: tuple[int, ...] | None) -> np.ndarray:
    with np.errstate(over="ignore"):
        return np.ascontiguousarray(make_inputs(rows.astype(dtype, copy=False), where, shape))


def _are_bytes(raw: StoredStream) -> bool:
    step = max(1, CHUNK_BYTES // max(1, raw.nbytes // len(raw)))
    chunks = (raw[start : start + step] for start in range(0, len(raw), step))
    return all(chunk.min() >= 0 and chunk.max() <= 255 for chunk in chunks)


def describe_channels(sample_shape: tuple[int, ...]) -> tuple[str, ...]:
    """Return a line about images of an array that could be volumes, for their first axis counts no colours."""
    if len(sample_shape) != 3 or sample_shape[0] in COLOURS:
        return ()
    channels, rows, columns = sample_shape
    return (
        f"read as images of {channels} channels; if the {channels} are slices or frames, "
        f"--shape 1x{channels}x{rows}x{columns} reads volumes",
    )


def to_float32(values: np.ndarray) -> np.ndarray:
    """Return numbers as float32; infinity for those beyond 3.4e38, as for infinity itself."""
    with np.errstate(over="ignore"):
        return values.astype(np.float32, copy=False)


def _to_bytes_or_float(array: np.ndarray, where: str) -> np.ndarray:
    if array.dtype == np.uint8:
        return array
    if array.dtype == np.bool_:
        return array.astype(np.uint8)
    if array.dtype.kind not in "iuf":
        raise DataError(f"{where}: inputs must be numbers; got {array.dtype}. Convert them.")
    if array.dtype.kind in "iu" and array.size and array.min() >= 0 and array.max() <= 255:
        return array.astype(np.uint8)
    converted = to_float32(array)
    if not all(np.isfinite(piece).all() for piece in np.array_split(converted, max(1, len(converted) // 1024))):
        row = next(i for i, sample in enumerate(converted) if not np.isfinite(sample).all())
        raise DataError(f"{where}: inputs must be finite; sample {row} is not. Correct or remove it.")
    return converted


def _reshape(numbers: np.ndarray, where: str, shape: tuple[int, ...]) -> np.ndarray:
    per_sample = math.prod(numbers.shape[1:])
    if per_sample != math.prod(shape):
        raise DataError(
            f"{where}: a sample of shape {' x '.join(map(str, shape))} needs {math.prod(shape)} numbers; "
            f"got {per_sample}. Give another shape."
        )
    if numbers.ndim > 2 and numbers.shape[1:] != shape == (numbers.shape[-1], *numbers.shape[1:-1]):
        return np.ascontiguousarray(np.moveaxis(numbers, -1, 1))
    return numbers.reshape(len(numbers), *shape)


def _from_rows(numbers: np.ndarray) -> np.ndarray:
    side = math.isqrt(numbers.shape[1])
    if numbers.dtype == np.uint8 and side > 1 and side * side == numbers.shape[1]:
        return numbers.reshape(len(numbers), 1, side, side)
    return numbers[:, np.newaxis] if numbers.shape[1] >= LEAST_SIGNAL else numbers[:, :, np.newaxis]


def _from_planes(numbers: np.ndarray) -> np.ndarray:
    first, second = numbers.shape[1:]
    if numbers.dtype == np.uint8 or first == second:
        return numbers[:, np.newaxis]
    return numbers if first < second else np.ascontiguousarray(numbers.transpose(0, 2, 1))


def without_gaps(values: np.ndarray) -> np.ndarray:
    """Return a series (float64[L]) whose missing values (NaN) lie on the line between their neighbours.

    At its ends they repeat the nearest value; a series without any value is 0.
    """
    known = np.flatnonzero(~np.isnan(values))
    if not len(known):
        return np.zeros(len(values))
    return np.asarray(np.interp(np.arange(len(values)), known, values[known]))
