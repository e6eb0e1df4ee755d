"""Random bits in the lanes, the same as ``striate.reference.random`` defines."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from striate.kernels.vector.build import splat_scalar
from striate.kernels.vector.types import I32, IntVecType, MaskType, VecType, vector_of


def _finalise(b: ir.IRBuilder, h: Any) -> Any:
    """Return the finaliser of MurmurHash3, as ``striate.reference.random`` defines it."""
    lanes = h.type.count
    for shift_by, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        h = b.xor(h, b.lshr(h, splat_scalar(b, I32(shift_by), lanes)))
        h = b.mul(h, splat_scalar(b, I32(factor), lanes))
    return b.xor(h, b.lshr(h, splat_scalar(b, I32(16), lanes)))


def _absorb(b: ir.IRBuilder, h: Any, word: Any) -> Any:
    return _finalise(b, b.xor(b.add(h, splat_scalar(b, I32(0x9E3779B9), h.type.count)), word))


@intrinsic
def sample_keys(tc: Any, like: Any, key: Any, first: Any) -> Any:
    """The first key of the samples ``first``, ``first + 1``, ... in the lanes."""
    ints = IntVecType(like.lanes)

    def build(ctx: Any, b: ir.IRBuilder, sig: Any, v: Any) -> Any:
        steps = ir.Constant(ir.VectorType(I32, ints.lanes), list(range(ints.lanes)))
        numbers = b.add(splat_scalar(b, b.trunc(v[2], I32), ints.lanes), steps)
        return _absorb(b, splat_scalar(b, b.trunc(v[1], I32), ints.lanes), numbers)

    return ints(like, types.int64, types.int64), build


@intrinsic
def second_keys(tc: Any, first: Any) -> Any:
    """The second key of the samples whose first keys these are."""
    return first(first), lambda ctx, b, sig, v: _absorb(b, v[0], splat_scalar(b, I32(0x5EED), first.lanes))


@intrinsic
def random_bits(tc: Any, first: Any, second: Any, element: Any) -> Any:
    """The random bits of an element of the samples with these keys."""

    def build(ctx: Any, b: ir.IRBuilder, sig: Any, v: Any) -> Any:
        counter = splat_scalar(b, b.trunc(v[2], I32), first.lanes)
        return _finalise(b, b.xor(_finalise(b, b.xor(counter, v[0])), v[1]))

    return first(first, first, types.int64), build


@intrinsic
def at_least(tc: Any, bits: Any, threshold: Any) -> Any:
    """The mask of the unsigned numbers that are at least ``threshold``."""

    def build(ctx: Any, b: ir.IRBuilder, sig: Any, v: Any) -> Any:
        return b.icmp_unsigned(">=", v[0], splat_scalar(b, b.trunc(v[1], I32), bits.lanes))

    return MaskType(bits.lanes)(bits, types.int64), build


@intrinsic
def upper_bits(tc: Any, bits: Any) -> Any:
    """The upper 24 bits as a float, 0 to 2^24 - 1."""

    def build(ctx: Any, b: ir.IRBuilder, sig: Any, v: Any) -> Any:
        return b.sitofp(b.lshr(v[0], splat_scalar(b, I32(8), bits.lanes)), vector_of(bits.lanes))

    return VecType(bits.lanes)(bits), build
