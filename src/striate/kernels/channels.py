"""Kernels of the layout with channels in the lanes: one sample, ``[channel block][depth][row][column][lane]``.

A channel block is as many channels as a vector has lanes. The lanes beyond the last channel hold numbers that
nothing reads. Elementwise operations and pooling need no kernels of their own: a channel block is to them what
a channel is to the layout with samples in the lanes.
"""

from __future__ import annotations

import math

from numba import float32 as f32
from numba import njit

from striate.kernels.correlation import END
from striate.kernels.functions import taken, vexp, vlog
from striate.kernels.vector import (
    Bytes,
    Floats,
    Ints,
    fma,
    high_half,
    lanes_of,
    low_half,
    neighbours,
    offsets,
    select,
    shift,
    splat,
    tile_add,
    tile_columns,
    tile_dot,
    tile_load,
    tile_map,
    tile_outer,
    tile_store,
    vload,
    vstore,
)
from striate.kernels.winograd import filter_side


def correlate(K, X, activation=""):
    """Sums of products, K output positions by X blocks of output channels at a time.

    ``out[position, block] = max(floor, bias[block] + sum over outer, tap of image[position, tap] * weights[tap])``,
    or with an ``activation`` of ``striate.kernels.functions``, what it makes of the sum.

    It is ``striate.kernels.correlation.correlate`` with its operands exchanged: the numbers of the image are
    spread over the lanes, the weights are vectors. The terms of a sum come in the same order, and to accumulate,
    what ``out`` holds is added at the end.

    rows : (image, output) of each position
    taps : pairs (weight, image), ended
    places : (weights, output, bias) of each block of output channels
    blocks : repetitions of it all with other images, weights and outputs
    ending : the floor, and the two arguments of the activation
    """
    return _correlation(K, X, 0, 0, activation)


def correlate_neighbours(K, X, image_step, out_step, activation=""):
    """The same sums, where the K positions of a tile are equally far apart, in the image and in the output.

    Their addresses then take one register in place of K.

    rows : (image, output) of the first position of each tile
    """
    return _correlation(K, X, image_step, out_step, activation)


def _correlation(K, X, image_step, out_step, activation):
    listed = 1 if out_step else K  # entries of ``rows`` for a tile
    activate = _activate(activation)

    def kernel(
        image: Floats,
        weights: Floats,
        bias: Floats,
        out: Floats,
        rows: Ints,
        row_count: int,
        taps: Ints,
        outer_count: int,
        image_outer: int,
        weights_outer: int,
        places: Ints,
        place_count: int,
        blocks: int,
        image_block: int,
        weights_block: int,
        out_block: int,
        ending: Floats,
        accumulate: int,
    ):
        for block in range(blocks):
            ib, wb = shift(image, block * image_block), shift(weights, block * weights_block)
            ob = shift(out, block * out_block)
            for p in range(0, place_count, X):
                weights_at, out_at = offsets(places, 3 * p, 3, X), offsets(places, 3 * p + 1, 3, X)
                for k in range(0, row_count, listed):
                    if listed == 1:
                        image_row = neighbours(rows, 2 * k, image_step, K)
                        out_row = neighbours(rows, 2 * k + 1, out_step, K)
                    else:
                        image_row, out_row = offsets(rows, 2 * k, 2, K), offsets(rows, 2 * k + 1, 2, K)
                    tile = tile_columns(bias, offsets(places, 3 * p + 2, 3, X), K)
                    image_from, weights_from = 0, 0
                    for _ in range(outer_count):
                        t = 0
                        tap = taps[0]
                        while tap != END:
                            t += 1
                            i, w = image_from + high_half(tap), weights_from + low_half(tap)
                            tile = tile_outer(tile, ib, image_row, i, wb, weights_at, w)
                            tap = taps[t]
                        image_from += image_outer
                        weights_from += weights_outer
                    if accumulate != 0:
                        tile = tile_add(tile, tile_load(ob, out_row, out_at))
                    tile = activate(tile, ending[1], ending[2])
                    tile_store(tile, ob, out_row, out_at, ending[0])

    return kernel


def _activate(activation):
    """Return the function of a tile that is taken before it is stored; for ReLU, which has a floor, none."""
    return tile_map(taken(activation)) if activation else taken("")


