"""Kernels that treat every value alike: activations, sums, copies.

Buffers may carry margins, so the values come in runs: ``runs`` holds (place in, place out) of each, and all
runs have ``length`` vectors.
"""

from __future__ import annotations

from striate.kernels.functions import ACTIVATIONS
from striate.kernels.sums import run_sum
from striate.kernels.vector import Floats, Ints, lanes_of, select, shift, splat, vload, vstore, vsum


def activation(name):
    """``out = f(x, a, b)`` for the activation called ``name``."""
    function = ACTIVATIONS[name][0]

    def kernel(
        x: Floats,
        out: Floats,
        runs: Ints,
        run_count: int,
        length: int,
        blocks: int,
        x_block: int,
        out_block: int,
        a: float,
        b: float,
    ):
        lanes = lanes_of(x)
        for block in range(blocks):
            xb, ob = shift(x, block * x_block), shift(out, block * out_block)
            for r in range(run_count):
                i, o = runs[2 * r], runs[2 * r + 1]
                for _ in range(length):
                    vstore(ob, o, function(vload(xb, i), a, b))
                    i += lanes
                    o += lanes

    return kernel


def activation_gradient(name):
    """``grad_x = grad_y * f'(x)`` (plus what is there, to accumulate)."""
    function = ACTIVATIONS[name][1]

    def kernel(
        x: Floats,
        y: Floats,
        grad_y: Floats,
        grad_x: Floats,
        runs: Ints,
        run_count: int,
        length: int,
        blocks: int,
        x_block: int,
        y_block: int,
        grad_y_block: int,
        grad_x_block: int,
        accumulate: int,
        a: float,
        b: float,
    ):
        lanes = lanes_of(x)
        for block in range(blocks):
            xb, yb = shift(x, block * x_block), shift(y, block * y_block)
            gyb, gxb = shift(grad_y, block * grad_y_block), shift(grad_x, block * grad_x_block)
            for r in range(run_count):
                i, o, gy, gx = runs[4 * r], runs[4 * r + 1], runs[4 * r + 2], runs[4 * r + 3]
                for _ in range(length):
                    g = function(vload(xb, i), vload(yb, o), vload(gyb, gy), a, b)
                    if accumulate != 0:
                        g = g + vload(gxb, gx)
                    vstore(gxb, gx, g)
                    i += lanes
                    o += lanes
                    gy += lanes
                    gx += lanes

    return kernel


def copy(
    x: Floats,
    out: Floats,
    runs: Ints,
    run_count: int,
    length: int,
    blocks: int,
    x_block: int,
    out_block: int,
    accumulate: int,
):
    """``out = x``, or ``out += x``."""
    lanes = lanes_of(x)
    for block in range(blocks):
        xb, ob = shift(x, block * x_block), shift(out, block * out_block)
        for r in range(run_count):
            a, o = runs[2 * r], runs[2 * r + 1]
            for _ in range(length):
                value = vload(xb, a)
                if accumulate != 0:
                    value = value + vload(ob, o)
                vstore(ob, o, value)
                a += lanes
                o += lanes


def add(
    x: Floats,
    y: Floats,
    out: Floats,
    runs: Ints,
    run_count: int,
    length: int,
    blocks: int,
    x_block: int,
    y_block: int,
    out_block: int,
    floor: float,
):
    """``out = max(floor, x + y)``."""
    lanes = lanes_of(x)
    low = splat(x, floor)
    for block in range(blocks):
        xb, yb, ob = shift(x, block * x_block), shift(y, block * y_block), shift(out, block * out_block)
        for r in range(run_count):
            a, b, o = runs[3 * r], runs[3 * r + 1], runs[3 * r + 2]
            for _ in range(length):
                value = vload(xb, a) + vload(yb, b)
                vstore(ob, o, select(value < low, low, value))
                a += lanes
                b += lanes
                o += lanes


def multiply(
    x: Floats,
    y: Floats,
    out: Floats,
    runs: Ints,
    run_count: int,
    length: int,
    blocks: int,
    x_block: int,
    y_block: int,
    out_block: int,
    accumulate: int,
):
    """``out = x * y``, or ``out += x * y``."""
    lanes = lanes_of(x)
    for block in range(blocks):
        xb, yb, ob = shift(x, block * x_block), shift(y, block * y_block), shift(out, block * out_block)
        for r in range(run_count):
            a, b, o = runs[3 * r], runs[3 * r + 1], runs[3 * r + 2]
            for _ in range(length):
                value = vload(xb, a) * vload(yb, b)
                if accumulate != 0:
                    value = value + vload(ob, o)
                vstore(ob, o, value)
                a += lanes
                b += lanes
                o += lanes


def move(
    x: Floats,
    out: Floats,
    channels: Ints,
    channel_count: int,
    pairs: Ints,
    pair_count: int,
    blocks: int,
    x_block: int,
    out_block: int,
    accumulate: int,
):
    """``out[pair[1]] = x[pair[0]]`` (or +=) in every channel: what padding, cropping and repeating do."""
    for block in range(blocks):
        for c in range(channel_count):
            xc = shift(x, block * x_block + channels[2 * c])
            oc = shift(out, block * out_block + channels[2 * c + 1])
            for i in range(pair_count):
                value = vload(xc, pairs[2 * i])
                if accumulate != 0:
                    value = value + vload(oc, pairs[2 * i + 1])
                vstore(oc, pairs[2 * i + 1], value)


def fill(out: Floats, count: int, value: float):
    """Set ``count`` values to ``value``."""
    lanes = lanes_of(out)
    constant = splat(out, value)
    whole = count // lanes * lanes
    for i in range(0, whole, lanes):
        vstore(out, i, constant)
    for i in range(whole, count):
        out[i] = value


def channel_sums(
    x: Floats,
    out: Floats,
    channels: Ints,
    channel_count: int,
    runs: Ints,
    run_count: int,
    length: int,
    blocks: int,
    x_block: int,
):
    """``out[channels[2c + 1]] = sum over blocks, runs, lanes of x[channels[2c] + run]``: a bias gradient."""
    for c in range(channel_count):
        total = splat(x, 0.0)
        for block in range(blocks):
            xb = shift(x, block * x_block + channels[2 * c])
            for r in range(run_count):
                total = total + run_sum(xb, runs[r], length)
        out[channels[2 * c + 1]] = vsum(total)
