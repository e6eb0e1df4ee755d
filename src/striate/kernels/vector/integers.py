"""Whole numbers: tiles of 32-bit sums of byte products, vectors of bytes, and the one rule of rounding.

Four bytes of neighbouring channels lie in a word, so pointers to them are those of float32 values (``Floats``). A
product of a sum and a fixed-point multiplier is exact in a float64, and adding 1.5 * 2**52 rounds it to the nearest
whole number, halves to even: the same on every processor, with a fused multiply-add or without.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from striate.kernels.vector.build import address, call_intrinsic, load_vector, splat_scalar, store_vector
from striate.kernels.vector.types import I8, I32, I64, ByteVecType, IntTileType, IntVecType, VecType

I16, F64 = ir.IntType(16), ir.DoubleType()
HALF_WAY = 1.5 * 2.0**52  # a float64 of this size has steps of 1, and its lowest bits are those of a whole number
FUSE = ("contract",)


def _ints(lanes: int) -> ir.Type:
    return ir.VectorType(I32, lanes)


def _load(b: ir.IRBuilder, pointer: Any, kind: ir.Type) -> Any:
    """Load a vector that lies anywhere."""
    value = b.load(b.bitcast(pointer, kind.as_pointer()))
    value.align = 1 if kind.element is I8 else 4
    return value


def _store(b: ir.IRBuilder, value: Any, pointer: Any) -> None:
    """Store a vector of bytes anywhere."""
    b.store(value, b.bitcast(pointer, value.type.as_pointer())).align = 4


def _clip(b: ir.IRBuilder, x: Any, low: Any, high: Any) -> Any:
    """Return x between low and high; low for NaN."""
    x = b.select(b.fcmp_ordered(">", x, low), x, low)
    return b.select(b.fcmp_ordered("<", x, high), x, high)


def round_to_bytes(b: ir.IRBuilder, x: Any, multiplier: Any, limits: tuple[Any, Any, Any]) -> Any:
    """Return ``clip(round(multiplier * x) + zero_point, low, high)`` as bytes; x and the multiplier are float64.

    ``limits`` are low, high and zero_point, int64.
    """
    low, high, zero_point = limits
    lanes = x.type.count
    bounds = [
        splat_scalar(b, b.fadd(F64(HALF_WAY), b.sitofp(b.sub(n, zero_point), F64)), lanes) for n in (low, high)
    ]
    rounded = b.fadd(b.fmul(x, multiplier, flags=FUSE), splat_scalar(b, F64(HALF_WAY), lanes), flags=FUSE)
    bits = b.bitcast(_clip(b, rounded, *bounds), ir.VectorType(I64, lanes))
    return b.add(b.trunc(bits, ir.VectorType(I8, lanes)), splat_scalar(b, b.trunc(zero_point, I8), lanes))


def _doubles(b: ir.IRBuilder, x: Any) -> Any:
    kind = ir.VectorType(F64, x.type.count)
    return b.sitofp(x, kind) if x.type.element is I32 else b.fpext(x, kind)


def dot_vnni(b: ir.IRBuilder, total: Any, x: Any, w: Any) -> Any:
    """Return the total plus four products of unsigned bytes of x and signed ones of w, in one instruction."""
    return call_intrinsic(b, f"llvm.x86.avx512.vpdpbusd.{32 * total.type.count}", total.type, [total, x, w])


PAIRS = {4: "sse2.pmadd.wd", 8: "avx2.pmadd.wd", 16: "avx512.pmaddw.d.512"}


def dot_pairs(b: ir.IRBuilder, total: Any, x: Any, w: Any) -> Any:
    """Return the same from pairs of 16-bit products; no step saturates, as ``pmaddubsw`` would."""
    lanes = total.type.count
    words, eight = ir.VectorType(I16, 2 * lanes), splat_scalar(b, I16(8), 2 * lanes)
    x, w = b.bitcast(x, words), b.bitcast(w, words)
    low = b.and_(x, splat_scalar(b, I16(255), 2 * lanes)), b.ashr(b.shl(w, eight), eight)
    for factors in (low, (b.lshr(x, eight), b.ashr(w, eight))):
        total = b.add(total, call_intrinsic(b, f"llvm.x86.{PAIRS[lanes]}", total.type, list(factors)))
    return total


def dot_plain(b: ir.IRBuilder, total: Any, x: Any, w: Any) -> Any:
    """Return the same with what every processor has."""
    lanes = total.type.count
    for byte in range(4):
        left, right = splat_scalar(b, I32(24 - 8 * byte), lanes), splat_scalar(b, I32(24), lanes)
        factors = b.lshr(b.shl(x, left), right), b.ashr(b.shl(w, left), right)
        total = b.add(total, b.mul(*factors))
    return total


def _tile_dot(dot: Callable) -> Any:
    @intrinsic
    def operation(tc: Any, tile: Any, x: Any, rows: Any, x_offset: Any, w: Any, places: Any, w_offset: Any) -> Any:
        """tile[i, j] += the four products of word x[rows[i] + x_offset] and w[places[j] + w_offset : + lanes]."""

        def build(ctx: Any, b: ir.IRBuilder, sig: Any, v: Any) -> Any:
            out, x, rows, xo, w, places, wo = v
            at = [address(b, w, b.extract_value(places, j), wo) for j in range(tile.x)]
            weights = [_load(b, pointer, _ints(tile.lanes)) for pointer in at]
            for i in range(tile.k):
                pointer = address(b, x, b.extract_value(rows, i), xo)
                word = splat_scalar(b, b.load(b.bitcast(pointer, I32.as_pointer())), tile.lanes)
                for j in range(tile.x):
                    n = i * tile.x + j
                    out = b.insert_value(out, dot(b, b.extract_value(out, n), word, weights[j]), n)
            return out

        return tile(tile, x, rows, types.int64, w, places, types.int64), build

    return operation


TILE_DOTS = {"vnni": _tile_dot(dot_vnni), "pairs": _tile_dot(dot_pairs), "plain": _tile_dot(dot_plain)}
"""How a tile adds products of bytes, by what the processor has; see ``striate.machine.byte_products``."""


@intrinsic
def int_tile_load(tc: Any, values: Any, rows: Any, places: Any) -> Any:
    """tile[i, j] = the whole numbers at values[rows[i] + places[j] : + lanes]."""
    tile = IntTileType(rows.count, places.count, values.lanes)

    def build(ctx: Any, b: ir.IRBuilder, sig: Any, v: Any) -> Any:
        out = ir.Constant(ctx.get_value_type(tile), ir.Undefined)
        for n in range(tile.k * tile.x):
            at = address(b, v[0], b.extract_value(v[1], n // tile.x), b.extract_value(v[2], n % tile.x))
            out = b.insert_value(out, _load(b, at, _ints(tile.lanes)), n)
        return out

    return tile(values, rows, places), build


def _tile_store(value_of: Callable) -> Any:
    @intrinsic
    def operation(
        tc: Any,
        tile: Any,
        out: Any,
        rows: Any,
        places: Any,
        multiplier: Any,
        columns: Any,
        low: Any,
        high: Any,
        zero: Any,
    ) -> Any:
        """out[rows[i] + places[j]] = what tile[i, j] times multiplier[columns[j] : + lanes] becomes."""

        def build(ctx: Any, b: ir.IRBuilder, sig: Any, v: Any) -> Any:
            sums, out, rows, places, multiplier, columns, *limits = v
            for j in range(tile.x):
                factor = _doubles(
                    b, load_vector(b, address(b, multiplier, b.extract_value(columns, j)), tile.lanes)
                )
                for i in range(tile.k):
                    at = address(b, out, b.extract_value(rows, i), b.extract_value(places, j))
                    sums_here = _doubles(b, b.extract_value(sums, i * tile.x + j))
                    _store(b, value_of(b, sums_here, factor, tuple(limits)), at)
            return ctx.get_dummy_value()

        number = types.int64
        return types.void(tile, out, rows, places, multiplier, columns, number, number, number), build

    return operation


def _product(b: ir.IRBuilder, x: Any, multiplier: Any, limits: tuple[Any, Any, Any]) -> Any:
    """Return ``max(multiplier * x, low)`` as float32."""
    low = splat_scalar(b, b.sitofp(limits[0], F64), x.type.count)
    product = b.fmul(x, multiplier)
    product = b.select(b.fcmp_ordered(">", product, low), product, low)
    return b.fptrunc(product, ir.VectorType(ir.FloatType(), x.type.count))


TILE_STORES = {4: _tile_store(round_to_bytes), 1: _tile_store(_product)}
"""How a tile of sums is stored, by the values that a word holds: bytes, or floats."""


@intrinsic
def bytes_load(tc: Any, pointer: Any, offset: Any) -> Any:
    """The bytes of ``lanes`` channels from ``pointer[offset]`` on."""
    kind = ByteVecType(pointer.lanes)

    def build(ctx: Any, b: ir.IRBuilder, sig: Any, v: Any) -> Any:
        return _load(b, address(b, v[0], v[1]), ir.VectorType(I8, kind.lanes))

    return kind(pointer, types.int64), build


@intrinsic
def bytes_store(tc: Any, pointer: Any, offset: Any, value: Any) -> Any:
    """Store the bytes of ``lanes`` channels from ``pointer[offset]`` on."""

    def build(ctx: Any, b: ir.IRBuilder, sig: Any, v: Any) -> Any:
        _store(b, v[2], address(b, v[0], v[1]))
        return ctx.get_dummy_value()

    return types.void(pointer, types.int64, value), build


@intrinsic
def bytes_max(tc: Any, x: Any, y: Any) -> Any:
    """The larger of x and y, lane by lane."""

    def build(ctx: Any, b: ir.IRBuilder, sig: Any, v: Any) -> Any:
        return b.select(b.icmp_unsigned(">", v[0], v[1]), v[0], v[1])

    return x(x, x), build


@intrinsic
def quantised(tc: Any, x: Any, multiplier: Any, zero_point: Any) -> Any:
    """``clip(round(multiplier * x) + zero_point, 0, 255)`` of a vector of floats, as bytes."""

    def build(ctx: Any, b: ir.IRBuilder, sig: Any, v: Any) -> Any:
        factor = splat_scalar(b, b.fpext(v[1], F64), x.lanes)
        return round_to_bytes(b, _doubles(b, v[0]), factor, (I64(0), I64(255), v[2]))

    return ByteVecType(x.lanes)(x, types.float32, types.int64), build


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
        return b.or_(v[0], b.shl(b.zext(v[1], _ints(x.lanes)), by))

    return words(words, x, types.int64), build


@intrinsic
def zero_words(tc: Any, like: Any) -> Any:
    """``lanes`` words of zeros."""
    kind = IntVecType(like.lanes)
    return kind(like), lambda ctx, b, sig, v: ir.Constant(_ints(kind.lanes), None)


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


@intrinsic
def whole(tc: Any, x: Any, most: Any) -> Any:
    """The whole number nearest to the float x between -most and most, halves rounded to even."""

    def build(ctx: Any, b: ir.IRBuilder, sig: Any, v: Any) -> Any:
        limit = b.sitofp(v[1], F64)
        clipped = _clip(b, b.fpext(v[0], F64), b.fneg(limit), limit)
        return b.sext(b.trunc(b.bitcast(b.fadd(clipped, F64(HALF_WAY)), I64), I32), I64)

    return types.int64(types.float32, types.int64), build


@intrinsic
def fixed_bits(tc: Any, x: Any) -> Any:
    """The float x with its first 21 bits alone: a fixed-point number."""

    def build(ctx: Any, b: ir.IRBuilder, sig: Any, v: Any) -> Any:
        return b.bitcast(b.and_(b.bitcast(v[0], I32), I32(0xFFFFFFF8)), v[0].type)

    return types.float32(types.float32), build
