"""Kernels of normalisation within a sample: every lane has statistics of its own.

groups   what is normalised together: its place in each buffer, and its first parameter
members  the runs of ``length`` values that make up a group: places relative to the group's, and the parameter
         of the first value; that of the next is ``parameter_step`` further on

``statistics`` holds two vectors for each group of a block: the mean, and 1 / sqrt(variance + epsilon).
"""

from __future__ import annotations

from numba import float32 as f32

from striate.kernels.sums import BLOCK, added, completed, run_squares, run_sum
from striate.kernels.vector import (
    Floats,
    Ints,
    fma,
    lanes_of,
    select,
    shift,
    splat,
    vload,
    vsqrt,
    vstore,
    vsum,
)


def normalise(
    x: Floats,
    out: Floats,
    statistics: Floats,
    weight: Floats,
    bias: Floats,
    groups: Ints,
    group_count: int,
    members: Ints,
    member_count: int,
    length: int,
    parameter_step: int,
    blocks: int,
    x_block: int,
    out_block: int,
    statistics_block: int,
    epsilon: float,
    floor: float,
):
    """``out = max(floor, (x - mean) / sqrt(variance + epsilon) * weight + bias)``.

    groups and members hold places in x and out, then a parameter.
    """
    lanes = lanes_of(x)
    low, one, count = splat(x, floor), splat(x, f32(1.0)), splat(x, f32(member_count * length))
    for block in range(blocks):
        for g in range(group_count):
            xg = shift(x, block * x_block + groups[3 * g])
            og = shift(out, block * out_block + groups[3 * g + 1])
            wg, bg = shift(weight, groups[3 * g + 2]), shift(bias, groups[3 * g + 2])
            total = lost = splat(x, f32(0.0))
            for begin in range(0, member_count, BLOCK):
                part = splat(x, f32(0.0))
                for m in range(begin, min(begin + BLOCK, member_count)):
                    part = part + run_sum(xg, members[3 * m], length)
                total, lost = added(total, lost, part)
            mean = completed(total, lost) / count
            total = lost = splat(x, f32(0.0))
            for begin in range(0, member_count, BLOCK):
                part = splat(x, f32(0.0))
                for m in range(begin, min(begin + BLOCK, member_count)):
                    part = part + run_squares(xg, members[3 * m], length, mean)
                total, lost = added(total, lost, part)
            inverse = one / vsqrt(completed(total, lost) / count + epsilon)
            vstore(statistics, block * statistics_block + 2 * g * lanes, mean)
            vstore(statistics, block * statistics_block + (2 * g + 1) * lanes, inverse)
            for m in range(member_count):
                i, o, p = members[3 * m], members[3 * m + 1], members[3 * m + 2]
                for _ in range(length):
                    value = (vload(xg, i) - mean) * inverse * wg[p] + bg[p]
                    vstore(og, o, select(value < low, low, value))
                    i += lanes
                    o += lanes
                    p += parameter_step


def normalise_gradient(
    x: Floats,
    grad_out: Floats,
    grad_x: Floats,
    statistics: Floats,
    weight: Floats,
    groups: Ints,
    group_count: int,
    members: Ints,
    member_count: int,
    length: int,
    parameter_step: int,
    blocks: int,
    x_block: int,
    grad_out_block: int,
    grad_x_block: int,
    statistics_block: int,
    accumulate: int,
):
    """``grad_x = (h - mean(h) - z mean(h z)) / sqrt(variance + epsilon)`` with h = g weight, z the normalised x.

    groups and members hold places in x, grad_out and grad_x, then a parameter.

    References
    ----------
    Ba, Kiros and Hinton (2016), "Layer normalization".
    """
    lanes = lanes_of(x)
    share = f32(1.0) / f32(member_count * length)
    for block in range(blocks):
        for k in range(group_count):
            xg = shift(x, block * x_block + groups[4 * k])
            gg = shift(grad_out, block * grad_out_block + groups[4 * k + 1])
            dg = shift(grad_x, block * grad_x_block + groups[4 * k + 2])
            wg = shift(weight, groups[4 * k + 3])
            mean = vload(statistics, block * statistics_block + 2 * k * lanes)
            inverse = vload(statistics, block * statistics_block + (2 * k + 1) * lanes)
            total = lost = products = lost_products = splat(x, f32(0.0))
            for begin in range(0, member_count, BLOCK):
                part, product = splat(x, f32(0.0)), splat(x, f32(0.0))
                for m in range(begin, min(begin + BLOCK, member_count)):
                    i, g, p = members[4 * m], members[4 * m + 1], members[4 * m + 3]
                    for _ in range(length):
                        h = vload(gg, g) * wg[p]
                        part = part + h
                        product = fma(h, (vload(xg, i) - mean) * inverse, product)
                        i += lanes
                        g += lanes
                        p += parameter_step
                total, lost = added(total, lost, part)
                products, lost_products = added(products, lost_products, product)
            total, products = completed(total, lost) * share, completed(products, lost_products) * share
            for m in range(member_count):
                i, g, d, p = members[4 * m], members[4 * m + 1], members[4 * m + 2], members[4 * m + 3]
                for _ in range(length):
                    z = (vload(xg, i) - mean) * inverse
                    value = (vload(gg, g) * wg[p] - total - z * products) * inverse
                    if accumulate != 0:
                        value = value + vload(dg, d)
                    vstore(dg, d, value)
                    i += lanes
                    g += lanes
                    d += lanes
                    p += parameter_step


def parameter_gradient(
    x: Floats,
    grad_out: Floats,
    statistics: Floats,
    grad_weight: Floats,
    grad_bias: Floats,
    parameters: Ints,
    parameter_count: int,
    runs: Ints,
    run_count: int,
    length: int,
    statistics_step: int,
    blocks: int,
    x_block: int,
    grad_out_block: int,
    statistics_block: int,
):
    """``grad_weight[p] += sum of g z`` and ``grad_bias[p] += sum of g`` over all values with parameter p.

    parameters and runs hold places in x, grad_out and statistics; from one value of a run to the next the
    statistics are ``statistics_step`` further on.
    """
    lanes = lanes_of(x)
    for p in range(parameter_count):
        products, total = splat(x, f32(0.0)), splat(x, f32(0.0))
        for block in range(blocks):
            xp = shift(x, block * x_block + parameters[3 * p])
            gp = shift(grad_out, block * grad_out_block + parameters[3 * p + 1])
            sp = shift(statistics, block * statistics_block + parameters[3 * p + 2])
            for r in range(run_count):
                i, g, s = runs[3 * r], runs[3 * r + 1], runs[3 * r + 2]
                for _ in range(length):
                    value = vload(gp, g)
                    z = (vload(xp, i) - vload(sp, s)) * vload(sp, s + lanes)
                    products = fma(value, z, products)
                    total = total + value
                    i += lanes
                    g += lanes
                    s += statistics_step
        grad_weight[p] += vsum(products)
        grad_bias[p] += vsum(total)
