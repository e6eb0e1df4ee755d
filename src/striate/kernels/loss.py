"""Kernels of losses and of softmax: a sample in every lane, its classes one after the other.

``features`` holds the place of each output; ``weights`` one number per sample, 0 for the samples that fill
up a block. Losses are stored per sample, unweighted; gradients are weighted.
"""

from __future__ import annotations

from numba import float32 as f32
from numba import njit

from striate.kernels.functions import vexp, vlog
from striate.kernels.vector import Floats, Ints, lanes_of, mask_and, select, shift, splat, vload, vstore


@njit(inline="always")
def _largest(z, features, step, count):
    top = vload(z, features[0])
    for c in range(1, count):
        value = vload(z, features[c * step])
        top = select(value > top, value, top)
    return top


def softmax(
    x: Floats,
    out: Floats,
    features: Ints,
    count: int,
    groups: Ints,
    group_count: int,
    blocks: int,
    x_block: int,
    out_block: int,
):
    """Softmax over ``count`` channels at each of ``group_count`` positions.

    features and groups hold (place in x, place in out).
    """
    for block in range(blocks):
        for g in range(group_count):
            z = shift(x, block * x_block + groups[2 * g])
            y = shift(out, block * out_block + groups[2 * g + 1])
            top = _largest(z, features, 2, count)
            total = splat(x, f32(0.0))
            for c in range(count):
                power = vexp(vload(z, features[2 * c]) - top)
                total = total + power
                vstore(y, features[2 * c + 1], power)
            scale = f32(1.0) / total
            for c in range(count):
                vstore(y, features[2 * c + 1], vload(y, features[2 * c + 1]) * scale)


def softmax_gradient(
    y: Floats,
    grad_y: Floats,
    grad_x: Floats,
    features: Ints,
    count: int,
    groups: Ints,
    group_count: int,
    blocks: int,
    y_block: int,
    grad_y_block: int,
    grad_x_block: int,
    accumulate: int,
):
    """``grad_x[c] = y[c] (grad_y[c] - sum over d of grad_y[d] y[d])``.

    features and groups hold (place in y, place in grad_y, place in grad_x).
    """
    for block in range(blocks):
        for g in range(group_count):
            yb = shift(y, block * y_block + groups[3 * g])
            gy = shift(grad_y, block * grad_y_block + groups[3 * g + 1])
            gx = shift(grad_x, block * grad_x_block + groups[3 * g + 2])
            inner = splat(y, f32(0.0))
            for c in range(count):
                inner = inner + vload(gy, features[3 * c + 1]) * vload(yb, features[3 * c])
            for c in range(count):
                value = vload(yb, features[3 * c]) * (vload(gy, features[3 * c + 1]) - inner)
                if accumulate != 0:
                    value = value + vload(gx, features[3 * c + 2])
                vstore(gx, features[3 * c + 2], value)


def log_softmax(
    x: Floats,
    out: Floats,
    features: Ints,
    count: int,
    groups: Ints,
    group_count: int,
    blocks: int,
    x_block: int,
    out_block: int,
):
    """The logarithm of the softmax; tables as those of ``softmax``."""
    for block in range(blocks):
        for g in range(group_count):
            z = shift(x, block * x_block + groups[2 * g])
            y = shift(out, block * out_block + groups[2 * g + 1])
            top = _largest(z, features, 2, count)
            total = splat(x, f32(0.0))
            for c in range(count):
                total = total + vexp(vload(z, features[2 * c]) - top)
            depth = vlog(total)
            for c in range(count):
                vstore(y, features[2 * c + 1], (vload(z, features[2 * c]) - top) - depth)


def log_softmax_gradient(
    y: Floats,
    grad_y: Floats,
    grad_x: Floats,
    features: Ints,
    count: int,
    groups: Ints,
    group_count: int,
    blocks: int,
    y_block: int,
    grad_y_block: int,
    grad_x_block: int,
    accumulate: int,
):
    """``grad_x[c] = grad_y[c] - exp(y[c]) sum over d of grad_y[d]``; tables as those of ``softmax_gradient``."""
    for block in range(blocks):
        for g in range(group_count):
            yb = shift(y, block * y_block + groups[3 * g])
            gy = shift(grad_y, block * grad_y_block + groups[3 * g + 1])
            gx = shift(grad_x, block * grad_x_block + groups[3 * g + 2])
            total = splat(y, f32(0.0))
            for c in range(count):
                total = total + vload(gy, features[3 * c + 1])
            for c in range(count):
                value = vload(gy, features[3 * c + 1]) - vexp(vload(yb, features[3 * c])) * total
                if accumulate != 0:
                    value = value + vload(gx, features[3 * c + 2])
                vstore(gx, features[3 * c + 2], value)


def softmax_cross_entropy(
    outputs: Floats,
    grad: Floats,
    targets: Floats,
    weights: Floats,
    losses: Floats,
    correct: Floats,
    features: Ints,
    grad_features: Ints,
    count: int,
    blocks: int,
    outputs_block: int,
    grad_block: int,
):
    """Cross-entropy of the softmax of the logits with the class in ``targets``, and its gradient.

    ``loss = log(sum over c of exp(z[c])) - z[t]``, ``grad[c] = (softmax(z)[c] - [c = t]) * weight``.
    ``correct`` is 1 where the first of the largest logits is that of the class.
    """
    lanes = lanes_of(outputs)
    one, zero = splat(outputs, f32(1.0)), splat(outputs, f32(0.0))
    for block in range(blocks):
        z, gz = shift(outputs, block * outputs_block), shift(grad, block * grad_block)
        target, weight = vload(targets, block * lanes), vload(weights, block * lanes)
        top = _largest(z, features, 1, count)
        total, chosen, best = zero, zero, splat(outputs, f32(-1.0))
        for c in range(count):
            value = vload(z, features[c])
            here = splat(outputs, f32(c))
            power = vexp(value - top)
            total = total + power
            vstore(gz, grad_features[c], power)
            chosen = select(target == here, value, chosen)
            best = select(mask_and(value >= top, best < zero), here, best)
        vstore(losses, block * lanes, vlog(total) + (top - chosen))
        vstore(correct, block * lanes, select(best == target, one, zero))
        scale = weight / total
        for c in range(count):
            hit = select(target == splat(outputs, f32(c)), weight, zero)
            vstore(gz, grad_features[c], vload(gz, grad_features[c]) * scale - hit)


def mean_squared_error(
    outputs: Floats,
    grad: Floats,
    targets: Floats,
    weights: Floats,
    losses: Floats,
    correct: Floats,
    features: Ints,
    grad_features: Ints,
    count: int,
    blocks: int,
    outputs_block: int,
    grad_block: int,
):
    """``loss = 1/T sum over t of (y[t] - target[t])^2``, ``grad[t] = 2/T (y[t] - target[t]) * weight``.

    The arguments are those of every loss; ``targets`` holds ``count`` vectors for each block.
    """
    lanes = lanes_of(outputs)
    share = f32(1.0) / f32(count)
    for block in range(blocks):
        y, gy = shift(outputs, block * outputs_block), shift(grad, block * grad_block)
        target, weight = shift(targets, block * count * lanes), vload(weights, block * lanes)
        total = splat(outputs, f32(0.0))
        for c in range(count):
            error = vload(y, features[c]) - vload(target, c * lanes)
            total = total + error * error
            vstore(gy, grad_features[c], error * weight * (f32(2.0) * share))
        vstore(losses, block * lanes, total * share)
        vstore(correct, block * lanes, splat(outputs, f32(0.0)))
