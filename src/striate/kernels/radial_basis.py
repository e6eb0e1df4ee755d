"""Kernels of squared distances from centres: samples in the lanes, ``weight`` float32[K, C].

``features`` holds the place of every feature in each buffer, ``rows`` that of every output.
"""

from __future__ import annotations

from numba import float32 as f32

from striate.kernels.vector import Floats, Ints, fma, shift, splat, vload, vstore, vsum


def radial_basis(
    x: Floats,
    out: Floats,
    weight: Floats,
    features: Ints,
    feature_count: int,
    rows: Ints,
    row_count: int,
    blocks: int,
    x_block: int,
    out_block: int,
):
    """``out[k] = sum over c of (x[c] - weight[k, c])^2``."""
    for block in range(blocks):
        xb, ob = shift(x, block * x_block), shift(out, block * out_block)
        for k in range(row_count):
            centre = shift(weight, k * feature_count)
            total = splat(x, f32(0.0))
            for c in range(feature_count):
                distance = vload(xb, features[c]) - centre[c]
                total = fma(distance, distance, total)
            vstore(ob, rows[k], total)


def radial_basis_gradient(
    x: Floats,
    grad_out: Floats,
    grad_x: Floats,
    weight: Floats,
    features: Ints,
    feature_count: int,
    rows: Ints,
    row_count: int,
    blocks: int,
    x_block: int,
    grad_out_block: int,
    grad_x_block: int,
    accumulate: int,
):
    """``grad_x[c] = 2 sum over k of (x[c] - weight[k, c]) g[k]``; features hold (place of x, of grad_x)."""
    for block in range(blocks):
        xb, gb = shift(x, block * x_block), shift(grad_out, block * grad_out_block)
        db = shift(grad_x, block * grad_x_block)
        for c in range(feature_count):
            value = vload(xb, features[2 * c])
            total = splat(x, f32(0.0))
            for k in range(row_count):
                total = fma(value - weight[k * feature_count + c], vload(gb, rows[k]), total)
            total = total * f32(2.0)
            if accumulate != 0:
                total = total + vload(db, features[2 * c + 1])
            vstore(db, features[2 * c + 1], total)


def radial_basis_weight_gradient(
    x: Floats,
    grad_out: Floats,
    weight: Floats,
    grad_weight: Floats,
    features: Ints,
    feature_count: int,
    rows: Ints,
    row_count: int,
    blocks: int,
    x_block: int,
    grad_out_block: int,
):
    """``grad_weight[k, c] += 2 sum over samples of (weight[k, c] - x[c]) g[k]``."""
    for k in range(row_count):
        for c in range(feature_count):
            at = k * feature_count + c
            centre, total = splat(x, weight[at]), splat(x, f32(0.0))
            for block in range(blocks):
                distance = centre - vload(x, block * x_block + features[c])
                total = fma(distance, vload(grad_out, block * grad_out_block + rows[k]), total)
            grad_weight[at] += f32(2.0) * vsum(total)
