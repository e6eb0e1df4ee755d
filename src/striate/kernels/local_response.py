"""Kernels of local response normalisation.

A run is taken in pieces of some vectors, and of each piece all channels one after the other: the neighbours
of a channel are then still in the nearest cache.
"""

from __future__ import annotations

from numba import float32 as f32
from numba import njit

from striate.kernels.functions import vexp, vlog
from striate.kernels.vector import Floats, Ints, fma, lanes_of, shift, splat, vload, vsqrt, vstore

inline = njit(inline="always")


@inline
def _half(x, beta):
    return vsqrt(x)


@inline
def _three_quarters(x, beta):
    root = vsqrt(x)
    return root * vsqrt(root)


@inline
def _one(x, beta):
    return x


@inline
def _any(x, beta):
    return vexp(vlog(x) * beta)


POWERS = {"half": _half, "three_quarters": _three_quarters, "one": _one, "any": _any}


@inline
def _inverse(x, at, channel, first, end, alpha, k):
    """``1 / (k + alpha * sum of the squares of the channels first to end)``."""
    total = splat(x, f32(0.0))
    for d in range(first, end):
        value = vload(x, at + d * channel)
        total = fma(value, value, total)
    return f32(1.0) / (total * alpha + k)


def local_response(power, piece):
    """``out[c] = x[c] / s[c]^beta`` with ``s[c] = k + alpha * sum of x[d]^2``, d from c - before to c + after.

    runs hold (place in x, place in out) within a channel; channels are ``x_channel`` and ``out_channel`` apart.
    """
    raised = POWERS[power]

    def kernel(
        x: Floats,
        out: Floats,
        channel_count: int,
        x_channel: int,
        out_channel: int,
        runs: Ints,
        run_count: int,
        length: int,
        blocks: int,
        x_block: int,
        out_block: int,
        before: int,
        after: int,
        alpha: float,
        beta: float,
        k: float,
    ):
        lanes = lanes_of(x)
        for block in range(blocks):
            xb, ob = shift(x, block * x_block), shift(out, block * out_block)
            for r in range(run_count):
                for start in range(0, length, piece):
                    count = min(piece, length - start)
                    i, o = runs[2 * r] + start * lanes, runs[2 * r + 1] + start * lanes
                    for c in range(channel_count):
                        first, end = max(0, c - before), min(channel_count, c + after + 1)
                        for p in range(count):
                            inverse = _inverse(xb, i + p * lanes, x_channel, first, end, alpha, k)
                            value = vload(xb, i + c * x_channel + p * lanes)
                            vstore(ob, o + c * out_channel + p * lanes, value * raised(inverse, beta))

    return kernel


def local_response_gradient(power, piece):
    """``grad_x[c] = g[c] s[c]^-beta - 2 alpha beta x[c] sum of g[d] x[d] s[d]^(-beta - 1)``.

    The sum is over the channels d that have c as a neighbour, from c - after to c + before. ``scratch`` holds
    two vectors for each channel and each position of a piece.
    """
    raised = POWERS[power]

    def kernel(
        x: Floats,
        grad_out: Floats,
        grad_x: Floats,
        scratch: Floats,
        channel_count: int,
        x_channel: int,
        grad_out_channel: int,
        grad_x_channel: int,
        runs: Ints,
        run_count: int,
        length: int,
        blocks: int,
        x_block: int,
        grad_out_block: int,
        grad_x_block: int,
        before: int,
        after: int,
        alpha: float,
        beta: float,
        k: float,
        accumulate: int,
    ):
        lanes = lanes_of(x)
        through = shift(scratch, channel_count * piece * lanes)
        factor = f32(2.0) * alpha * beta
        for block in range(blocks):
            xb, gb = shift(x, block * x_block), shift(grad_out, block * grad_out_block)
            db = shift(grad_x, block * grad_x_block)
            for r in range(run_count):
                for start in range(0, length, piece):
                    count = min(piece, length - start)
                    at = start * lanes
                    i, g, d = runs[3 * r] + at, runs[3 * r + 1] + at, runs[3 * r + 2] + at
                    for c in range(channel_count):
                        first, end = max(0, c - before), min(channel_count, c + after + 1)
                        for p in range(count):
                            inverse = _inverse(xb, i + p * lanes, x_channel, first, end, alpha, k)
                            direct = vload(gb, g + c * grad_out_channel + p * lanes) * raised(inverse, beta)
                            value = vload(xb, i + c * x_channel + p * lanes)
                            vstore(scratch, (c * piece + p) * lanes, direct)
                            vstore(through, (c * piece + p) * lanes, direct * value * inverse)
                    for c in range(channel_count):
                        first, end = max(0, c - after), min(channel_count, c + before + 1)
                        for p in range(count):
                            spread = splat(x, f32(0.0))
                            for n in range(first, end):
                                spread = spread + vload(through, (n * piece + p) * lanes)
                            value = vload(xb, i + c * x_channel + p * lanes) * factor
                            value = vload(scratch, (c * piece + p) * lanes) - value * spread
                            if accumulate != 0:
                                value = value + vload(db, d + c * grad_x_channel + p * lanes)
                            vstore(db, d + c * grad_x_channel + p * lanes, value)

    return kernel
