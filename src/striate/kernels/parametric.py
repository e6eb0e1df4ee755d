"""Kernels of the ReLU whose slope is learnt; ``channels`` and ``runs`` as in ``normalisation``.

The slope of channel c is ``weight[c * weight_step]``: a step of 0 shares one slope.
"""

from __future__ import annotations

from numba import float32 as f32

from striate.kernels.functions import where_positive
from striate.kernels.vector import Floats, Ints, lanes_of, shift, splat, vload, vstore, vsum


def parametric_relu(
    x: Floats,
    out: Floats,
    weight: Floats,
    weight_step: int,
    channels: Ints,
    channel_count: int,
    runs: Ints,
    run_count: int,
    length: int,
    blocks: int,
    x_block: int,
    out_block: int,
):
    """``out = x`` where x > 0, ``weight[c] x`` elsewhere."""
    lanes = lanes_of(x)
    for block in range(blocks):
        for c in range(channel_count):
            xc = shift(x, block * x_block + channels[2 * c])
            oc = shift(out, block * out_block + channels[2 * c + 1])
            slope = splat(x, weight[c * weight_step])
            for r in range(run_count):
                i, o = runs[2 * r], runs[2 * r + 1]
                for _ in range(length):
                    value = vload(xc, i)
                    vstore(oc, o, where_positive(value, value, value * slope))
                    i += lanes
                    o += lanes


def parametric_relu_gradient(
    x: Floats,
    grad_out: Floats,
    grad_x: Floats,
    weight: Floats,
    grad_weight: Floats,
    weight_step: int,
    channels: Ints,
    channel_count: int,
    runs: Ints,
    run_count: int,
    length: int,
    blocks: int,
    x_block: int,
    grad_out_block: int,
    grad_x_block: int,
    spread: int,
    accumulate: int,
):
    """``grad_x = g`` or ``weight[c] g``, and ``grad_weight[c] += sum of g x`` where x <= 0.

    Without ``spread`` grad_x is left alone.
    """
    lanes = lanes_of(x)
    zero = splat(x, f32(0.0))
    for c in range(channel_count):
        slope, products = splat(x, weight[c * weight_step]), zero
        for block in range(blocks):
            xc = shift(x, block * x_block + channels[3 * c])
            gc = shift(grad_out, block * grad_out_block + channels[3 * c + 1])
            dc = shift(grad_x, block * grad_x_block + channels[3 * c + 2])
            for r in range(run_count):
                i, g, d = runs[3 * r], runs[3 * r + 1], runs[3 * r + 2]
                for _ in range(length):
                    value, grad = vload(xc, i), vload(gc, g)
                    products = products + where_positive(value, zero, value * grad)
                    if spread != 0:
                        grad = where_positive(value, grad, grad * slope)
                        if accumulate != 0:
                            grad = grad + vload(dc, d)
                        vstore(dc, d, grad)
                    i += lanes
                    g += lanes
                    d += lanes
        grad_weight[c * weight_step] += vsum(products)
