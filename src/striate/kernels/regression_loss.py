"""Kernels of losses of regressions, means over the outputs of a sample.

The arguments are those of ``loss``, and ``numbers`` of each loss; ``targets`` holds a vector for each target of
a block.
"""

from __future__ import annotations

from numba import float32 as f32

from striate.kernels.functions import clip, vexp
from striate.kernels.vector import Floats, Ints, lanes_of, select, shift, splat, vabs, vload, vstore


def mean_absolute_error(
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
    """``loss = 1/T sum over t of |e|`` with e = y[t] - target[t], ``grad[t] = sign(e) / T * weight``, 0 at 0."""
    lanes = lanes_of(outputs)
    zero = splat(outputs, f32(0.0))
    share = f32(1.0) / f32(count)
    for block in range(blocks):
        y, gy = shift(outputs, block * outputs_block), shift(grad, block * grad_block)
        target, weight = shift(targets, block * count * lanes), vload(weights, block * lanes) * share
        total = zero
        for c in range(count):
            error = vload(y, features[c]) - vload(target, c * lanes)
            total = total + vabs(error)
            slope = select(error > zero, weight, select(error < zero, zero - weight, zero))
            vstore(gy, grad_features[c], slope)
        vstore(losses, block * lanes, total * share)
        vstore(correct, block * lanes, zero)


def huber(
    outputs: Floats,
    grad: Floats,
    targets: Floats,
    weights: Floats,
    losses: Floats,
    correct: Floats,
    numbers: Floats,
    features: Ints,
    grad_features: Ints,
    count: int,
    blocks: int,
    outputs_block: int,
    grad_block: int,
):
    """Of an error e ``e^2 / 2`` where |e| <= delta, else ``delta (|e| - delta / 2)``; ``numbers`` holds delta."""
    lanes = lanes_of(outputs)
    share, delta = f32(1.0) / f32(count), numbers[0]
    bend = splat(outputs, delta)
    for block in range(blocks):
        y, gy = shift(outputs, block * outputs_block), shift(grad, block * grad_block)
        target, weight = shift(targets, block * count * lanes), vload(weights, block * lanes) * share
        total = splat(outputs, f32(0.0))
        for c in range(count):
            error = vload(y, features[c]) - vload(target, c * lanes)
            size = vabs(error)
            far = (size - delta * f32(0.5)) * delta
            total = total + select(bend >= size, error * error * f32(0.5), far)
            vstore(gy, grad_features[c], clip(error, f32(0.0) - delta, delta) * weight)
        vstore(losses, block * lanes, total * share)
        vstore(correct, block * lanes, splat(outputs, f32(0.0)))


def gaussian_negative_log_likelihood(
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
    """``loss = 1/T sum over t of (s + (target - m)^2 exp(-s) + log(2 pi)) / 2``.

    The first half of the outputs are the means m, the second the logarithms of the variances s.
    """
    lanes = lanes_of(outputs)
    half = count // 2
    share = f32(1.0) / f32(half)
    for block in range(blocks):
        y, gy = shift(outputs, block * outputs_block), shift(grad, block * grad_block)
        target, weight = shift(targets, block * half * lanes), vload(weights, block * lanes) * share
        total = splat(outputs, f32(0.0))
        for c in range(half):
            error = vload(y, features[c]) - vload(target, c * lanes)
            spread = vload(y, features[half + c])
            precision = vexp(f32(0.0) - spread)
            square = error * error * precision
            total = total + (spread + square + f32(1.8378770664093453)) * f32(0.5)
            vstore(gy, grad_features[c], error * precision * weight)
            vstore(gy, grad_features[half + c], (f32(1.0) - square) * f32(0.5) * weight)
        vstore(losses, block * lanes, total * share)
        vstore(correct, block * lanes, splat(outputs, f32(0.0)))


def poisson_negative_log_likelihood(
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
    """``loss = 1/T sum over t of (exp(y[t]) - target[t] y[t])``, ``slope (exp(y[t]) - target[t]) weight / T``."""
    lanes = lanes_of(outputs)
    share = f32(1.0) / f32(count)
    for block in range(blocks):
        y, gy = shift(outputs, block * outputs_block), shift(grad, block * grad_block)
        target, weight = shift(targets, block * count * lanes), vload(weights, block * lanes) * share
        total = splat(outputs, f32(0.0))
        for c in range(count):
            value, wanted = vload(y, features[c]), vload(target, c * lanes)
            rate = vexp(value)
            total = total + (rate - wanted * value)
            vstore(gy, grad_features[c], (rate - wanted) * weight)
        vstore(losses, block * lanes, total * share)
        vstore(correct, block * lanes, splat(outputs, f32(0.0)))
