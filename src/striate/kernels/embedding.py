"""Kernels of embeddings: a row of the table for the symbol of every lane.

``positions`` holds the place of every symbol and of its vector's first value; the values are ``channel`` apart.
"""

from __future__ import annotations

from numba import float32 as f32

from striate.kernels.vector import Floats, Ints, lanes_of, shift


def look_up(
    x: Floats,
    out: Floats,
    weight: Floats,
    entries: int,
    dimensions: int,
    positions: Ints,
    position_count: int,
    channel: int,
    blocks: int,
    x_block: int,
    out_block: int,
    present: Floats,
    wrong: Floats,
):
    """``out[e, p] = weight[x[p], e]``; a number that is no symbol counts as 0.

    Where that is so in a sample that is present, ``wrong`` holds 1 and the number.
    """
    lanes = lanes_of(x)
    for block in range(blocks):
        xb, ob = shift(x, block * x_block), shift(out, block * out_block)
        for p in range(position_count):
            for lane in range(lanes):
                value = xb[positions[2 * p] + lane]
                symbol = 0
                if value >= 0 and value < entries and value == int(value):
                    symbol = int(value)
                elif present[block * lanes + lane] != 0:
                    wrong[0], wrong[1] = f32(1.0), value
                row, to = shift(weight, symbol * dimensions), positions[2 * p + 1] + lane
                for e in range(dimensions):
                    ob[to] = row[e]
                    to += channel


def look_up_gradient(
    x: Floats,
    grad_out: Floats,
    grad_weight: Floats,
    entries: int,
    dimensions: int,
    positions: Ints,
    position_count: int,
    channel: int,
    blocks: int,
    x_block: int,
    grad_out_block: int,
):
    """``grad_weight[x[p], e] += grad_out[e, p]``."""
    lanes = lanes_of(x)
    for block in range(blocks):
        xb, gb = shift(x, block * x_block), shift(grad_out, block * grad_out_block)
        for p in range(position_count):
            for lane in range(lanes):
                value = xb[positions[2 * p] + lane]
                symbol = int(value) if value >= 0 and value < entries else 0
                row, at = shift(grad_weight, symbol * dimensions), positions[2 * p + 1] + lane
                for e in range(dimensions):
                    row[e] += gb[at]
                    at += channel
