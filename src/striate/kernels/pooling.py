"""Kernels of pooling.

channels  (place of x, place of out) of every channel
places    (place of x, place of out) of every window of a channel
taps      place of every cell of a window

The factories take the number of cells of a small window, so that its loop is unrolled; 0 for any number.
"""

from __future__ import annotations

from numba import float32 as f32

from striate.kernels.sums import tap_sum
from striate.kernels.vector import (
    Floats,
    Ints,
    select,
    shift,
    splat,
    vload,
    vmax,
    vstore,
)


def max_pool(T):
    """The largest value of every window; NaN where one is NaN."""

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
                    best = vload(window, taps[0])
                    for t in range(1, T or tap_count):
                        best = vmax(vload(window, taps[t]), best)
                    vstore(oc, places[2 * p + 1], best)

    return kernel


def max_pool_gradient(T):
    """Give the gradient of every window to the first cell that holds its maximum.

    Windows whose maximum is not above ``floor`` get none: the gradient of a ReLU before the pooling.
    channels and places hold the places of x, out, grad_out and grad_x; taps those of x and grad_x.
    """

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
        floor: float,
        accumulate: int,
    ):
        zero = splat(x, 0.0)
        low = splat(x, floor)
        for block in range(blocks):
            for c in range(channel_count):
                xc = shift(x, block * x_block + channels[4 * c])
                oc = shift(out, block * out_block + channels[4 * c + 1])
                goc = shift(grad_out, block * grad_out_block + channels[4 * c + 2])
                gxc = shift(grad_x, block * grad_x_block + channels[4 * c + 3])
                for p in range(place_count):
                    window, target = shift(xc, places[4 * p]), shift(gxc, places[4 * p + 3])
                    best = vload(oc, places[4 * p + 1])
                    g = select(best > low, vload(goc, places[4 * p + 2]), zero)
                    first = splat(x, f32(-1.0))
                    for t in range((T or tap_count) - 1, -1, -1):
                        first = select(vload(window, taps[2 * t]) == best, splat(x, f32(t)), first)
                    for t in range(T or tap_count):
                        value = select(first == splat(x, f32(t)), g, zero)
                        if accumulate != 0:
                            value = value + vload(target, taps[2 * t + 1])
                        vstore(target, taps[2 * t + 1], value)

    return kernel


def avg_pool(T):
    """The sum of every window times ``share``."""

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
        share: float,
    ):
        for block in range(blocks):
            for c in range(channel_count):
                xc = shift(x, block * x_block + channels[2 * c])
                oc = shift(out, block * out_block + channels[2 * c + 1])
                for p in range(place_count):
                    window = shift(xc, places[2 * p])
                    if T:
                        total = vload(window, taps[0])
                        for t in range(1, T):
                            total = total + vload(window, taps[t])
                    else:
                        total = tap_sum(window, taps, tap_count)
                    vstore(oc, places[2 * p + 1], total * share)

    return kernel


def avg_pool_gradient(T):
    """Give ``share`` of the gradient of every window to each of its cells."""

    def kernel(
        grad_out: Floats,
        grad_x: Floats,
        channels: Ints,
        channel_count: int,
        places: Ints,
        place_count: int,
        taps: Ints,
        tap_count: int,
        blocks: int,
        grad_out_block: int,
        grad_x_block: int,
        share: float,
        accumulate: int,
    ):
        for block in range(blocks):
            for c in range(channel_count):
                goc = shift(grad_out, block * grad_out_block + channels[2 * c])
                gxc = shift(grad_x, block * grad_x_block + channels[2 * c + 1])
                for p in range(place_count):
                    g = vload(goc, places[2 * p]) * share
                    target = shift(gxc, places[2 * p + 1])
                    for t in range(T or tap_count):
                        value = g
                        if accumulate != 0:
                            value = value + vload(target, taps[t])
                        vstore(target, taps[t], value)

    return kernel
