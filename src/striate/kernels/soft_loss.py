"""Kernels of losses of targets that are distributions: smoothed labels, blended samples."""

from __future__ import annotations

from numba import float32 as f32
from numba import njit

from striate.kernels.functions import vexp, vlog
from striate.kernels.vector import Floats, Ints, lanes_of, select, shift, splat, vload, vstore


@njit(inline="always")
def _first_largest(x, features, step, count):
    """Return the largest value of ``count`` vectors and the place of the first that has it."""
    top, best = vload(x, features[0]), splat(x, f32(0.0))
    for c in range(1, count):
        value = vload(x, features[c * step])
        larger = value > top
        top = select(larger, value, top)
        best = select(larger, splat(x, f32(c)), best)
    return top, best


@njit(inline="always")
def _largest_target(target, count, lanes):
    top, best = vload(target, 0), splat(target, f32(0.0))
    for c in range(1, count):
        value = vload(target, c * lanes)
        larger = value > top
        top = select(larger, value, top)
        best = select(larger, splat(target, f32(c)), best)
    return best


@njit(inline="always")
def _of_block(z, gz, q, weight, features, grad_features, count, lanes):
    """Store the gradient of a block; return losses, and where the largest logit is that of the largest share."""
    one, zero = splat(z, f32(1.0)), splat(z, f32(0.0))
    top, best = _first_largest(z, features, 1, count)
    total, shares = zero, zero
    for c in range(count):
        power = vexp(vload(z, features[c]) - top)
        total = total + power
        shares = shares + vload(q, c * lanes)
        vstore(gz, grad_features[c], power)
    depth, loss = vlog(total), zero
    for c in range(count):
        loss = loss + vload(q, c * lanes) * (depth + (top - vload(z, features[c])))
    scale = weight * shares / total
    for c in range(count):
        vstore(gz, grad_features[c], vload(gz, grad_features[c]) * scale - vload(q, c * lanes) * weight)
    return loss, select(best == _largest_target(q, count, lanes), one, zero)


def soft_cross_entropy(
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
    """Cross-entropy of the softmax of the logits with the shares in ``targets``, and its gradient.

    ``loss = sum over c of q[c] (log(sum over d of exp(z[d])) - z[c])``,
    ``grad[c] = (softmax(z)[c] * sum of q - q[c]) * weight``. ``targets`` holds ``count`` vectors for each
    block. ``correct`` is 1 where the first of the largest logits is the first of the largest shares.
    """
    lanes = lanes_of(outputs)
    for block in range(blocks):
        z, gz = shift(outputs, block * outputs_block), shift(grad, block * grad_block)
        q, weight = shift(targets, block * count * lanes), vload(weights, block * lanes)
        loss, right = _of_block(z, gz, q, weight, features, grad_features, count, lanes)
        vstore(losses, block * lanes, loss)
        vstore(correct, block * lanes, right)


def kl_divergence(
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
    """The cross-entropy with the shares in ``targets``, less their own entropy; the gradient is the same.

    ``loss = sum over c of q[c] (log q[c] - log p[c])`` with p = softmax(z) and 0 log 0 = 0.
    """
    lanes = lanes_of(outputs)
    one, zero = splat(outputs, f32(1.0)), splat(outputs, f32(0.0))
    for block in range(blocks):
        z, gz = shift(outputs, block * outputs_block), shift(grad, block * grad_block)
        q, weight = shift(targets, block * count * lanes), vload(weights, block * lanes)
        loss, right = _of_block(z, gz, q, weight, features, grad_features, count, lanes)
        for c in range(count):
            share = vload(q, c * lanes)
            loss = loss + share * vlog(select(share > zero, share, one))
        vstore(losses, block * lanes, loss)
        vstore(correct, block * lanes, right)
