"""Kernels of linear maps between positions: interpolation and its adjoint."""

from __future__ import annotations

from numba import float32 as f32

from striate.kernels.vector import Floats, Ints, fma, shift, splat, vload, vstore


def weighted_sums(
    x: Floats,
    out: Floats,
    channels: Ints,
    channel_count: int,
    places: Ints,
    place_count: int,
    begins: Ints,
    sources: Ints,
    shares: Floats,
    blocks: int,
    x_block: int,
    out_block: int,
    accumulate: int,
):
    """``out[places[p]] = sum over i of shares[i] * x[sources[i]]`` (or +=), i from begins[p] to begins[p + 1].

    It is a product with a sparse matrix in compressed rows, the same for every channel; ``channels`` holds
    (place of x, place of out).
    """
    for block in range(blocks):
        for c in range(channel_count):
            xc = shift(x, block * x_block + channels[2 * c])
            oc = shift(out, block * out_block + channels[2 * c + 1])
            for p in range(place_count):
                total = splat(x, f32(0.0))
                for i in range(begins[p], begins[p + 1]):
                    total = fma(splat(x, shares[i]), vload(xc, sources[i]), total)
                if accumulate != 0:
                    total = total + vload(oc, places[p])
                vstore(oc, places[p], total)
