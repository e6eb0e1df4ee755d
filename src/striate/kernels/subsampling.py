"""Kernels of trainable subsampling: tables as in ``pooling``, a weight and a bias for every channel."""

from __future__ import annotations

from numba import float32 as f32

from striate.kernels.vector import Floats, Ints, select, shift, splat, vload, vstore, vsum


def subsample(T):
    """``out = max(floor, weight[c] * sum of the window + bias[c])``."""

    def kernel(
        x: Floats,
        out: Floats,
        weight: Floats,
        bias: Floats,
        channels: Ints,
        channel_count: int,
        places: Ints,
        place_count: int,
        taps: Ints,
        tap_count: int,
        blocks: int,
        x_block: int,
        out_block: int,
        floor: float,
    ):
        low = splat(x, floor)
        for block in range(blocks):
            for c in range(channel_count):
                xc = shift(x, block * x_block + channels[2 * c])
                oc = shift(out, block * out_block + channels[2 * c + 1])
                slope, start = splat(x, weight[c]), splat(x, bias[c])
                for p in range(place_count):
                    window = shift(xc, places[2 * p])
                    total = vload(window, taps[0])
                    for t in range(1, T or tap_count):
                        total = total + vload(window, taps[t])
                    value = total * slope + start
                    vstore(oc, places[2 * p + 1], select(value < low, low, value))

    return kernel


def subsample_gradient(T):
    """All gradients in one pass: weight ``g * sum of the window``, bias g, every cell ``weight[c] g``.

    channels and places hold the places of x, grad_out and grad_x; taps those of x and grad_x. Without
    ``spread`` grad_x is left alone.
    """

    def kernel(
        x: Floats,
        grad_out: Floats,
        grad_x: Floats,
        weight: Floats,
        grad_weight: Floats,
        grad_bias: Floats,
        channels: Ints,
        channel_count: int,
        places: Ints,
        place_count: int,
        taps: Ints,
        tap_count: int,
        blocks: int,
        x_block: int,
        grad_out_block: int,
        grad_x_block: int,
        spread: int,
        accumulate: int,
    ):
        for c in range(channel_count):
            slope = splat(x, weight[c])
            products, sums = splat(x, f32(0.0)), splat(x, f32(0.0))
            for block in range(blocks):
                xc = shift(x, block * x_block + channels[3 * c])
                goc = shift(grad_out, block * grad_out_block + channels[3 * c + 1])
                gxc = shift(grad_x, block * grad_x_block + channels[3 * c + 2])
                for p in range(place_count):
                    window, target = shift(xc, places[3 * p]), shift(gxc, places[3 * p + 2])
                    g = vload(goc, places[3 * p + 1])
                    total = vload(window, taps[0])
                    for t in range(1, T or tap_count):
                        total = total + vload(window, taps[2 * t])
                    products = products + g * total
                    sums = sums + g
                    if spread != 0:
                        for t in range(T or tap_count):
                            value = g * slope
                            if accumulate != 0:
                                value = value + vload(target, taps[2 * t + 1])
                            vstore(target, taps[2 * t + 1], value)
            grad_weight[c] += vsum(products)
            grad_bias[c] += vsum(sums)

    return kernel
