"""Kernels of Lp pooling: tables as in ``pooling``."""

from __future__ import annotations

from numba import float32 as f32
from numba import njit

from striate.kernels.functions import vexp, vlog, where_positive
from striate.kernels.vector import Floats, Ints, fma, select, shift, splat, vabs, vload, vsqrt, vstore

SMALLEST = f32(1.1754944e-38)  # of the normal numbers: the logarithm of nothing below is taken
inline = njit(inline="always")


@inline
def vpower(x, power):
    """``x**power`` for x >= 0 and power > 0."""
    return select(x < splat(x, SMALLEST), splat(x, f32(0.0)), vexp(vlog(x) * power))


@inline
def _one(total, x):
    return total + vabs(x)


@inline
def _two(total, x):
    return fma(x, x, total)


@inline
def _same(total):
    return total


@inline
def _root(total):
    return vsqrt(total)


@inline
def _sign(x, norm, power):
    zero = splat(x, f32(0.0))
    one = zero + f32(1.0)
    return where_positive(x, one, select(x < zero, zero - one, zero))


@inline
def _share(x, norm, power):
    return x / norm


@inline
def _power_of_share(x, norm, power):
    return _sign(x, norm, power) * vpower(vabs(x) / norm, power - f32(1.0))


NORMS = {1: (_one, _same), 2: (_two, _root)}
SLOPES = {0: _power_of_share, 1: _sign, 2: _share}


def norm_pool(T, power):
    """The sum of absolute values of every window (power 1), or the root of the sum of squares (power 2)."""
    add, finish = NORMS[power]

    def kernel(
        x: Floats,
        out: Floats,
        channels: Ints,
        channel_count: int,
        places: Ints,
        place_count: int,
        taps: Ints,
        tap_count: int,
        blocks: int,
        x_block: int,
        out_block: int,
    ):
        for block in range(blocks):
            for c in range(channel_count):
                xc = shift(x, block * x_block + channels[2 * c])
                oc = shift(out, block * out_block + channels[2 * c + 1])
                for p in range(place_count):
                    window = shift(xc, places[2 * p])
                    total = splat(x, f32(0.0))
                    for t in range(T or tap_count):
                        total = add(total, vload(window, taps[t]))
                    vstore(oc, places[2 * p + 1], finish(total))

    return kernel


def power_pool(
    x: Floats,
    out: Floats,
    channels: Ints,
    channel_count: int,
    places: Ints,
    place_count: int,
    taps: Ints,
    tap_count: int,
    blocks: int,
    x_block: int,
    out_block: int,
    power: float,
):
    """``m (sum of (|x| / m)^power)^(1/power)`` with m the largest |x|, so that no power overflows."""
    zero, one = splat(x, f32(0.0)), splat(x, f32(1.0))
    for block in range(blocks):
        for c in range(channel_count):
            xc = shift(x, block * x_block + channels[2 * c])
            oc = shift(out, block * out_block + channels[2 * c + 1])
            for p in range(place_count):
                window = shift(xc, places[2 * p])
                top = zero
                for t in range(tap_count):
                    size = vabs(vload(window, taps[t]))
                    top = select(size < top, top, size)
                scale = one / where_positive(top, top, one)
                total = zero
                for t in range(tap_count):
                    total = total + vpower(vabs(vload(window, taps[t])) * scale, power)
                vstore(oc, places[2 * p + 1], top * vpower(total, f32(1.0) / power))


def norm_pool_gradient(T, exact):
    """``grad_x += g sign(x) (|x| / norm)^(power - 1)``; ``exact`` is the power where it is 1 or 2, else 0.

    channels and places hold the places of x, out, grad_out and grad_x; taps those of x and grad_x.
    """
    slope = SLOPES[exact]

    def kernel(
        x: Floats,
        out: Floats,
        grad_out: Floats,
        grad_x: Floats,
        channels: Ints,
        channel_count: int,
        places: Ints,
        place_count: int,
        taps: Ints,
        tap_count: int,
        blocks: int,
        x_block: int,
        out_block: int,
        grad_out_block: int,
        grad_x_block: int,
        power: float,
        accumulate: int,
    ):
        one = splat(x, f32(1.0))
        for block in range(blocks):
            for c in range(channel_count):
                xc = shift(x, block * x_block + channels[4 * c])
                oc = shift(out, block * out_block + channels[4 * c + 1])
                goc = shift(grad_out, block * grad_out_block + channels[4 * c + 2])
                gxc = shift(grad_x, block * grad_x_block + channels[4 * c + 3])
                for p in range(place_count):
                    window, target = shift(xc, places[4 * p]), shift(gxc, places[4 * p + 3])
                    norm = vload(oc, places[4 * p + 1])
                    norm = where_positive(norm, norm, one)
                    g = vload(goc, places[4 * p + 2])
                    for t in range(T or tap_count):
                        value = g * slope(vload(window, taps[2 * t]), norm, power)
                        if accumulate != 0:
                            value = value + vload(target, taps[2 * t + 1])
                        vstore(target, taps[2 * t + 1], value)

    return kernel
