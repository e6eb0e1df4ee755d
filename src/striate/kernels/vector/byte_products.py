"""Tiles of 32-bit sums of byte products, in three ways.

All give the same sums; ``striate.machine.byte_products`` says which of them the processor is fastest at.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from striate.kernels.vector.build import address, call_intrinsic, splat_scalar
from striate.kernels.vector.integers import int_vector, load_integers
from striate.kernels.vector.types import I32, IntTileType

I16 = ir.IntType(16)


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
            weights = [load_integers(b, pointer, int_vector(tile.lanes)) for pointer in at]
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
            out = b.insert_value(out, load_integers(b, at, int_vector(tile.lanes)), n)
        return out

    return tile(values, rows, places), build
