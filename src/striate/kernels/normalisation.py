"""Kernels of normalisation.

``channels`` holds the place of every channel in each buffer, ``runs`` the place of every run of ``length``
values of a channel in each buffer. ``present`` holds 1 for every sample of the batch and 0 for what fills
up a block.
"""

from __future__ import annotations

import math

from numba import float32 as f32

from striate.kernels.sums import run_products, run_squares, run_sum
from striate.kernels.vector import Floats, Ints, lanes_of, select, shift, splat, vload, vstore, vsum


def channel_affine(
    x: Floats,
    out: Floats,
    scale: Floats,
    offset: Floats,
    channels: Ints,
    channel_count: int,
    runs: Ints,
    run_count: int,
    length: int,
    blocks: int,
    x_block: int,
    out_block: int,
    floor: float,
    accumulate: int,
):
    """``out = max(floor, x * scale[channel] + offset[channel])`` (plus what is there, to accumulate)."""
    lanes = lanes_of(x)
    low = splat(x, floor)
    for block in range(blocks):
        for c in range(channel_count):
            xc = shift(x, block * x_block + channels[2 * c])
            oc = shift(out, block * out_block + channels[2 * c + 1])
            a, b = splat(x, scale[c]), splat(x, offset[c])
            for r in range(run_count):
                i, o = runs[2 * r], runs[2 * r + 1]
                for _ in range(length):
                    value = vload(xc, i) * a + b
                    value = select(value < low, low, value)
                    if accumulate != 0:
                        value = value + vload(oc, o)
                    vstore(oc, o, value)
                    i += lanes
                    o += lanes


def channel_affine_gradient(
    x: Floats,
    grad_out: Floats,
    grad_scale: Floats,
    grad_offset: Floats,
    channels: Ints,
    channel_count: int,
    runs: Ints,
    run_count: int,
    length: int,
    blocks: int,
    x_block: int,
    grad_block: int,
):
    """Gradients of scale and offset: ``sum of grad_out * x`` and ``sum of grad_out`` for each channel, added."""
    for c in range(channel_count):
        products, total, zero = splat(x, f32(0.0)), splat(x, f32(0.0)), splat(x, f32(0.0))
        for block in range(blocks):
            xc = shift(x, block * x_block + channels[2 * c])
            gc = shift(grad_out, block * grad_block + channels[2 * c + 1])
            for r in range(run_count):
                more, sums = run_products(xc, runs[2 * r], gc, runs[2 * r + 1], length, zero)
                products, total = products + more, total + sums
        grad_scale[c] += vsum(products)
        grad_offset[c] += vsum(total)


def batch_moments(
    x: Floats,
    present: Floats,
    moments: Floats,
    channels: Ints,
    channel_count: int,
    step: int,
    runs: Ints,
    run_count: int,
    length: int,
    blocks: int,
    x_block: int,
):
    """Mean and sum of squared deviations of every channel of a shard: ``moments[c]``, ``moments[step + c]``."""
    lanes = lanes_of(x)
    samples = f32(0.0)
    for block in range(blocks):
        samples += vsum(vload(present, block * lanes))
    count = samples * f32(run_count * length)
    for c in range(channel_count):
        total = splat(x, f32(0.0))
        for block in range(blocks):
            xc, here = shift(x, block * x_block + channels[c]), vload(present, block * lanes)
            part = splat(x, f32(0.0))
            for r in range(run_count):
                part = part + run_sum(xc, runs[r], length)
            total = total + part * here
        mean = vsum(total) / count
        centre = splat(x, mean)
        squares = splat(x, f32(0.0))
        for block in range(blocks):
            xc, here = shift(x, block * x_block + channels[c]), vload(present, block * lanes)
            part = splat(x, f32(0.0))
            for r in range(run_count):
                part = part + run_squares(xc, runs[r], length, centre)
            squares = squares + part * here
        moments[c] = mean
        moments[step + c] = vsum(squares)


def batch_statistics(
    moments: Floats,
    stride: int,
    batch: Floats,
    shard_samples: int,
    space: int,
    weight: Floats,
    bias: Floats,
    affine: int,
    running_mean: Floats,
    running_variance: Floats,
    momentum: float,
    epsilon: float,
    scale: Floats,
    offset: Floats,
    mean: Floats,
    inverse: Floats,
    channel_count: int,
):
    """Join the moments of all shards, in their order, and turn them into a scale and an offset per channel.

    References
    ----------
    Chan, Golub and LeVeque (1983), "Algorithms for computing the sample variance", equation 2.1.
    """
    shards = int(batch[1])
    for c in range(channel_count):
        count, centre, squares = 0.0, 0.0, 0.0
        for s in range(shards):
            part = shift(moments, s * stride)
            more = space * min(float(batch[0]) - s * shard_samples, float(shard_samples))
            delta = float(part[c]) - centre
            total = count + more
            centre += delta * more / total
            squares += float(part[channel_count + c]) + delta * delta * count * more / total
            count = total
        variance = squares / count
        unbiased = squares / max(count - 1.0, 1.0)
        running_mean[c] += momentum * f32(centre - running_mean[c])
        running_variance[c] += momentum * f32(unbiased - running_variance[c])
        fix = 1.0 / math.sqrt(variance + epsilon)
        gain = fix * weight[c] if affine != 0 else fix
        mean[c], inverse[c] = f32(centre), f32(fix)
        scale[c] = f32(gain)
        offset[c] = f32((bias[c] if affine != 0 else 0.0) - centre * gain)


