"""SIMD vectors and register tiles for Numba; the only file that speaks LLVM.

A ``Vec`` is ``lanes`` float32 values in machine registers. A ``Tile(K, X)`` is K*X of them, kept in
registers through a loop. The number of lanes is part of the type of the arrays (``Floats``), so the same
kernel source compiles for 4, 8 or 16 lanes. LLVM keeps both out of memory, so a kernel is written in
plain Python loops and still runs near the peak of the machine.

Floating-point contraction (a*b + c in one rounding) is the only freedom given to the compiler: sums keep
their order, and NaN stays NaN.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, models, overload, register_model

F32, I8, I32, I64 = ir.FloatType(), ir.IntType(8), ir.IntType(32), ir.IntType(64)
CONTRACT = ("contract",)


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


def _vector(lanes: int) -> ir.Type:
    return ir.VectorType(F32, lanes)


def _model(kind: type, llvm_type: Callable[[Any], ir.Type]) -> None:
    class Model(models.PrimitiveModel):
        def __init__(self, manager: Any, front_type: Any) -> None:
            super().__init__(manager, front_type, llvm_type(front_type))

    register_model(kind)(Model)


_model(FloatsType, lambda t: F32.as_pointer())
_model(IntsType, lambda t: I64.as_pointer())
_model(BytesType, lambda t: I8.as_pointer())
_model(VecType, lambda t: _vector(t.lanes))
_model(MaskType, lambda t: ir.VectorType(ir.IntType(1), t.lanes))
_model(TileType, lambda t: ir.ArrayType(_vector(t.lanes), t.k * t.x))
_model(OffsetsType, lambda t: ir.ArrayType(I64, t.count))


# ---- LLVM building blocks ---------------------------------------------------------------------------


def _load_vector(b: ir.IRBuilder, pointer: Any, lanes: int) -> Any:
    value = b.load(b.bitcast(pointer, _vector(lanes).as_pointer()))
    value.align = 4
    return value


def _store_vector(b: ir.IRBuilder, value: Any, pointer: Any) -> None:
    b.store(value, b.bitcast(pointer, value.type.as_pointer())).align = 4


def _splat(b: ir.IRBuilder, scalar: Any, lanes: int) -> Any:
    kind = ir.VectorType(scalar.type, lanes)
    one = b.insert_element(ir.Constant(kind, ir.Undefined), scalar, I32(0))
    return b.shuffle_vector(
        one, ir.Constant(kind, ir.Undefined), ir.Constant(ir.VectorType(I32, lanes), [0] * lanes)
    )


def _constant(value: float, lanes: int) -> Any:
    return ir.Constant(_vector(lanes), [float(value)] * lanes)


def _call(b: ir.IRBuilder, name: str, result: Any, arguments: list[Any], **kwargs: Any) -> Any:
    kind = ir.FunctionType(result, [a.type for a in arguments])
    return b.call(cgutils.get_or_insert_function(b.module, kind, name), arguments, **kwargs)


def _fma(b: ir.IRBuilder, x: Any, y: Any, z: Any) -> Any:
    return _call(b, f"llvm.fma.v{x.type.count}f32", x.type, [x, y, z])


def _sum(b: ir.IRBuilder, v: Any) -> Any:
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


def _at(b: ir.IRBuilder, pointer: Any, *offsets: Any) -> Any:
    for offset in offsets:
        pointer = b.gep(pointer, [offset])
    return pointer


# ---- scalars through pointers -----------------------------------------------------------------------


def _scalar_of(pointer: Any) -> Any:
    kinds = {FloatsType: types.float32, IntsType: types.int64, BytesType: types.uint8}
    return kinds.get(type(pointer))


@intrinsic
def _read(tc: Any, pointer: Any, index: Any) -> Any:
    return _scalar_of(pointer)(pointer, index), lambda ctx, b, sig, v: b.load(_at(b, v[0], v[1]))


@intrinsic
def _write(tc: Any, pointer: Any, index: Any, value: Any) -> Any:
    def build(ctx: Any, b: ir.IRBuilder, sig: Any, v: Any) -> Any:
        b.store(v[2], _at(b, v[0], v[1]))
        return ctx.get_dummy_value()

    return types.void(pointer, index, _scalar_of(pointer)), build


@overload(operator.getitem)
def _getitem(pointer, index):
    if _scalar_of(pointer) is not None:
        return lambda pointer, index: _read(pointer, index)
    return None


@overload(operator.setitem)
def _setitem(pointer, index, value):
    if _scalar_of(pointer) is not None:
        return lambda pointer, index, value: _write(pointer, index, value)
    return None


@intrinsic
def shift(tc: Any, pointer: Any, offset: Any) -> Any:
    """The pointer ``offset`` elements further on."""
    return pointer(pointer, offset), lambda ctx, b, sig, v: _at(b, v[0], v[1])


@intrinsic
def low_half(tc: Any, pair: Any) -> Any:
    """The signed lower 32 bits: two small numbers of a table in one load."""
    return types.int64(types.int64), lambda ctx, b, sig, v: b.sext(b.trunc(v[0], I32), I64)


@intrinsic
def high_half(tc: Any, pair: Any) -> Any:
    """The signed upper 32 bits."""
    return types.int64(types.int64), lambda ctx, b, sig, v: b.ashr(v[0], I64(32))


@intrinsic
def lanes_of(tc: Any, pointer: Any) -> Any:
    """The number of lanes, a constant of the compiled kernel."""
    return types.int64(pointer), lambda ctx, b, sig, v: I64(sig.args[0].lanes)


# ---- one vector -------------------------------------------------------------------------------------


@intrinsic
def vload(tc: Any, pointer: Any, offset: Any) -> Any:
    """The vector at ``pointer[offset : offset + lanes]``."""
    vec = VecType(pointer.lanes)
    return vec(pointer, offset), lambda ctx, b, sig, v: _load_vector(b, _at(b, v[0], v[1]), vec.lanes)


@intrinsic
def vstore(tc: Any, pointer: Any, offset: Any, value: Any) -> Any:
    """Store a vector at ``pointer[offset : offset + lanes]``."""

    def build(ctx: Any, b: ir.IRBuilder, sig: Any, v: Any) -> Any:
        _store_vector(b, v[2], _at(b, v[0], v[1]))
        return ctx.get_dummy_value()

    return types.void(pointer, offset, value), build


@intrinsic
def splat(tc: Any, pointer: Any, value: Any) -> Any:
    """``value`` in every lane of a vector like those of ``pointer`` (a Floats or a Vec)."""
    lanes = pointer.lanes
    return VecType(lanes)(pointer, types.float32), lambda ctx, b, sig, v: _splat(b, v[1], lanes)


@intrinsic
def vsum(tc: Any, x: Any) -> Any:
    """The sum of the lanes."""
    return types.float32(x), lambda ctx, b, sig, v: _sum(b, v[0])


@intrinsic
def fma(tc: Any, x: Any, y: Any, z: Any) -> Any:
    """``x * y + z`` with one rounding."""
    return x(x, x, x), lambda ctx, b, sig, v: _fma(b, *v)


@intrinsic
def select(tc: Any, mask: Any, yes: Any, no: Any) -> Any:
    """``yes`` where the mask is true, else ``no``, lane by lane."""
    return yes(mask, yes, yes), lambda ctx, b, sig, v: b.select(*v)


def _unary(name: str) -> Any:
    @intrinsic
    def operation(tc: Any, x: Any) -> Any:
        def build(ctx: Any, b: ir.IRBuilder, sig: Any, v: Any) -> Any:
            return _call(b, f"llvm.{name}.v{x.lanes}f32", v[0].type, [v[0]])

        return x(x), build

    return operation


vsqrt, vround, vabs = _unary("sqrt"), _unary("rint"), _unary("fabs")


@intrinsic
def power_of_two(tc: Any, x: Any) -> Any:
    """``2**x`` for whole numbers x from -126 to 127 held as floats."""

    def build(ctx: Any, b: ir.IRBuilder, sig: Any, v: Any) -> Any:
        ints = ir.VectorType(I32, x.lanes)
        whole = b.fptosi(v[0], ints)
        bits = b.shl(b.add(whole, _splat(b, I32(127), x.lanes)), _splat(b, I32(23), x.lanes))
        return b.bitcast(bits, v[0].type)

    return x(x), build


@intrinsic
def exponent(tc: Any, x: Any) -> Any:
    """The binary exponent e of a normal positive x = m * 2**e with 1 <= m < 2, as a float."""

    def build(ctx: Any, b: ir.IRBuilder, sig: Any, v: Any) -> Any:
        bits = b.bitcast(v[0], ir.VectorType(I32, x.lanes))
        power = b.sub(b.lshr(bits, _splat(b, I32(23), x.lanes)), _splat(b, I32(127), x.lanes))
        return b.sitofp(power, v[0].type)

    return x(x), build


@intrinsic
def mask_and(tc: Any, x: Any, y: Any) -> Any:
    """Both masks."""
    return x(x, y), lambda ctx, b, sig, v: b.and_(v[0], v[1])


@intrinsic
def mask_not(tc: Any, x: Any) -> Any:
    """The opposite mask."""
    return x(x), lambda ctx, b, sig, v: b.not_(v[0])


def _operator(symbol: Callable, build: Callable, result: type = VecType) -> None:
    """Let ``symbol`` work on two vectors, or on a vector and a number."""

    @intrinsic
    def operation(tc: Any, x: Any, y: Any) -> Any:
        vec = x if isinstance(x, VecType) else y
        return result(vec.lanes)(vec, vec), lambda ctx, b, sig, v: build(b, v[0], v[1])

    @overload(symbol)
    def front(x, y):
        left, right = isinstance(x, VecType), isinstance(y, VecType)
        if left and right:
            return lambda x, y: operation(x, y)
        if left and isinstance(y, types.Number):
            return lambda x, y: operation(x, splat(x, y))
        if right and isinstance(x, types.Number):
            return lambda x, y: operation(splat(y, x), y)
        return None


_operator(operator.add, lambda b, x, y: b.fadd(x, y, flags=CONTRACT))
_operator(operator.sub, lambda b, x, y: b.fsub(x, y, flags=CONTRACT))
_operator(operator.mul, lambda b, x, y: b.fmul(x, y, flags=CONTRACT))
_operator(operator.truediv, lambda b, x, y: b.fdiv(x, y))
_operator(operator.gt, lambda b, x, y: b.fcmp_ordered(">", x, y), MaskType)
_operator(operator.lt, lambda b, x, y: b.fcmp_ordered("<", x, y), MaskType)
_operator(operator.ge, lambda b, x, y: b.fcmp_ordered(">=", x, y), MaskType)
_operator(operator.eq, lambda b, x, y: b.fcmp_ordered("==", x, y), MaskType)


# ---- offsets and tiles ------------------------------------------------------------------------------


@intrinsic(prefer_literal=True)
def offsets(tc: Any, table: Any, first: Any, step: Any, count: Any) -> Any:
    """Read ``count`` offsets, ``table[first + i*step]``."""
    kind = OffsetsType(count.literal_value)

    def build(ctx: Any, b: ir.IRBuilder, sig: Any, v: Any) -> Any:
        table, first, step, _ = v
        out = ir.Constant(ctx.get_value_type(kind), ir.Undefined)
        for i in range(kind.count):
            out = b.insert_value(out, b.load(_at(b, table, b.add(first, b.mul(step, I64(i))))), i)
        return out

    return kind(table, types.int64, types.int64, count), build


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
        row = [_splat(b, b.load(_at(b, v[0], _part(b, v[1], i))), tile.lanes) for i in range(tile.k)]
        return _tile(tile, lambda i, j: row[i], ir.Constant(ctx.get_value_type(tile), ir.Undefined), b)

    return tile(values, rows, x), build


@intrinsic
def tile_load(tc: Any, values: Any, rows: Any, places: Any) -> Any:
    """tile[i, j] = values[rows[i] + places[j] : + lanes]."""
    tile = TileType(rows.count, places.count, values.lanes)

    def build(ctx: Any, b: ir.IRBuilder, sig: Any, v: Any) -> Any:
        def value(i: int, j: int) -> Any:
            return _load_vector(b, _at(b, v[0], _part(b, v[1], i), _part(b, v[2], j)), tile.lanes)

        return _tile(tile, value, ir.Constant(ctx.get_value_type(tile), ir.Undefined), b)

    return tile(values, rows, places), build


@intrinsic
def tile_outer(tc: Any, tile: Any, w: Any, rows: Any, w_offset: Any, x: Any, places: Any, x_offset: Any) -> Any:
    """tile[i, j] += w[rows[i] + w_offset] * x[places[j] + x_offset : + lanes]."""

    def build(ctx: Any, b: ir.IRBuilder, sig: Any, v: Any) -> Any:
        out, w, rows, wo, x, places, xo = v
        xs = [_load_vector(b, _at(b, x, _part(b, places, j), xo), tile.lanes) for j in range(tile.x)]
        for i in range(tile.k):
            weight = _splat(b, b.load(_at(b, w, _part(b, rows, i), wo)), tile.lanes)
            for j in range(tile.x):
                at = i * tile.x + j
                out = b.insert_value(out, _fma(b, weight, xs[j], _part(b, out, at)), at)
        return out

    return tile(tile, w, rows, types.int64, x, places, types.int64), build


@intrinsic
def tile_dot(tc: Any, tile: Any, a: Any, rows: Any, a_offset: Any, x: Any, taps: Any, x_offset: Any) -> Any:
    """tile[i, j] += a[rows[i] + a_offset : + lanes] * x[taps[j] + x_offset : + lanes]."""

    def build(ctx: Any, b: ir.IRBuilder, sig: Any, v: Any) -> Any:
        out, a, rows, ao, x, taps, xo = v
        xs = [_load_vector(b, _at(b, x, _part(b, taps, j), xo), tile.lanes) for j in range(tile.x)]
        for i in range(tile.k):
            row = _load_vector(b, _at(b, a, _part(b, rows, i), ao), tile.lanes)
            for j in range(tile.x):
                at = i * tile.x + j
                out = b.insert_value(out, _fma(b, row, xs[j], _part(b, out, at)), at)
        return out

    return tile(tile, a, rows, types.int64, x, taps, types.int64), build


@intrinsic
def tile_store(tc: Any, tile: Any, out: Any, rows: Any, places: Any, floor: Any) -> Any:
    """out[rows[i] + places[j] : + lanes] = max(tile[i, j], floor); NaN stays NaN."""

    def build(ctx: Any, b: ir.IRBuilder, sig: Any, v: Any) -> Any:
        values, out, rows, places, floor = v
        low = _splat(b, floor, tile.lanes)
        for i in range(tile.k):
            for j in range(tile.x):
                value = _part(b, values, i * tile.x + j)
                value = b.select(b.fcmp_ordered("<", value, low), low, value)
                _store_vector(b, value, _at(b, out, _part(b, rows, i), _part(b, places, j)))
        return ctx.get_dummy_value()

    return types.void(tile, out, rows, places, types.float32), build


@intrinsic
def tile_sum_add(tc: Any, tile: Any, out: Any, rows: Any, taps: Any, row_count: Any, tap_count: Any) -> Any:
    """out[rows[i] + taps[j]] += sum over the lanes of tile[i, j], for i < row_count and j < tap_count."""

    def build(ctx: Any, b: ir.IRBuilder, sig: Any, v: Any) -> Any:
        values, out, rows, taps, row_count, tap_count = v
        sums = [_sum(b, _part(b, values, at)) for at in range(tile.k * tile.x)]
        for i in range(tile.k):
            with b.if_then(b.icmp_signed("<", I64(i), row_count)):
                for j in range(tile.x):
                    with b.if_then(b.icmp_signed("<", I64(j), tap_count)):
                        at = _at(b, out, _part(b, rows, i), _part(b, taps, j))
                        b.store(b.fadd(b.load(at), sums[i * tile.x + j]), at)
        return ctx.get_dummy_value()

    return types.void(tile, out, rows, taps, types.int64, types.int64), build


# ---- the machine ------------------------------------------------------------------------------------


@intrinsic
def call_kernel(tc: Any, address: Any, arguments: Any) -> Any:
    """Call the compiled kernel at ``address`` with a table of arguments."""

    def build(ctx: Any, b: ir.IRBuilder, sig: Any, v: Any) -> Any:
        place = I8.as_pointer().as_pointer()
        kind = ir.FunctionType(I32, [place, place, I64.as_pointer()])
        unused = cgutils.alloca_once(b, I8.as_pointer())
        b.call(b.inttoptr(v[0], kind.as_pointer()), [unused, unused, v[1]])
        return ctx.get_dummy_value()

    return types.void(types.int64, arguments), build


@intrinsic
def atomic_add(tc: Any, table: Any, index: Any, value: Any) -> Any:
    """Add to ``table[index]`` and return what was there before, as one indivisible step."""

    def build(ctx: Any, b: ir.IRBuilder, sig: Any, v: Any) -> Any:
        return b.atomic_rmw("add", _at(b, v[0], v[1]), v[2], "seq_cst")

    return types.int64(table, types.int64, types.int64), build


@intrinsic
def compare_exchange(tc: Any, table: Any, index: Any, expected: Any, value: Any) -> Any:
    """Put ``value`` into ``table[index]`` if it holds ``expected``; return what was there; indivisible."""

    def build(ctx: Any, b: ir.IRBuilder, sig: Any, v: Any) -> Any:
        return b.extract_value(b.cmpxchg(_at(b, v[0], v[1]), v[2], v[3], "seq_cst"), 0)

    return types.int64(table, types.int64, types.int64, types.int64), build


@intrinsic
def unpack(tc: Any, arguments: Any, spec: Any) -> Any:
    """Turn a table of int64 into the tuple of pointers and numbers whose types ``spec`` holds."""
    kinds = spec.instance_type if hasattr(spec, "instance_type") else spec
    result = kinds

    def build(ctx: Any, b: ir.IRBuilder, sig: Any, v: Any) -> Any:
        out = cgutils.get_null_value(ctx.get_value_type(result))
        for i, kind in enumerate(result):
            raw = b.load(_at(b, v[0], I64(i)))
            out = b.insert_value(out, _from_int(ctx, b, raw, kind), i)
        return out

    return result(arguments, spec), build


def _from_int(ctx: Any, b: ir.IRBuilder, raw: Any, kind: Any) -> Any:
    if kind == types.int64:
        return raw
    if kind == types.float32:
        return b.bitcast(b.trunc(raw, I32), F32)
    return b.inttoptr(raw, ctx.get_value_type(kind))


@intrinsic
def relax(tc: Any) -> Any:
    """Tell the processor that this thread is waiting in a loop."""

    def build(ctx: Any, b: ir.IRBuilder, sig: Any, v: Any) -> Any:
        kind = ir.FunctionType(ir.VoidType(), [])
        code = "yield" if _is_arm(b) else "pause"
        b.asm(kind, code, "", [], True)
        return ctx.get_dummy_value()

    return types.void(), build


@intrinsic
def flush_to_zero(tc: Any) -> Any:
    """Make this thread treat denormal floats as zero; returns the previous mode for ``restore_mode``.

    Denormals cost a processor 5 to 10 times the time of other numbers and mean nothing in training.
    """

    def build(ctx: Any, b: ir.IRBuilder, sig: Any, v: Any) -> Any:
        if _is_arm(b):
            mode = b.asm(ir.FunctionType(I64, []), "mrs $0, fpcr", "=r", [], True)
            b.asm(ir.FunctionType(ir.VoidType(), [I64]), "msr fpcr, $0", "r", [b.or_(mode, I64(1 << 24))], True)
            return mode
        mode = _read_mxcsr(b)
        _write_mxcsr(b, b.or_(mode, I32(0x8040)))
        return b.zext(mode, I64)

    return types.int64(), build


@intrinsic
def restore_mode(tc: Any, mode: Any) -> Any:
    """Put back what ``flush_to_zero`` returned."""

    def build(ctx: Any, b: ir.IRBuilder, sig: Any, v: Any) -> Any:
        if _is_arm(b):
            b.asm(ir.FunctionType(ir.VoidType(), [I64]), "msr fpcr, $0", "r", [v[0]], True)
        else:
            _write_mxcsr(b, b.trunc(v[0], I32))
        return ctx.get_dummy_value()

    return types.void(types.int64), build


def _is_arm(b: ir.IRBuilder) -> bool:
    return any(name in b.module.triple for name in ("aarch64", "arm64"))


def _read_mxcsr(b: ir.IRBuilder) -> Any:
    cell = cgutils.alloca_once(b, I32)
    _call(b, "llvm.x86.sse.stmxcsr", ir.VoidType(), [b.bitcast(cell, I8.as_pointer())])
    return b.load(cell)


def _write_mxcsr(b: ir.IRBuilder, mode: Any) -> None:
    cell = cgutils.alloca_once(b, I32)
    b.store(mode, cell)
    _call(b, "llvm.x86.sse.ldmxcsr", ir.VoidType(), [b.bitcast(cell, I8.as_pointer())])


@intrinsic
def call_plain(tc: Any, address: Any) -> Any:
    """Call the C function without arguments at ``address``."""

    def build(ctx: Any, b: ir.IRBuilder, sig: Any, v: Any) -> Any:
        kind = ir.FunctionType(I32, [])
        b.call(b.inttoptr(v[0], kind.as_pointer()), [])
        return ctx.get_dummy_value()

    return types.void(types.int64), build


# ---- whole numbers in lanes: random bits ------------------------------------------------------------


class IntVecType(types.Type):
    """``lanes`` unsigned 32-bit numbers."""

    def __init__(self, lanes: int) -> None:
        self.lanes = lanes
        super().__init__(f"IntVec({lanes})")


_model(IntVecType, lambda t: ir.VectorType(I32, t.lanes))


def _finalise(b: ir.IRBuilder, h: Any) -> Any:
    """Return the finaliser of MurmurHash3, as ``striate.reference.random`` defines it."""
    lanes = h.type.count
    for shift_by, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        h = b.xor(h, b.lshr(h, _splat(b, I32(shift_by), lanes)))
        h = b.mul(h, _splat(b, I32(factor), lanes))
    return b.xor(h, b.lshr(h, _splat(b, I32(16), lanes)))


def _absorb(b: ir.IRBuilder, h: Any, word: Any) -> Any:
    return _finalise(b, b.xor(b.add(h, _splat(b, I32(0x9E3779B9), h.type.count)), word))


@intrinsic
def sample_keys(tc: Any, like: Any, key: Any, first: Any) -> Any:
    """The first key of the samples ``first``, ``first + 1``, ... in the lanes."""
    ints = IntVecType(like.lanes)

    def build(ctx: Any, b: ir.IRBuilder, sig: Any, v: Any) -> Any:
        steps = ir.Constant(ir.VectorType(I32, ints.lanes), list(range(ints.lanes)))
        numbers = b.add(_splat(b, b.trunc(v[2], I32), ints.lanes), steps)
        return _absorb(b, _splat(b, b.trunc(v[1], I32), ints.lanes), numbers)

    return ints(like, types.int64, types.int64), build


@intrinsic
def second_keys(tc: Any, first: Any) -> Any:
    """The second key of the samples whose first keys these are."""
    return first(first), lambda ctx, b, sig, v: _absorb(b, v[0], _splat(b, I32(0x5EED), first.lanes))


@intrinsic
def random_bits(tc: Any, first: Any, second: Any, element: Any) -> Any:
    """The random bits of an element of the samples with these keys."""

    def build(ctx: Any, b: ir.IRBuilder, sig: Any, v: Any) -> Any:
        counter = _splat(b, b.trunc(v[2], I32), first.lanes)
        return _finalise(b, b.xor(_finalise(b, b.xor(counter, v[0])), v[1]))

    return first(first, first, types.int64), build


@intrinsic
def at_least(tc: Any, bits: Any, threshold: Any) -> Any:
    """The mask of the unsigned numbers that are at least ``threshold``."""

    def build(ctx: Any, b: ir.IRBuilder, sig: Any, v: Any) -> Any:
        return b.icmp_unsigned(">=", v[0], _splat(b, b.trunc(v[1], I32), bits.lanes))

    return MaskType(bits.lanes)(bits, types.int64), build


@intrinsic
def upper_bits(tc: Any, bits: Any) -> Any:
    """The upper 24 bits as a float, 0 to 2^24 - 1."""

    def build(ctx: Any, b: ir.IRBuilder, sig: Any, v: Any) -> Any:
        return b.sitofp(b.lshr(v[0], _splat(b, I32(8), bits.lanes)), _vector(bits.lanes))

    return VecType(bits.lanes)(bits), build
