"""Constant arrays of ONNX files as NumPy arrays, and back."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from striate.interop.formats import MOST_AXES
from striate.interop.onnx.messages import Tensor
from striate.interop.protobuf import MalformedError

FLOAT, INT64, TEXT, BOOL, BFLOAT16 = 1, 7, 8, 9, 16
DTYPES: dict[int, np.dtype] = {
    number: np.dtype(name)
    for number, name in {
        FLOAT: "<f4",
        2: "u1",
        3: "i1",
        4: "<u2",
        5: "<i2",
        6: "<i4",
        INT64: "<i8",
        BOOL: "?",
        10: "<f2",
        11: "<f8",
        12: "<u4",
        13: "<u8",
    }.items()
}
"""NumPy's name of each numeric element type that is read; bfloat16 is widened to float32, text is Python's."""


def to_array(tensor: Tensor) -> np.ndarray:
    """Return the numbers of ``tensor``; read-only where they lie in the file as they are.

    Raises
    ------
    MalformedError
        If they are in another file, or are not as many as the shape says, or the shape has more than 32 axes.
    """
    name = tensor.name or "a constant"
    shape = to_shape(tensor.dims, name)
    if tensor.data_location or tensor.external_data:
        raise MalformedError(
            f"the numbers of {name!r} are in another file; save all in one (in PyTorch: external_data=False)"
        )
    if min(shape, default=0) < 0:
        raise MalformedError(f"{name!r} has the negative shape {list(shape)}")
    if tensor.data_type not in (*DTYPES, TEXT, BFLOAT16):
        raise MalformedError(f"{name!r} has the element type {tensor.data_type}, which is not supported")
    values = _values(tensor, name)
    if values.size != math.prod(shape):
        raise MalformedError(f"{name!r} has {values.size:,} values for the shape {list(shape)}")
    return values.reshape(shape)


def to_shape(sides: Sequence[int] | np.ndarray, name: str) -> tuple[int, ...]:
    """Return the sides of an array; raises MalformedError if they are so many that their product takes long."""
    if len(sides) > MOST_AXES:
        raise MalformedError(f"{name!r} has {len(sides):,} axes; at most {MOST_AXES} are supported")
    return tuple(int(side) for side in sides)


def _values(tensor: Tensor, name: str) -> np.ndarray:
    if tensor.data_type == TEXT:
        return np.array([str(item, "utf-8", "replace") for item in tensor.string_data], object)
    wide, boolean = tensor.data_type == BFLOAT16, tensor.data_type == BOOL
    dtype = np.dtype("<u2") if wide else DTYPES[tensor.data_type]
    if tensor.raw_data is not None:
        if len(tensor.raw_data) % dtype.itemsize:
            raise MalformedError(f"{name!r} has {len(tensor.raw_data)} bytes, not a whole number of values")
        values = np.frombuffer(tensor.raw_data, np.uint8 if boolean else dtype)
        values = values != 0 if boolean else values
    elif dtype == np.dtype("<f2"):
        values = np.asarray(tensor.int32_data, np.int64).astype(np.uint16).view("<f2")
    else:
        stored = {"<f4": tensor.float_data, "<f8": tensor.double_data, "<i8": tensor.int64_data}
        unsigned = {"<u4": tensor.uint64_data, "<u8": tensor.uint64_data}
        values = np.asarray({**stored, **unsigned}.get(dtype.str, tensor.int32_data)).astype(dtype)
    return (values.astype(np.uint32) << 16).view(np.float32) if wide else values


def from_array(values: np.ndarray, name: str) -> Tensor:
    """Return ``values`` (any type of ``DTYPES``) as a named constant."""
    values = np.asarray(values, order="C")
    number = next(key for key, dtype in DTYPES.items() if dtype == values.dtype)
    dtype = DTYPES[number]
    return Tensor(dims=list(values.shape), data_type=number, raw_data=values.astype(dtype).tobytes(), name=name)
