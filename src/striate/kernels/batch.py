"""Kernels between the samples as they are stored and the lanes in which they are computed."""

from __future__ import annotations

from numba import float32 as f32
from numba import njit

from striate.kernels.vector import (
    Bytes,
    Floats,
    Ints,
    lanes_of,
    present,
    shift,
    square_load,
    square_spread,
    square_store,
    square_turn,
)


@njit(inline="always")
def _load(x, index, out, scale, mean, runs, run_count, length, sample_size, blocks, out_block):
    """Fill the lanes of every block, a square of ``lanes`` positions after the other.

    The last square of a row reaches back over the one before it, so nothing beyond the row is read.
    """
    lanes = lanes_of(out)
    for block in range(blocks):
        first = block * lanes
        mask = present(out, index, first)
        ob = shift(out, block * out_block)
        for r in range(run_count):
            a, m = scale[runs[3 * r + 2]], mean[runs[3 * r + 2]]
            if length >= lanes:
                for i in range(0, length, lanes):
                    start = min(i, length - lanes)
                    square = square_load(out, x, index, first, sample_size, runs[3 * r] + start)
                    square_store(square, mask, m, a, ob, runs[3 * r + 1] + start * lanes)
            else:
                for lane in range(lanes):
                    sample = index[first + lane]
                    row = shift(x, max(sample, 0) * sample_size + runs[3 * r])
                    for i in range(length):
                        value = (f32(row[i]) - m) * a if sample >= 0 else f32(0.0)
                        ob[runs[3 * r + 1] + i * lanes + lane] = value


def load_bytes(
    x: Bytes,
    index: Ints,
    out: Floats,
    scale: Floats,
    mean: Floats,
    runs: Ints,
    run_count: int,
    length: int,
    sample_size: int,
    blocks: int,
    out_block: int,
):
    """Put samples into lanes and normalise them: ``out = (x - mean[channel]) * scale[channel]``.

    ``index`` names the sample of every lane, -1 for none (zeros); ``runs`` holds (place in a sample, place
    out, channel) for every row of ``length`` pixels.
    """
    _load(x, index, out, scale, mean, runs, run_count, length, sample_size, blocks, out_block)


def load_floats(
    x: Floats,
    index: Ints,
    out: Floats,
    scale: Floats,
    mean: Floats,
    runs: Ints,
    run_count: int,
    length: int,
    sample_size: int,
    blocks: int,
    out_block: int,
):
    """The same as ``load_bytes`` for samples of float32."""
    _load(x, index, out, scale, mean, runs, run_count, length, sample_size, blocks, out_block)


def store_rows(x: Floats, out: Floats, features: Ints, feature_count: int, row: int, blocks: int, x_block: int):
    """Take features of every sample out of the lanes: ``out[sample, feature]``, rows of ``row`` floats."""
    lanes = lanes_of(x)
    for block in range(blocks):
        xb, ob = shift(x, block * x_block), shift(out, block * lanes * row)
        if feature_count >= lanes:
            for f in range(0, feature_count, lanes):
                start = min(f, feature_count - lanes)
                square_spread(square_turn(xb, features, start), ob, start, row)
        else:
            for f in range(feature_count):
                a = features[f]
                for lane in range(lanes):
                    ob[lane * row + f] = xb[a + lane]


def swap(x: Floats, out: Floats, outer: int, rows: int, columns: int):
    """``out[i, column, row] = x[i, row, column]``."""
    for i in range(outer):
        source, target = shift(x, i * rows * columns), shift(out, i * rows * columns)
        for c in range(columns):
            for r in range(rows):
                target[c * rows + r] = source[r * columns + c]


def gather(x: Floats, out: Floats, index: Ints, count: int):
    """``out[i] = x[index[i]]``: put weights into the order in which a kernel reads them.

    An entry of ``index`` holds two places, the first in its lower half.
    """
    for i in range(0, count - 1, 2):
        pair = index[i // 2]
        out[i] = x[pair & 0xFFFFFFFF]
        out[i + 1] = x[pair >> 32]
    if count & 1:
        out[count - 1] = x[index[count // 2] & 0xFFFFFFFF]
