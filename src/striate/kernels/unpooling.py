"""Kernels of unpooling: tables as in ``pooling``."""

from __future__ import annotations

import math

from numba import float32 as f32

from striate.kernels.vector import Floats, Ints, mask_and, mask_not, select, shift, splat, vload, vstore


def unpool_gradient(T):
    """``grad_x[p] = grad_out`` at the first cell of window p of ``source`` that holds its maximum ``best[p]``.

    channels and places hold the places of source, best, grad_x and grad_out; taps those of source and grad_out.
    """

    def kernel(
        source: Floats,
        best: Floats,
        grad_x: Floats,
        grad_out: Floats,
        channels: Ints,
        channel_count: int,
        places: Ints,
        place_count: int,
        taps: Ints,
        tap_count: int,
        blocks: int,
        source_block: int,
        best_block: int,
        grad_x_block: int,
        grad_out_block: int,
        accumulate: int,
    ):
        zero, lowest = splat(source, f32(0.0)), splat(source, f32(-math.inf))
        for block in range(blocks):
            for c in range(channel_count):
                sc = shift(source, block * source_block + channels[4 * c])
                bc = shift(best, block * best_block + channels[4 * c + 1])
                gxc = shift(grad_x, block * grad_x_block + channels[4 * c + 2])
                goc = shift(grad_out, block * grad_out_block + channels[4 * c + 3])
                for p in range(place_count):
                    window, taken = shift(sc, places[4 * p]), shift(goc, places[4 * p + 3])
                    top = vload(bc, places[4 * p + 1])
                    left, value = top >= lowest, zero
                    for t in range(T or tap_count):
                        hit = mask_and(left, vload(window, taps[2 * t]) == top)
                        left = mask_and(left, mask_not(hit))
                        value = value + select(hit, vload(taken, taps[2 * t + 1]), zero)
                    if accumulate != 0:
                        value = value + vload(gxc, places[4 * p + 2])
                    vstore(gxc, places[4 * p + 2], value)

    return kernel
