"""Vectors of bytes and of 32-bit words: load, store, compare, and put bytes into words.

Four bytes of neighbouring channels lie in a word, so pointers to them are those of float32 values (``Floats``).
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from striate.kernels.vector.build import address, splat_scalar, store_vector
from striate.kernels.vector.types import I8, I32, I64, ByteVecType, IntVecType, VecType


def int_vector(lanes: int) -> ir.Type:
    """Return the type of a vector of words."""
    return ir.VectorType(I32, lanes)


def load_integers(b: ir.IRBuilder, pointer: Any, kind: ir.Type) -> Any:
    """Load a vector that lies anywhere."""
    value = b.load(b.bitcast(pointer, kind.as_pointer()))
    value.align = 1 if kind.element is I8 else 4
    return value


def store_integers(b: ir.IRBuilder, value: Any, pointer: Any) -> None:
    """Store a vector of bytes anywhere."""
    b.store(value, b.bitcast(pointer, value.type.as_pointer())).align = 4


@intrinsic
def bytes_load(tc: Any, pointer: Any, offset: Any) -> Any:
    """The bytes of ``lanes`` channels from ``pointer[offset]`` on."""
    kind = ByteVecType(pointer.lanes)

    def build(ctx: Any, b: ir.IRBuilder, sig: Any, v: Any) -> Any:
        return load_integers(b, address(b, v[0], v[1]), ir.VectorType(I8, kind.lanes))

    return kind(pointer, types.int64), build


@intrinsic
def bytes_store(tc: Any, pointer: Any, offset: Any, value: Any) -> Any:
    """Store the bytes of ``lanes`` channels from ``pointer[offset]`` on."""

    def build(ctx: Any, b: ir.IRBuilder, sig: Any, v: Any) -> Any:
        store_integers(b, v[2], address(b, v[0], v[1]))
        return ctx.get_dummy_value()

    return types.void(pointer, types.int64, value), build


@intrinsic
def bytes_max(tc: Any, x: Any, y: Any) -> Any:
    """The larger of x and y, lane by lane."""

    def build(ctx: Any, b: ir.IRBuilder, sig: Any, v: Any) -> Any:
        return b.select(b.icmp_unsigned(">", v[0], v[1]), v[0], v[1])

    return x(x, x), build


@intrinsic
def bytes_to_floats(tc: Any, x: Any) -> Any:
    """The bytes as floats."""
    kind = VecType(x.lanes)
    return kind(x), lambda ctx, b, sig, v: b.uitofp(v[0], ir.VectorType(ir.FloatType(), x.lanes))


@intrinsic
def into_byte(tc: Any, words: Any, x: Any, byte: Any) -> Any:
    """The words with the bytes x added as their byte number ``byte``, which was 0."""

    def build(ctx: Any, b: ir.IRBuilder, sig: Any, v: Any) -> Any:
        by = splat_scalar(b, b.trunc(b.mul(v[2], I64(8)), I32), x.lanes)
        return b.or_(v[0], b.shl(b.zext(v[1], int_vector(x.lanes)), by))

    return words(words, x, types.int64), build


@intrinsic
def zero_words(tc: Any, like: Any) -> Any:
    """``lanes`` words of zeros."""
    kind = IntVecType(like.lanes)
    return kind(like), lambda ctx, b, sig, v: ir.Constant(int_vector(kind.lanes), None)


@intrinsic
def words_store(tc: Any, pointer: Any, offset: Any, words: Any) -> Any:
    """Store ``lanes`` words at ``pointer[offset : offset + lanes]``."""

    def build(ctx: Any, b: ir.IRBuilder, sig: Any, v: Any) -> Any:
        store_vector(b, v[2], address(b, v[0], v[1]))
        return ctx.get_dummy_value()

    return types.void(pointer, types.int64, words), build


@intrinsic
def first_word(tc: Any, words: Any) -> Any:
    """The word of the first lane."""
    return types.int64(words), lambda ctx, b, sig, v: b.zext(b.extract_element(v[0], I32(0)), I64)


@intrinsic
def word_store(tc: Any, pointer: Any, offset: Any, value: Any) -> Any:
    """Store the lowest 32 bits of a whole number as the word at ``pointer[offset]``."""

    def build(ctx: Any, b: ir.IRBuilder, sig: Any, v: Any) -> Any:
        b.store(b.trunc(v[2], I32), b.bitcast(address(b, v[0], v[1]), I32.as_pointer()))
        return ctx.get_dummy_value()

    return types.void(pointer, types.int64, types.int64), build
