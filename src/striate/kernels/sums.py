"""Sums over runs of values, in blocks: their error hardly grows with their length.

A run is ``length`` neighbouring vectors. ``BLOCK`` of them are added with four sums at a time, which hide the
latency of an addition; the sums of the blocks are added with what each addition rounds away. A sum of n terms is
off by at most about ``BLOCK / 4 + 2`` units of the sum of its absolute terms, where one sum after the other is off
by n (Higham 1993, "The accuracy of floating point summation", section 4).
"""

from __future__ import annotations

from numba import float32 as f32
from numba import njit

from striate.kernels.vector import fma, lanes_of, select, splat, vload

inline = njit(inline="always")
BLOCK = 64


@inline
def added(total, lost, part):
    """``total + part``, and ``lost`` with what this addition rounds away (Knuth 1997, section 4.2.2, theorem B)."""
    new = total + part
    arrived = new - total
    return new, lost + ((total - (new - arrived)) + (part - arrived))


@inline
def completed(total, lost):
    """The sum with what its additions rounded away; infinity stays what it is."""
    return select(lost == lost, total + lost, total)  # noqa: PLR0124 - NaN does not equal itself


@inline
def run_sum(x, at, length):
    """The sum of a run."""
    lanes = lanes_of(x)
    total, lost = splat(x, f32(0.0)), splat(x, f32(0.0))
    for begin in range(0, length, BLOCK):
        s0 = s1 = s2 = s3 = splat(x, f32(0.0))
        count = min(BLOCK, length - begin)
        for _ in range(count // 4):
            s0 = s0 + vload(x, at)
            s1 = s1 + vload(x, at + lanes)
            s2 = s2 + vload(x, at + 2 * lanes)
            s3 = s3 + vload(x, at + 3 * lanes)
            at += 4 * lanes
        for _ in range(count % 4):
            s0 = s0 + vload(x, at)
            at += lanes
        total, lost = added(total, lost, (s0 + s1) + (s2 + s3))
    return completed(total, lost)


@inline
def run_squares(x, at, length, mean):
    """The sum of the squared deviations of a run from ``mean``."""
    lanes = lanes_of(x)
    total, lost = splat(x, f32(0.0)), splat(x, f32(0.0))
    for begin in range(0, length, BLOCK):
        s0 = s1 = s2 = s3 = splat(x, f32(0.0))
        count = min(BLOCK, length - begin)
        for _ in range(count // 4):
            a, b = vload(x, at) - mean, vload(x, at + lanes) - mean
            c, d = vload(x, at + 2 * lanes) - mean, vload(x, at + 3 * lanes) - mean
            s0, s1, s2, s3 = fma(a, a, s0), fma(b, b, s1), fma(c, c, s2), fma(d, d, s3)
            at += 4 * lanes
        for _ in range(count % 4):
            a = vload(x, at) - mean
            s0 = fma(a, a, s0)
            at += lanes
        total, lost = added(total, lost, (s0 + s1) + (s2 + s3))
    return completed(total, lost)


@inline
def run_products(x, at, g, g_at, length, centre):
    """The sum of ``g * (x - centre)`` over a run, and the sum of ``g``."""
    lanes = lanes_of(x)
    products, total = splat(x, f32(0.0)), splat(x, f32(0.0))
    for begin in range(0, length, BLOCK * BLOCK):
        p0 = p1 = s0 = s1 = splat(x, f32(0.0))
        count = min(BLOCK * BLOCK, length - begin)
        for _ in range(count // 2):
            a, b = vload(g, g_at), vload(g, g_at + lanes)
            p0 = fma(a, vload(x, at) - centre, p0)
            p1 = fma(b, vload(x, at + lanes) - centre, p1)
            s0, s1 = s0 + a, s1 + b
            at += 2 * lanes
            g_at += 2 * lanes
        if count % 2 != 0:
            a = vload(g, g_at)
            p0 = fma(a, vload(x, at) - centre, p0)
            s0 = s0 + a
            at += lanes
            g_at += lanes
        products, total = products + (p0 + p1), total + (s0 + s1)
    return products, total


@inline
def tap_sum(x, taps, count):
    """The sum of the vectors at ``taps[0]``, ..., ``taps[count - 1]``."""
    total, lost = splat(x, f32(0.0)), splat(x, f32(0.0))
    for begin in range(0, count, BLOCK):
        s0 = s1 = s2 = s3 = splat(x, f32(0.0))
        whole = begin + min(BLOCK, count - begin) // 4 * 4
        for t in range(begin, whole, 4):
            s0 = s0 + vload(x, taps[t])
            s1 = s1 + vload(x, taps[t + 1])
            s2 = s2 + vload(x, taps[t + 2])
            s3 = s3 + vload(x, taps[t + 3])
        for t in range(whole, min(begin + BLOCK, count)):
            s0 = s0 + vload(x, taps[t])
        total, lost = added(total, lost, (s0 + s1) + (s2 + s3))
    return completed(total, lost)
