"""Squares: as many vectors as a vector has lanes, transposed between samples in rows and samples in lanes."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from striate.kernels.vector.build import address, load_vector, splat_scalar, store_vector
from striate.kernels.vector.types import F32, I8, I32, I64, BytesType, MaskType, TileType, vector_of


@intrinsic
def present(tc: Any, like: Any, index: Any, first: Any) -> Any:
    """Which of ``index[first : first + lanes]`` are not negative."""

    def build(ctx: Any, b: ir.IRBuilder, sig: Any, v: Any) -> Any:
        mask = ir.Constant(ir.VectorType(ir.IntType(1), like.lanes), ir.Undefined)
        for lane in range(like.lanes):
            place = b.load(address(b, v[1], v[2], I64(lane)))
            mask = b.insert_element(mask, b.icmp_signed(">=", place, I64(0)), I32(lane))
        return mask

    return MaskType(like.lanes)(like, index, types.int64), build


def _interleaved(b: ir.IRBuilder, x: Any, y: Any) -> list[Any]:
    """Return x[0], y[0], x[1], y[1], ... as two vectors."""
    n = x.type.count
    order = [at for i in range(n) for at in (i, n + i)]
    kind = ir.VectorType(I32, n)
    return [b.shuffle_vector(x, y, ir.Constant(kind, half)) for half in (order[:n], order[n:])]


def _transposed(b: ir.IRBuilder, rows: list[Any]) -> list[Any]:
    """Transpose a square of a power of two rows: each round interleaves its two halves."""
    n = len(rows)
    for _ in range(n.bit_length() - 1):
        rows = [v for i in range(n // 2) for v in _interleaved(b, rows[i], rows[i + n // 2])]
    return rows


@intrinsic
def square_load(tc: Any, like: Any, x: Any, index: Any, first: Any, size: Any, at: Any) -> Any:
    """square[i][lane] = x[max(index[first + lane], 0) * size + at + i]; bytes become floats."""
    lanes = like.lanes
    square = TileType(lanes, 1, lanes)
    element = I8 if isinstance(x, BytesType) else F32

    def build(ctx: Any, b: ir.IRBuilder, sig: Any, v: Any) -> Any:
        _, x, index, first, size, at = v
        rows = []
        for lane in range(lanes):
            place = b.load(address(b, index, first, I64(lane)))
            place = b.select(b.icmp_signed(">", place, I64(0)), place, I64(0))
            row = address(b, x, b.mul(place, size), at)
            rows.append(b.load(b.bitcast(row, ir.VectorType(element, lanes).as_pointer())))
            rows[-1].align = 1 if element is I8 else 4
        columns = _transposed(b, rows)
        if element is I8:
            columns = [b.uitofp(column, vector_of(lanes)) for column in columns]
        return _square(b, ctx.get_value_type(square), columns)

    return square(like, x, index, types.int64, types.int64, types.int64), build


def _square(b: ir.IRBuilder, kind: Any, columns: list[Any]) -> Any:
    out = ir.Constant(kind, ir.Undefined)
    for i, column in enumerate(columns):
        out = b.insert_value(out, column, i)
    return out


@intrinsic
def square_store(tc: Any, square: Any, mask: Any, mean: Any, scale: Any, out: Any, at: Any) -> Any:
    """out[at + i * lanes + lane] = (square[i][lane] - mean) * scale, or 0 where the mask is false."""
    lanes = square.lanes

    def build(ctx: Any, b: ir.IRBuilder, sig: Any, v: Any) -> Any:
        square, mask, mean, scale, out, at = v
        m, s = splat_scalar(b, mean, lanes), splat_scalar(b, scale, lanes)
        zero = ir.Constant(vector_of(lanes), None)
        for i in range(lanes):
            value = b.fmul(b.fsub(b.extract_value(square, i), m), s)
            store_vector(b, b.select(mask, value, zero), address(b, out, at, I64(i * lanes)))
        return ctx.get_dummy_value()

    return types.void(square, mask, types.float32, types.float32, out, types.int64), build


@intrinsic
def square_turn(tc: Any, x: Any, table: Any, first: Any) -> Any:
    """square[lane][i] = x[table[first + i] + lane]."""
    lanes = x.lanes
    square = TileType(lanes, 1, lanes)

    def build(ctx: Any, b: ir.IRBuilder, sig: Any, v: Any) -> Any:
        x, table, first = v
        places = [b.load(address(b, table, first, I64(i))) for i in range(lanes)]
        rows = [load_vector(b, address(b, x, place), lanes) for place in places]
        return _square(b, ctx.get_value_type(square), _transposed(b, rows))

    return square(x, table, types.int64), build


@intrinsic
def square_spread(tc: Any, square: Any, out: Any, at: Any, step: Any) -> Any:
    """out[at + lane * step + i] = square[lane][i]."""

    def build(ctx: Any, b: ir.IRBuilder, sig: Any, v: Any) -> Any:
        square, out, at, step = v
        for lane in range(sig.args[0].lanes):
            store_vector(b, b.extract_value(square, lane), address(b, out, at, b.mul(step, I64(lane))))
        return ctx.get_dummy_value()

    return types.void(square, out, types.int64, types.int64), build
