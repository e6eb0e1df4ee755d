"""Register tiles: K x X vectors that stay in registers through a loop of products."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from striate.kernels.vector.build import (
    address,
    fused_multiply_add,
    load_vector,
    splat_scalar,
    store_vector,
    sum_lanes,
)
from striate.kernels.vector.types import I64, OffsetsType, TileType


@intrinsic(prefer_literal=True)
def offsets(tc: Any, table: Any, first: Any, step: Any, count: Any) -> Any:
    """Read ``count`` offsets, ``table[first + i*step]``."""
    kind = OffsetsType(count.literal_value)

    def build(ctx: Any, b: ir.IRBuilder, sig: Any, v: Any) -> Any:
        table, first, step, _ = v
        out = ir.Constant(ctx.get_value_type(kind), ir.Undefined)
        for i in range(kind.count):
            out = b.insert_value(out, b.load(address(b, table, b.add(first, b.mul(step, I64(i))))), i)
        return out

    return kind(table, types.int64, types.int64, count), build


@intrinsic(prefer_literal=True)
def neighbours(tc: Any, table: Any, first: Any, step: Any, count: Any) -> Any:
    """Read one offset and return ``count`` of them, ``table[first] + i*step``, which take a single register."""
    kind = OffsetsType(count.literal_value)

    def build(ctx: Any, b: ir.IRBuilder, sig: Any, v: Any) -> Any:
        table, first, _, _ = v
        begin = b.load(address(b, table, first))
        out = ir.Constant(ctx.get_value_type(kind), ir.Undefined)
        for i in range(kind.count):
            out = b.insert_value(out, b.add(begin, I64(i * step.literal_value)), i)
        return out

    return kind(table, types.int64, step, count), build


def _tile(tile: TileType, values: Callable[[int, int], Any], out: Any, b: ir.IRBuilder) -> Any:
    for i in range(tile.k):
        for j in range(tile.x):
            out = b.insert_value(out, values(i, j), i * tile.x + j)
    return out


def _part(b: ir.IRBuilder, values: Any, i: int) -> Any:
    return b.extract_value(values, i)


@intrinsic(prefer_literal=True)
def tile_zero(tc: Any, like: Any, k: Any, x: Any) -> Any:
    """A tile of zeros."""
    tile = TileType(k.literal_value, x.literal_value, like.lanes)
    return tile(like, k, x), lambda ctx, b, sig, v: ir.Constant(ctx.get_value_type(tile), None)


@intrinsic(prefer_literal=True)
def tile_rows(tc: Any, values: Any, rows: Any, x: Any) -> Any:
    """tile[i, j] = values[rows[i]] in every lane: a bias for every row."""
    tile = TileType(rows.count, x.literal_value, values.lanes)

    def build(ctx: Any, b: ir.IRBuilder, sig: Any, v: Any) -> Any:
        row = [splat_scalar(b, b.load(address(b, v[0], _part(b, v[1], i))), tile.lanes) for i in range(tile.k)]
        return _tile(tile, lambda i, j: row[i], ir.Constant(ctx.get_value_type(tile), ir.Undefined), b)

    return tile(values, rows, x), build


@intrinsic(prefer_literal=True)
def tile_columns(tc: Any, values: Any, places: Any, k: Any) -> Any:
    """tile[i, j] = values[places[j] : + lanes]: a vector of biases for every column."""
    tile = TileType(k.literal_value, places.count, values.lanes)

    def build(ctx: Any, b: ir.IRBuilder, sig: Any, v: Any) -> Any:
        column = [load_vector(b, address(b, v[0], _part(b, v[1], j)), tile.lanes) for j in range(tile.x)]
        return _tile(tile, lambda i, j: column[j], ir.Constant(ctx.get_value_type(tile), ir.Undefined), b)

    return tile(values, places, k), build


@intrinsic
def tile_load(tc: Any, values: Any, rows: Any, places: Any) -> Any:
    """tile[i, j] = values[rows[i] + places[j] : + lanes]."""
    tile = TileType(rows.count, places.count, values.lanes)

    def build(ctx: Any, b: ir.IRBuilder, sig: Any, v: Any) -> Any:
        def value(i: int, j: int) -> Any:
            return load_vector(b, address(b, v[0], _part(b, v[1], i), _part(b, v[2], j)), tile.lanes)

        return _tile(tile, value, ir.Constant(ctx.get_value_type(tile), ir.Undefined), b)

    return tile(values, rows, places), build


@intrinsic
def tile_add(tc: Any, x: Any, y: Any) -> Any:
    """The sums of two tiles of the same form."""

    def build(ctx: Any, b: ir.IRBuilder, sig: Any, v: Any) -> Any:
        def value(i: int, j: int) -> Any:
            return b.fadd(_part(b, v[0], i * x.x + j), _part(b, v[1], i * x.x + j))

        return _tile(x, value, ir.Constant(ctx.get_value_type(x), ir.Undefined), b)

    return x(x, x), build


@intrinsic
def tile_outer(tc: Any, tile: Any, w: Any, rows: Any, w_offset: Any, x: Any, places: Any, x_offset: Any) -> Any:
    """tile[i, j] += w[rows[i] + w_offset] * x[places[j] + x_offset : + lanes]."""

    def build(ctx: Any, b: ir.IRBuilder, sig: Any, v: Any) -> Any:
        out, w, rows, wo, x, places, xo = v
        xs = [load_vector(b, address(b, x, _part(b, places, j), xo), tile.lanes) for j in range(tile.x)]
        for i in range(tile.k):
            weight = splat_scalar(b, b.load(address(b, w, _part(b, rows, i), wo)), tile.lanes)
            for j in range(tile.x):
                at = i * tile.x + j
                out = b.insert_value(out, fused_multiply_add(b, weight, xs[j], _part(b, out, at)), at)
        return out

    return tile(tile, w, rows, types.int64, x, places, types.int64), build


@intrinsic
def tile_dot(tc: Any, tile: Any, a: Any, rows: Any, a_offset: Any, x: Any, taps: Any, x_offset: Any) -> Any:
    """tile[i, j] += a[rows[i] + a_offset : + lanes] * x[taps[j] + x_offset : + lanes]."""

    def build(ctx: Any, b: ir.IRBuilder, sig: Any, v: Any) -> Any:
        out, a, rows, ao, x, taps, xo = v
        xs = [load_vector(b, address(b, x, _part(b, taps, j), xo), tile.lanes) for j in range(tile.x)]
        for i in range(tile.k):
            row = load_vector(b, address(b, a, _part(b, rows, i), ao), tile.lanes)
            for j in range(tile.x):
                at = i * tile.x + j
                out = b.insert_value(out, fused_multiply_add(b, row, xs[j], _part(b, out, at)), at)
        return out

    return tile(tile, a, rows, types.int64, x, taps, types.int64), build


@intrinsic
def tile_store(tc: Any, tile: Any, out: Any, rows: Any, places: Any, floor: Any) -> Any:
    """out[rows[i] + places[j] : + lanes] = max(tile[i, j], floor); NaN stays NaN."""

    def build(ctx: Any, b: ir.IRBuilder, sig: Any, v: Any) -> Any:
        values, out, rows, places, floor = v
        low = splat_scalar(b, floor, tile.lanes)
        for i in range(tile.k):
            for j in range(tile.x):
                value = _part(b, values, i * tile.x + j)
                value = b.select(b.fcmp_ordered("<", value, low), low, value)
                store_vector(b, value, address(b, out, _part(b, rows, i), _part(b, places, j)))
        return ctx.get_dummy_value()

    return types.void(tile, out, rows, places, types.float32), build


@intrinsic
def tile_sum_add(tc: Any, tile: Any, out: Any, rows: Any, taps: Any, row_count: Any, tap_count: Any) -> Any:
    """out[rows[i] + taps[j]] += sum over the lanes of tile[i, j], for i < row_count and j < tap_count."""

    def build(ctx: Any, b: ir.IRBuilder, sig: Any, v: Any) -> Any:
        values, out, rows, taps, row_count, tap_count = v
        sums = [sum_lanes(b, _part(b, values, at)) for at in range(tile.k * tile.x)]
        for i in range(tile.k):
            with b.if_then(b.icmp_signed("<", I64(i), row_count)):
                for j in range(tile.x):
                    with b.if_then(b.icmp_signed("<", I64(j), tap_count)):
                        at = address(b, out, _part(b, rows, i), _part(b, taps, j))
                        b.store(b.fadd(b.load(at), sums[i * tile.x + j]), at)
        return ctx.get_dummy_value()

    return types.void(tile, out, rows, taps, types.int64, types.int64), build