def depthwise(T, K, x_step, out_step, activation=""):
    """Sums over each channel's window: ``out = max(floor, bias + sum over tap of weights[tap] * x[tap])``.

    T is the number of taps of a small window, so that its loop is unrolled; 0 for any number. K positions, equally
    far apart in x and out, are computed side by side, so that each weight is loaded once for all of them.

    channels : (x, out, weights, bias) of each channel block
    places : (window, output) of the first of each K positions
    taps : place of each tap relative to the window
    activation : as in ``correlate``, with the arguments a and b
    """
    activate = _activate(activation)

    def kernel(
        x: Floats,
        weights: Floats,
        bias: Floats,
        out: Floats,
        channels: Ints,
        channel_count: int,
        places: Ints,
        place_count: int,
        taps: Ints,
        tap_count: int,
        floor: float,
        a: float,
        b: float,
    ):
        lanes = lanes_of(x)
        for c in range(channel_count):
            xc, channel_at = shift(x, channels[4 * c]), offsets(channels, 4 * c + 1, 1, 1)
            weights_at, bias_at = offsets(channels, 4 * c + 2, 1, 1), offsets(channels, 4 * c + 3, 1, 1)
            for p in range(place_count):
                x_at = neighbours(places, 2 * p, x_step, K)
                out_at = neighbours(places, 2 * p + 1, out_step, K)
                tile = tile_columns(bias, bias_at, K)
                for t in range(T or tap_count):
                    tile = tile_dot(tile, xc, x_at, taps[t], weights, weights_at, t * lanes)
                tile_store(activate(tile, a, b), out, out_at, channel_at, floor)

    return kernel


def affine(
    x: Floats,
    out: Floats,
    scale: Floats,
    offset: Floats,
    channels: Ints,
    channel_count: int,
    runs: Ints,
    run_count: int,
    length: int,
    floor: float,
):
    """``out = max(floor, x * scale[channel] + offset[channel])``.

    channels : (x, out) of each channel block; scale and offset hold a vector for each
    runs : (x, out) within a block
    """
    lanes = lanes_of(x)
    low = splat(x, floor)
    for c in range(channel_count):
        a, b = vload(scale, c * lanes), vload(offset, c * lanes)
        for r in range(run_count):
            i, o = channels[2 * c] + runs[2 * r], channels[2 * c + 1] + runs[2 * r + 1]
            for _ in range(length):
                value = fma(vload(x, i), a, b)
                vstore(out, o, select(value < low, low, value))
                i += lanes
                o += lanes