def running_affine(
    weight: Floats,
    bias: Floats,
    affine: int,
    running_mean: Floats,
    running_variance: Floats,
    epsilon: float,
    scale: Floats,
    offset: Floats,
    channel_count: int,
):
    """The scale and the offset of every channel at evaluation, from the running statistics."""
    for c in range(channel_count):
        gain = 1.0 / math.sqrt(running_variance[c] + epsilon)
        if affine != 0:
            gain *= weight[c]
        scale[c] = f32(gain)
        offset[c] = f32((bias[c] if affine != 0 else 0.0) - running_mean[c] * gain)


def batch_gradient_sums(
    x: Floats,
    grad_out: Floats,
    mean: Floats,
    inverse: Floats,
    sums: Floats,
    grad_weight: Floats,
    grad_bias: Floats,
    affine: int,
    channels: Ints,
    channel_count: int,
    step: int,
    runs: Ints,
    run_count: int,
    length: int,
    blocks: int,
    x_block: int,
    grad_block: int,
):
    """``sums[c] = sum of g`` and ``sums[step + c] = sum of g z`` over a shard, z the standardised input."""
    for c in range(channel_count):
        centre = splat(x, mean[c])
        total, products = splat(x, f32(0.0)), splat(x, f32(0.0))
        for block in range(blocks):
            xc = shift(x, block * x_block + channels[2 * c])
            gc = shift(grad_out, block * grad_block + channels[2 * c + 1])
            for r in range(run_count):
                more, gradient = run_products(xc, runs[2 * r], gc, runs[2 * r + 1], length, centre)
                products, total = products + more, total + gradient
        sums[c], sums[step + c] = vsum(total), vsum(products) * inverse[c]
        if affine != 0:
            grad_weight[c] += sums[step + c]
            grad_bias[c] += sums[c]


def batch_gradient_factors(
    sums: Floats,
    stride: int,
    batch: Floats,
    weight: Floats,
    affine: int,
    mean: Floats,
    inverse: Floats,
    space: int,
    factors: Floats,
    channel_count: int,
):
    """Factors of ``grad_x = f[c] g + f[C + c] x + f[2C + c]``, from the sums of all shards in their order.

    References
    ----------
    Ioffe and Szegedy (2015), "Batch normalization", section 3.
    """
    shards = int(batch[1])
    count = float(batch[0]) * space
    for c in range(channel_count):
        total, products = 0.0, 0.0
        for s in range(shards):
            total += sums[s * stride + c]
            products += sums[s * stride + channel_count + c]
        fix = float(inverse[c])
        gain = fix * weight[c] if affine != 0 else fix
        slope = -gain * fix * products / count
        factors[c] = f32(gain)
        factors[channel_count + c] = f32(slope)
        factors[2 * channel_count + c] = f32(-gain * total / count - slope * mean[c])


def batch_gradient(
    x: Floats,
    grad_out: Floats,
    grad_x: Floats,
    factors: Floats,
    present: Floats,
    channels: Ints,
    channel_count: int,
    step: int,
    runs: Ints,
    run_count: int,
    length: int,
    blocks: int,
    x_block: int,
    grad_out_block: int,
    grad_x_block: int,
    accumulate: int,
):
    """``grad_x = f[c] g + f[step + c] x + f[2 step + c]`` for the samples that are present."""
    lanes = lanes_of(x)
    for block in range(blocks):
        here = vload(present, block * lanes)
        for c in range(channel_count):
            xc = shift(x, block * x_block + channels[3 * c])
            gc = shift(grad_out, block * grad_out_block + channels[3 * c + 1])
            dc = shift(grad_x, block * grad_x_block + channels[3 * c + 2])
            f = splat(x, factors[c])
            s = splat(x, factors[step + c])
            o = splat(x, factors[2 * step + c])
            for r in range(run_count):
                i, g, d = runs[3 * r], runs[3 * r + 1], runs[3 * r + 2]
                for _ in range(length):
                    value = (vload(gc, g) * f + (vload(xc, i) * s + o)) * here
                    if accumulate != 0:
                        value = value + vload(dc, d)
                    vstore(dc, d, value)
                    i += lanes
                    g += lanes
                    d += lanes
