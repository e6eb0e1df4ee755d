"""One vector: loading and storing, arithmetic, comparisons, and the bits of its exponents."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic, overload

from striate.kernels.vector.build import (
    address,
    call_intrinsic,
    fused_multiply_add,
    load_vector,
    splat_scalar,
    store_vector,
    sum_lanes,
)
from striate.kernels.vector.types import I32, MaskType, VecType

CONTRACT = ("contract",)


@intrinsic
def vload(tc: Any, pointer: Any, offset: Any) -> Any:
    """The vector at ``pointer[offset : offset + lanes]``."""
    vec = VecType(pointer.lanes)
    return vec(pointer, offset), lambda ctx, b, sig, v: load_vector(b, address(b, v[0], v[1]), vec.lanes)


@intrinsic
def vstore(tc: Any, pointer: Any, offset: Any, value: Any) -> Any:
    """Store a vector at ``pointer[offset : offset + lanes]``."""

    def build(ctx: Any, b: ir.IRBuilder, sig: Any, v: Any) -> Any:
        store_vector(b, v[2], address(b, v[0], v[1]))
        return ctx.get_dummy_value()

    return types.void(pointer, offset, value), build


@intrinsic
def splat(tc: Any, pointer: Any, value: Any) -> Any:
    """``value`` in every lane of a vector like those of ``pointer`` (a Floats or a Vec)."""
    lanes = pointer.lanes
    return VecType(lanes)(pointer, types.float32), lambda ctx, b, sig, v: splat_scalar(b, v[1], lanes)


@intrinsic
def vsum(tc: Any, x: Any) -> Any:
    """The sum of the lanes."""
    return types.float32(x), lambda ctx, b, sig, v: sum_lanes(b, v[0])


@intrinsic
def fma(tc: Any, x: Any, y: Any, z: Any) -> Any:
    """``x * y + z`` with one rounding."""
    return x(x, x, x), lambda ctx, b, sig, v: fused_multiply_add(b, *v)


@intrinsic
def select(tc: Any, mask: Any, yes: Any, no: Any) -> Any:
    """``yes`` where the mask is true, else ``no``, lane by lane."""
    return yes(mask, yes, yes), lambda ctx, b, sig, v: b.select(*v)


@intrinsic
def vmax(tc: Any, x: Any, y: Any) -> Any:
    """The larger of x and y, lane by lane; NaN where either is NaN."""

    def build(ctx: Any, b: ir.IRBuilder, sig: Any, v: Any) -> Any:
        larger = b.select(b.fcmp_ordered(">", v[0], v[1]), v[0], v[1])  # y where either is NaN
        return b.select(b.fcmp_unordered("uno", v[0], v[0]), v[0], larger)

    return x(x, x), build


def _unary(name: str) -> Any:
    @intrinsic
    def operation(tc: Any, x: Any) -> Any:
        def build(ctx: Any, b: ir.IRBuilder, sig: Any, v: Any) -> Any:
            return call_intrinsic(b, f"llvm.{name}.v{x.lanes}f32", v[0].type, [v[0]])

        return x(x), build

    return operation


vsqrt, vround, vabs = _unary("sqrt"), _unary("rint"), _unary("fabs")


@intrinsic
def power_of_two(tc: Any, x: Any) -> Any:
    """``2**x`` for whole numbers x from -126 to 127 held as floats."""

    def build(ctx: Any, b: ir.IRBuilder, sig: Any, v: Any) -> Any:
        ints = ir.VectorType(I32, x.lanes)
        whole = b.fptosi(v[0], ints)
        bits = b.shl(b.add(whole, splat_scalar(b, I32(127), x.lanes)), splat_scalar(b, I32(23), x.lanes))
        return b.bitcast(bits, v[0].type)

    return x(x), build


@intrinsic
def exponent(tc: Any, x: Any) -> Any:
    """The binary exponent e of a normal positive x = m * 2**e with 1 <= m < 2, as a float."""

    def build(ctx: Any, b: ir.IRBuilder, sig: Any, v: Any) -> Any:
        bits = b.bitcast(v[0], ir.VectorType(I32, x.lanes))
        power = b.sub(b.lshr(bits, splat_scalar(b, I32(23), x.lanes)), splat_scalar(b, I32(127), x.lanes))
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
