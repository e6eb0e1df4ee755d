"""Scalars behind pointers: reading and writing them, moving a pointer on, halves of a table's entry."""

from __future__ import annotations

import operator
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic, overload

from striate.kernels.vector.build import address
from striate.kernels.vector.types import I32, I64, BytesType, FloatsType, IntsType


def _scalar_of(pointer: Any) -> Any:
    kinds = {FloatsType: types.float32, IntsType: types.int64, BytesType: types.uint8}
    return kinds.get(type(pointer))


@intrinsic
def _read(tc: Any, pointer: Any, index: Any) -> Any:
    return _scalar_of(pointer)(pointer, index), lambda ctx, b, sig, v: b.load(address(b, v[0], v[1]))


@intrinsic
def _write(tc: Any, pointer: Any, index: Any, value: Any) -> Any:
    def build(ctx: Any, b: ir.IRBuilder, sig: Any, v: Any) -> Any:
        b.store(v[2], address(b, v[0], v[1]))
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
    return pointer(pointer, offset), lambda ctx, b, sig, v: address(b, v[0], v[1])


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
