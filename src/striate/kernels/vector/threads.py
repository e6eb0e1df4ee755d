"""What the runner needs of the machine: calls through addresses, atomic steps, waiting, denormals."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from striate.kernels.vector.build import address, call_intrinsic
from striate.kernels.vector.types import F32, I8, I32, I64


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
        return b.atomic_rmw("add", address(b, v[0], v[1]), v[2], "seq_cst")

    return types.int64(table, types.int64, types.int64), build


@intrinsic
def compare_exchange(tc: Any, table: Any, index: Any, expected: Any, value: Any) -> Any:
    """Put ``value`` into ``table[index]`` if it holds ``expected``; return what was there; indivisible."""

    def build(ctx: Any, b: ir.IRBuilder, sig: Any, v: Any) -> Any:
        return b.extract_value(b.cmpxchg(address(b, v[0], v[1]), v[2], v[3], "seq_cst"), 0)

    return types.int64(table, types.int64, types.int64, types.int64), build


@intrinsic
def unpack(tc: Any, arguments: Any, spec: Any) -> Any:
    """Turn a table of int64 into the tuple of pointers and numbers whose types ``spec`` holds."""
    kinds = spec.instance_type if hasattr(spec, "instance_type") else spec
    result = kinds

    def build(ctx: Any, b: ir.IRBuilder, sig: Any, v: Any) -> Any:
        out = cgutils.get_null_value(ctx.get_value_type(result))
        for i, kind in enumerate(result):
            raw = b.load(address(b, v[0], I64(i)))
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
    call_intrinsic(b, "llvm.x86.sse.stmxcsr", ir.VoidType(), [b.bitcast(cell, I8.as_pointer())])
    return b.load(cell)


def _write_mxcsr(b: ir.IRBuilder, mode: Any) -> None:
    cell = cgutils.alloca_once(b, I32)
    b.store(mode, cell)
    call_intrinsic(b, "llvm.x86.sse.ldmxcsr", ir.VoidType(), [b.bitcast(cell, I8.as_pointer())])


@intrinsic
def call_system(tc: Any, address: Any, first: Any, second: Any, third: Any) -> Any:
    """Call the C function at ``address`` with whole numbers; one that takes fewer does not see the others."""

    def build(ctx: Any, b: ir.IRBuilder, sig: Any, v: Any) -> Any:
        kind = ir.FunctionType(I32, [I64] * 3)
        b.call(b.inttoptr(v[0], kind.as_pointer()), list(v[1:]))
        return ctx.get_dummy_value()

    return types.void(*[types.int64] * 4), build
