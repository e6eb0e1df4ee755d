"""Pieces of LLVM code that the intrinsics are built from."""

from __future__ import annotations

import platform
from typing import Any

from llvmlite import ir
from numba.core import cgutils

from striate.kernels.vector.types import I32, vector_of


def load_vector(b: ir.IRBuilder, pointer: Any, lanes: int) -> Any:
    """Load ``lanes`` floats; they lie anywhere."""
    value = b.load(b.bitcast(pointer, vector_of(lanes).as_pointer()))
    value.align = 4
    return value


def store_vector(b: ir.IRBuilder, value: Any, pointer: Any) -> None:
    """Store a vector anywhere."""
    b.store(value, b.bitcast(pointer, value.type.as_pointer())).align = 4


def splat_scalar(b: ir.IRBuilder, scalar: Any, lanes: int) -> Any:
    """Return ``scalar`` in every lane."""
    kind = ir.VectorType(scalar.type, lanes)
    one = b.insert_element(ir.Constant(kind, ir.Undefined), scalar, I32(0))
    return b.shuffle_vector(
        one, ir.Constant(kind, ir.Undefined), ir.Constant(ir.VectorType(I32, lanes), [0] * lanes)
    )


def call_intrinsic(b: ir.IRBuilder, name: str, result: Any, arguments: list[Any], **kwargs: Any) -> Any:
    """Call one of LLVM's own functions."""
    kind = ir.FunctionType(result, [a.type for a in arguments])
    return b.call(cgutils.get_or_insert_function(b.module, kind, name), arguments, **kwargs)


def fused_multiply_add(b: ir.IRBuilder, x: Any, y: Any, z: Any) -> Any:
    """Return ``x * y + z`` with one rounding."""
    return call_intrinsic(b, f"llvm.fma.v{x.type.count}f32", x.type, [x, y, z])


def sum_lanes(b: ir.IRBuilder, v: Any) -> Any:
    """Add the lanes pairwise, halves first: a fixed order for each number of lanes."""
    lanes = v.type.count
    while lanes > 1:
        lanes //= 2
        undefined = ir.Constant(v.type, ir.Undefined)
        halves = [
            b.shuffle_vector(v, undefined, ir.Constant(ir.VectorType(I32, lanes), list(range(s, s + lanes))))
            for s in (0, lanes)
        ]
        v = b.fadd(*halves)
    return b.extract_element(v, I32(0))


_VECTORS = {"aarch64": "w", "arm64": "w"}.get(platform.machine(), "x")  # vector registers in inline assembly


def before_what_follows(b: ir.IRBuilder, value: Any) -> Any:
    """Return a vector, computed before anything that follows is loaded.

    LLVM computes one sum after the other where nothing forbids it, which needs all their terms in registers.
    """
    kind = ir.FunctionType(value.type, [value.type])
    return b.asm(kind, "", f"={_VECTORS},0,~{{memory}}", [value], side_effect=True)


def address(b: ir.IRBuilder, pointer: Any, *offsets: Any) -> Any:
    """Return the pointer moved on by all of ``offsets``."""
    for offset in offsets:
        pointer = b.gep(pointer, [offset])
    return pointer