def softmax(
    x: Floats,
    out: Floats,
    count: int,
    places: Ints,
    place_count: int,
    x_channel: int,
    out_channel: int,
    logarithm: int,
):
    """Softmax, or its logarithm, over ``count`` channels at each position.

    Blocks are ``x_channel`` and ``out_channel`` apart; the powers are added channel by channel.

    places : (x, out) of each position
    """
    lanes = lanes_of(x)
    blocks = (count + lanes - 1) // lanes
    for p in range(place_count):
        z, y = shift(x, places[2 * p]), shift(out, places[2 * p + 1])
        top = z[0]
        for c in range(count):
            value = z[(c // lanes) * x_channel + c % lanes]
            top = value if not value <= top else top
        for block in range(blocks):
            vstore(y, block * out_channel, vexp(vload(z, block * x_channel) - splat(x, top)))
        total = f32(0.0)
        for c in range(count):
            total += y[(c // lanes) * out_channel + c % lanes]
        if logarithm != 0:
            low = splat(x, top) + vlog(splat(x, total))
            for block in range(blocks):
                vstore(y, block * out_channel, vload(z, block * x_channel) - low)
        else:
            share = f32(1.0) / total
            for block in range(blocks):
                vstore(y, block * out_channel, vload(y, block * out_channel) * splat(x, share))


def fold(
    weight: Floats,
    bias: Floats,
    mean: Floats,
    variance: Floats,
    scale: Floats,
    offset: Floats,
    count: int,
    has_weight: int,
    has_bias: int,
    normalises: int,
    epsilon: float,
):
    """Turn ``weight * (x - mean) / sqrt(variance + epsilon) + bias`` into ``scale * x + offset``, per channel."""
    for c in range(count):
        a = weight[c] if has_weight != 0 else f32(1.0)
        b = bias[c] if has_bias != 0 else f32(0.0)
        if normalises != 0:
            a = a / math.sqrt(variance[c] + epsilon)
            b = b - mean[c] * a
        scale[c] = a
        offset[c] = b


def pack_filters(w: Floats, scale: Floats, out: Floats, filters: int, terms: int, scaled: int):
    """Put filters, [filter][term], into the lanes: [block of filters][term][lane], zeros beyond the last."""
    lanes = lanes_of(w)
    blocks = (filters + lanes - 1) // lanes
    for f in range(blocks * lanes):
        at = (f // lanes) * terms * lanes + f % lanes
        if f >= filters:
            for t in range(terms):
                out[at + t * lanes] = f32(0.0)
        else:
            factor = scale[f] if scaled != 0 else f32(1.0)
            for t in range(terms):
                out[at + t * lanes] = w[f * terms + t] * factor


def pack_bias(bias: Floats, scale: Floats, offset: Floats, out: Floats, count: int, has_bias: int, scaled: int):
    """Complete biases to whole vectors: ``out[c] = bias[c] * scale[c] + offset[c]``."""
    lanes = lanes_of(bias)
    for c in range((count + lanes - 1) // lanes * lanes):
        value = f32(0.0)
        if c < count:
            value = bias[c] if has_bias != 0 else f32(0.0)
            if scaled != 0:
                value = value * scale[c] + offset[c]
        out[c] = value


def pack_winograd(w: Floats, scale: Floats, out: Floats, filters: int, channels: int, scaled: int, scratch: Floats):
    """``G g G'`` of every 3x3 filter: [36][block of filters][channel][lane]."""
    lanes = lanes_of(w)
    blocks = (filters + lanes - 1) // lanes
    step = blocks * channels * lanes
    for f in range(filters):
        factor = scale[f] if scaled != 0 else f32(1.0)
        for c in range(channels):
            g = (f * channels + c) * 9
            at = ((f // lanes) * channels + c) * lanes + f % lanes
            for j in range(3):
                v = filter_side(w[g + j] * factor, w[g + 3 + j] * factor, w[g + 6 + j] * factor)
                scratch[j] = v[0]
                scratch[3 + j] = v[1]
                scratch[6 + j] = v[2]
                scratch[9 + j] = v[3]
                scratch[12 + j] = v[4]
                scratch[15 + j] = v[5]
            for i in range(6):
                v = filter_side(scratch[3 * i], scratch[3 * i + 1], scratch[3 * i + 2])
                o = at + 6 * i * step
                out[o] = v[0]
                out[o + step] = v[1]
                out[o + 2 * step] = v[2]
                out[o + 3 * step] = v[3]
                out[o + 4 * step] = v[4]
                out[o + 5 * step] = v[5]


@njit(inline="always")
def _load(x, index, out, mean, scale, runs, run_count, length, size):
    source = shift(x, index[0] * size)
    for r in range(run_count):
        i, o = runs[3 * r], runs[3 * r + 1]
        m, s = mean[runs[3 * r + 2]], scale[runs[3 * r + 2]]
        for j in range(length):
            out[o + j] = (f32(source[i + j]) - m) * s


def load_floats(
    x: Floats,
    index: Ints,
    out: Floats,
    mean: Floats,
    scale: Floats,
    runs: Ints,
    run_count: int,
    length: int,
    size: int,
):
    """Put a sample into a buffer channel by channel: ``out = (x - mean[channel]) * scale[channel]``.

    runs : (place in a sample, place out, channel) of every row of ``length`` numbers
    """
    _load(x, index, out, mean, scale, runs, run_count, length, size)


def load_bytes(
    x: Bytes,
    index: Ints,
    out: Floats,
    mean: Floats,
    scale: Floats,
    runs: Ints,
    run_count: int,
    length: int,
    size: int,
):
    """The same as ``load_floats`` for samples of bytes."""
    _load(x, index, out, mean, scale, runs, run_count, length, size)


def move(x: Floats, out: Floats, runs: Ints, run_count: int, length: int, x_step: int, out_step: int):
    """``out[b + j * out_step] = x[a + j * x_step]`` for every run (a, b) and j < length."""
    for r in range(run_count):
        i, o = runs[2 * r], runs[2 * r + 1]
        for _ in range(length):
            out[o] = x[i]
            i += x_step
            o += out_step
