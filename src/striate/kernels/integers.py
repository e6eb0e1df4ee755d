"""Kernels of layers that compute with whole numbers, channels in the lanes: ``[block][depth][row][column][word]``.

A word holds the bytes of four neighbouring channels, so a block of ``lanes`` channels takes ``lanes / 4`` words at
each position. All places count words. What the margins hold stands for zero.
"""

from __future__ import annotations

from striate.kernels.correlation import END
from striate.kernels.vector import Floats, Ints, high_half, lanes_of, low_half, offsets, shift, splat, vload, vstore
from striate.kernels.vector.byte_products import TILE_DOTS, int_tile_load
from striate.kernels.vector.integers import (
    bytes_load,
    bytes_max,
    bytes_store,
    bytes_to_floats,
    first_word,
    into_byte,
    word_store,
    words_store,
    zero_words,
)
from striate.kernels.vector.rounding import TILE_STORES, quantised


def correlate(K, X, products, values):
    """Sums of products of bytes, K output positions by X blocks of output channels at a time.

    ``sum[position, block] = bias[block] + sum over outer, tap of image[position, tap] . weights[tap]``, where a
    product of words is the sum of four products of their bytes; its order does not matter. With 4 ``values`` in a
    word, ``out = clip(round(multiplier * sum) + zero_point, low, high)``; with 1, the output are floats,
    ``out = max(multiplier * sum, low)``. ``products`` names how bytes are multiplied.

    rows, taps, places : as in ``striate.kernels.channels.correlate``
    """
    tile_dot, tile_store = TILE_DOTS[products], TILE_STORES[values]

    def kernel(
        image: Floats,
        weights: Floats,
        bias: Floats,
        multiplier: Floats,
        out: Floats,
        rows: Ints,
        row_count: int,
        taps: Ints,
        outer_count: int,
        image_outer: int,
        weights_outer: int,
        places: Ints,
        place_count: int,
        low: int,
        high: int,
        zero_point: int,
    ):
        for p in range(0, place_count, X):
            weights_at, out_at = offsets(places, 3 * p, 3, X), offsets(places, 3 * p + 1, 3, X)
            columns = offsets(places, 3 * p + 2, 3, X)
            for k in range(0, row_count, K):
                image_row, out_row = offsets(rows, 3 * k, 3, K), offsets(rows, 3 * k + 1, 3, K)
                tile = int_tile_load(bias, offsets(rows, 3 * k + 2, 3, K), columns)
                image_from, weights_from = 0, 0
                for _ in range(outer_count):
                    t = 0
                    tap = taps[0]
                    while tap != END:
                        t += 1
                        i, w = image_from + high_half(tap), weights_from + low_half(tap)
                        tile = tile_dot(tile, image, image_row, i, weights, weights_at, w)
                        tap = taps[t]
                    image_from += image_outer
                    weights_from += weights_outer
                tile_store(tile, out, out_row, out_at, multiplier, columns, low, high, zero_point)

    return kernel


def max_pool(T):
    """The largest whole number of every window; T is the number of cells of a small window, 0 for any number.

    channels, places, taps : as in ``striate.kernels.pooling.max_pool``
    """

    def kernel(
        x: Floats,
        out: Floats,
        channels: Ints,
        channel_count: int,
        places: Ints,
        place_count: int,
        taps: Ints,
        tap_count: int,
    ):
        for c in range(channel_count):
            xc, oc = shift(x, channels[2 * c]), shift(out, channels[2 * c + 1])
            for p in range(place_count):
                window = shift(xc, places[2 * p])
                best = bytes_load(window, taps[0])
                for t in range(1, T or tap_count):
                    best = bytes_max(bytes_load(window, taps[t]), best)
                bytes_store(oc, places[2 * p + 1], best)

    return kernel


def quantise(
    x: Floats,
    out: Floats,
    channels: Ints,
    channel_count: int,
    runs: Ints,
    run_count: int,
    length: int,
    multiplier: float,
    zero_point: int,
):
    """``out = clip(round(multiplier * x) + zero_point, 0, 255)`` of floats with channels in the lanes.

    channels, runs : (x, out) of each block of channels and of each run of ``length`` positions
    """
    lanes = lanes_of(x)
    words = lanes // 4
    for c in range(channel_count):
        for r in range(run_count):
            xr = shift(x, channels[2 * c] + runs[2 * r])
            outr = shift(out, channels[2 * c + 1] + runs[2 * r + 1])
            for i in range(length):
                bytes_store(outr, i * words, quantised(vload(xr, i * lanes), multiplier, zero_point))


def quantise_planes(
    x: Floats,
    out: Floats,
    channel_count: int,
    x_channel: int,
    out_channel: int,
    runs: Ints,
    run_count: int,
    length: int,
    multiplier: float,
    zero_point: int,
):
    """The same of floats channel by channel: a vector holds positions, and four of them make one of words.

    runs : (x, out) of each run of ``length`` positions
    """
    lanes = lanes_of(x)
    for first in range(0, channel_count, 4):
        together = min(4, channel_count - first)
        for r in range(run_count):
            xr, outr = (
                shift(x, first * x_channel + runs[2 * r]),
                shift(out, first // 4 * out_channel + runs[2 * r + 1]),
            )
            if length >= lanes:
                for p in range(0, length, lanes):
                    at = min(p, length - lanes)  # the last vector overlaps the one before it
                    words = zero_words(x)
                    for c in range(together):
                        values = quantised(vload(xr, c * x_channel + at), multiplier, zero_point)
                        words = into_byte(words, values, c)
                    words_store(outr, at, words)
            else:
                for p in range(length):
                    words = zero_words(x)
                    for c in range(together):
                        values = quantised(splat(x, xr[c * x_channel + p]), multiplier, zero_point)
                        words = into_byte(words, values, c)
                    word_store(outr, p, first_word(words))


def to_floats(x: Floats, out: Floats, channels: Ints, channel_count: int, runs: Ints, run_count: int, length: int):
    """The whole numbers themselves as floats with channels in the lanes.

    channels, runs : (x, out) of each block of channels and of each run of ``length`` positions
    """
    lanes = lanes_of(x)
    words = lanes // 4
    for c in range(channel_count):
        for r in range(run_count):
            xr = shift(x, channels[2 * c] + runs[2 * r])
            outr = shift(out, channels[2 * c + 1] + runs[2 * r + 1])
            for i in range(length):
                vstore(outr, i * lanes, bytes_to_floats(bytes_load(xr, i * words)))


def fill(out: Floats, count: int, value: int):
    """Let every byte of ``count`` words be ``value``."""
    word = value * 0x01010101
    for i in range(count):
        word_store(out, i, word)
