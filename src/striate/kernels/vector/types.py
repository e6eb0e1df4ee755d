"""The types of kernels: pointers, vectors, masks and register tiles, and what LLVM makes of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import models, register_model

F32, I8, I32, I64 = ir.FloatType(), ir.IntType(8), ir.IntType(32), ir.IntType(64)


class FloatsType(types.Type):
    """A pointer to float32 values that are read ``lanes`` at a time."""

    def __init__(self, lanes: int) -> None:
        self.lanes = lanes
        super().__init__(f"Floats({lanes})")


class IntsType(types.Type):
    """A pointer to int64 values: a table made by the planner."""

    def __init__(self) -> None:
        super().__init__("Ints")


class BytesType(types.Type):
    """A pointer to uint8 values: pixels."""

    def __init__(self) -> None:
        super().__init__("Bytes")


Floats, Ints, Bytes = FloatsType, IntsType, BytesType  # how kernels annotate their arguments


class VecType(types.Type):
    """``lanes`` float32 values."""

    def __init__(self, lanes: int) -> None:
        self.lanes = lanes
        super().__init__(f"Vec({lanes})")


class MaskType(types.Type):
    """``lanes`` truth values."""

    def __init__(self, lanes: int) -> None:
        self.lanes = lanes
        super().__init__(f"Mask({lanes})")


class TileType(types.Type):
    """``k`` x ``x`` vectors in registers."""

    def __init__(self, k: int, x: int, lanes: int) -> None:
        self.k, self.x, self.lanes = k, x, lanes
        super().__init__(f"Tile({k}, {x}, {lanes})")


class OffsetsType(types.Type):
    """A fixed number of offsets in registers."""

    def __init__(self, count: int) -> None:
        self.count = count
        super().__init__(f"Offsets({count})")


class IntVecType(types.Type):
    """``lanes`` unsigned 32-bit numbers."""

    def __init__(self, lanes: int) -> None:
        self.lanes = lanes
        super().__init__(f"IntVec({lanes})")


class ByteVecType(types.Type):
    """``lanes`` bytes."""

    def __init__(self, lanes: int) -> None:
        self.lanes = lanes
        super().__init__(f"ByteVec({lanes})")


class IntTileType(types.Type):
    """``k`` x ``x`` vectors of 32-bit whole numbers in registers."""

    def __init__(self, k: int, x: int, lanes: int) -> None:
        self.k, self.x, self.lanes = k, x, lanes
        super().__init__(f"IntTile({k}, {x}, {lanes})")


def vector_of(lanes: int) -> ir.Type:
    """Return LLVM's type of ``lanes`` floats."""
    return ir.VectorType(F32, lanes)


def represent(kind: type, llvm_type: Callable[[Any], ir.Type]) -> None:
    """Tell Numba which LLVM type holds values of ``kind``."""

    class Model(models.PrimitiveModel):
        def __init__(self, manager: Any, front_type: Any) -> None:
            super().__init__(manager, front_type, llvm_type(front_type))

    register_model(kind)(Model)


represent(FloatsType, lambda t: F32.as_pointer())
represent(IntsType, lambda t: I64.as_pointer())
represent(BytesType, lambda t: I8.as_pointer())
represent(VecType, lambda t: vector_of(t.lanes))
represent(MaskType, lambda t: ir.VectorType(ir.IntType(1), t.lanes))
represent(TileType, lambda t: ir.ArrayType(vector_of(t.lanes), t.k * t.x))
represent(OffsetsType, lambda t: ir.ArrayType(I64, t.count))
represent(ByteVecType, lambda t: ir.VectorType(I8, t.lanes))
represent(IntTileType, lambda t: ir.ArrayType(ir.VectorType(I32, t.lanes), t.k * t.x))
represent(IntVecType, lambda t: ir.VectorType(I32, t.lanes))
