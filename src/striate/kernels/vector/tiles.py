"""Register tiles: K x X vectors that stay in registers through a loop of products."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from striate.kernels.vector.build import (
    address,
    before_what_follows,
    fused_multiply_add,
    load_vector,
    splat_scalar,
    store_vector,
    sum_lanes,
)
from striate.kernels.vector.types import I64, OffsetsType, TileType, VecType


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


def tile_map(function: Callable[[Any, Any, Any], Any]) -> Any:
    """Return an operation that applies a function of a vector and two numbers to every vector of a tile."""

    @intrinsic
    def operation(tc: Any, tile: Any, a: Any, b: Any) -> Any:
        vector = VecType(tile.lanes)
        signature = vector(vector, types.float32, types.float32)

        def call(x: Any, a: Any, b: Any) -> Any:  # Numba compiles no functions here that it has compiled already
            return function(x, a, b)

        def build(ctx: Any, b: ir.IRBuilder, sig: Any, v: Any) -> Any:
            def value(i: int, j: int) -> Any:
                return ctx.compile_internal(b, call, signature, [_part(b, v[0], i * tile.x + j), *v[1:]])

            return _tile(tile, value, ir.Constant(ctx.get_value_type(tile), ir.Undefined), b)

        return tile(tile, types.float32, types.float32), build

    return operation


def _products(load_row: Callable[..., Any]) -> Any:
    @intrinsic
    def operation(tc: Any, tile: Any, w: Any, rows: Any, w_at: Any, x: Any, columns: Any, x_at: Any) -> Any:
        def build(ctx: Any, b: ir.IRBuilder, sig: Any, v: Any) -> Any:
            out, w, rows, w_at, x, columns, x_at = v
            ws = [address(b, w, _part(b, rows, i), w_at) for i in range(tile.k)]
            xs = [address(b, x, _part(b, columns, j), x_at) for j in range(tile.x)]
            return _add_products(b, tile, out, ws, xs, load_row)

        return tile(tile, w, rows, types.int64, x, columns, types.int64), build

    return operation


def _products_in_runs(load_row: Callable[..., Any]) -> Any:
    @intrinsic(prefer_literal=True)
    def operation(
        tc: Any,
        tile: Any,
        w: Any,
        rows: Any,
        w_at: Any,
        w_step: Any,
        x: Any,
        columns: Any,
        x_at: Any,
        x_step: Any,
        length: Any,
    ) -> Any:
        def build(ctx: Any, b: ir.IRBuilder, sig: Any, v: Any) -> Any:
            out, w, rows, w_at, _, x, columns, x_at, _, _ = v
            ws = [_Run(b, address(b, w, _part(b, rows, i), w_at), w_step, length) for i in range(tile.k)]
            xs = [_Run(b, address(b, x, _part(b, columns, j), x_at), x_step, length) for j in range(tile.x)]
            for r in range(length.literal_value):
                places = [run.at(r) for run in ws], [run.at(r) for run in xs]
                out = _add_products(b, tile, out, *places, load_row, in_order=True)
            return out

        return tile(tile, w, rows, types.int64, w_step, x, columns, types.int64, x_step, length), build

    return operation


class _Run:
    """Equally distant places. Their distances from the lowest are constants, which a load holds by itself."""

    def __init__(self, b: ir.IRBuilder, first: Any, step: Any, length: Any) -> None:
        self.b, self.step = b, step.literal_value
        self.before = max(0, -self.step) * (length.literal_value - 1)
        self.lowest = address(b, first, I64(-self.before)) if self.before else first

    def at(self, number: int) -> Any:
        """Return the address of one."""
        return self.b.gep(self.lowest, [I64(self.before + number * self.step)], inbounds=True)


def _spread(b: ir.IRBuilder, pointer: Any, lanes: int) -> Any:
    return splat_scalar(b, b.load(pointer), lanes)


def _add_products(
    b: ir.IRBuilder,
    tile: TileType,
    out: Any,
    rows: list[Any],
    columns: list[Any],
    load_row: Callable[..., Any],
    in_order: bool = False,
) -> Any:
    """Add to each sum of a tile the product of its row's vector and its column's."""
    xs = [load_vector(b, pointer, tile.lanes) for pointer in columns]
    for i, pointer in enumerate(rows):
        row = load_row(b, pointer, tile.lanes)
        for j, x in enumerate(xs):
            at = i * tile.x + j
            value = fused_multiply_add(b, row, x, _part(b, out, at))
            out = b.insert_value(out, before_what_follows(b, value) if in_order else value, at)
    return out


# tile[i, j] += w[rows[i] + w_at] * x[columns[j] + x_at : + lanes]; in ``tile_dot`` w is a vector too. A run is
# ``length`` products, each ``w_step`` and ``x_step`` further than the one before it.
tile_outer, tile_outer_run = _products(_spread), _products_in_runs(_spread)
tile_dot, tile_dot_run = _products(load_vector), _products_in_runs(load_vector)


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
