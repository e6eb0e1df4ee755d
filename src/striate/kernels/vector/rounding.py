"""The one rule by which sums become bytes: multiply by a fixed-point number, round to the nearest, halves to even.

The product of a sum and a fixed-point multiplier is exact in a float64, and adding 1.5 * 2**52 rounds it. Every
processor does the same, with a fused multiply-add or without.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from striate.kernels.vector.build import address, load_vector, splat_scalar
from striate.kernels.vector.integers import store_integers
from striate.kernels.vector.types import I8, I32, I64, ByteVecType

F64 = ir.DoubleType()
HALF_WAY = 1.5 * 2.0**52  # a float64 of this size has steps of 1, and its lowest bits are those of a whole number
FUSE = ("contract",)


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
                    store_integers(b, value_of(b, sums_here, factor, tuple(limits)), at)
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
def quantised(tc: Any, x: Any, multiplier: Any, zero_point: Any) -> Any:
    """``clip(round(multiplier * x) + zero_point, 0, 255)`` of a vector of floats, as bytes."""

    def build(ctx: Any, b: ir.IRBuilder, sig: Any, v: Any) -> Any:
        factor = splat_scalar(b, b.fpext(v[1], F64), x.lanes)
        return round_to_bytes(b, _doubles(b, v[0]), factor, (I64(0), I64(255), v[2]))

    return ByteVecType(x.lanes)(x, types.float32, types.int64), build


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
