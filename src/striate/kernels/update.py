"""Kernels of the step from a gradient to new parameters, over a part of the flat vectors.

Every optimizer reads its numbers for this step (learning rate and so on) from ``numbers``, in the order of
its docstring. ``count`` is a multiple of the lanes, except in ``squared_norms`` and ``layer_step``, which work on a
part of one parameter.
"""

from __future__ import annotations

import math

from numba import float32 as f32
from numba import njit

from striate.kernels.vector import Floats, lanes_of, shift, splat, vabs, vload, vmax, vsqrt, vstore, vsum

PIECE = 512  # numbers of each shard that are added while they lie in the fastest cache


def sum_shards(shards: Floats, stride: int, shard_count: int, count: int):
    """Add all shards to the first along a binary tree, ``((0 + 1) + (2 + 3)) + ...``; the others change too.

    Shards 0 to 2^k - 1 are a subtree for every k, and so are 2^k others from a multiple of 2^k on. Whoever computes
    the shards below one node can add them alone.
    """
    lanes = lanes_of(shards)
    for begin in range(0, count, PIECE):
        end = min(begin + PIECE, count)
        gap = 1
        while gap < shard_count:
            for s in range(0, shard_count - gap, 2 * gap):
                into, other = shift(shards, s * stride), shift(shards, (s + gap) * stride)
                for i in range(begin, end, lanes):
                    vstore(into, i, vload(into, i) + vload(other, i))
            gap *= 2


def gradient_descent(theta: Floats, gradient: Floats, numbers: Floats, count: int):
    """numbers: alpha. ``theta <- theta - alpha g``."""
    alpha = splat(theta, numbers[0])
    for i in range(0, count, lanes_of(theta)):
        vstore(theta, i, vload(theta, i) - alpha * vload(gradient, i))


def momentum(theta: Floats, gradient: Floats, first: Floats, numbers: Floats, count: int):
    """numbers: alpha, beta. ``v <- beta v + g``, ``theta <- theta - alpha v``."""
    alpha, beta = splat(theta, numbers[0]), splat(theta, numbers[1])
    for i in range(0, count, lanes_of(theta)):
        v = beta * vload(first, i) + vload(gradient, i)
        vstore(first, i, v)
        vstore(theta, i, vload(theta, i) - alpha * v)


def nesterov(theta: Floats, gradient: Floats, first: Floats, numbers: Floats, count: int):
    """numbers: alpha, beta. ``v <- beta v + g``, ``theta <- theta - alpha (g + beta v)``."""
    alpha, beta = splat(theta, numbers[0]), splat(theta, numbers[1])
    for i in range(0, count, lanes_of(theta)):
        g = vload(gradient, i)
        v = beta * vload(first, i) + g
        vstore(first, i, v)
        vstore(theta, i, vload(theta, i) - alpha * (g + beta * v))


@njit(inline="always")
def running_mean(memory, i, beta, g):
    """``m <- beta m + (1 - beta) g`` at place i of ``memory``; return it."""
    m = splat(memory, beta) * vload(memory, i) + splat(memory, f32(1.0) - beta) * g
    vstore(memory, i, m)
    return m


@njit(inline="always")
def running_square(memory, i, beta, g):
    """``v <- beta v + (1 - beta) g^2`` at place i of ``memory``; return it."""
    v = splat(memory, beta) * vload(memory, i) + splat(memory, f32(1.0) - beta) * g * g
    vstore(memory, i, v)
    return v


def adam(theta: Floats, gradient: Floats, first: Floats, second: Floats, numbers: Floats, count: int):
    """numbers: alpha, beta1, beta2, epsilon, 1/(1 - beta1^t), 1/(1 - beta2^t), decay.

    ``m <- beta1 m + (1 - beta1) g``, ``v <- beta2 v + (1 - beta2) g^2``,
    ``theta <- theta (1 - alpha decay) - alpha m' / (sqrt(v') + epsilon)`` with m', v' corrected for their start.
    """
    alpha, beta1, beta2 = splat(theta, numbers[0]), numbers[1], numbers[2]
    epsilon, fix1, fix2 = splat(theta, numbers[3]), splat(theta, numbers[4]), splat(theta, numbers[5])
    keep = splat(theta, f32(1.0) - numbers[0] * numbers[6])
    for i in range(0, count, lanes_of(theta)):
        g = vload(gradient, i)
        m = running_mean(first, i, beta1, g)
        v = running_square(second, i, beta2, g)
        vstore(theta, i, keep * vload(theta, i) - alpha * (m * fix1) / (vsqrt(v * fix2) + epsilon))


def rmsprop(theta: Floats, gradient: Floats, second: Floats, numbers: Floats, count: int):
    """numbers: alpha, rho, epsilon.

    ``v <- rho v + (1 - rho) g^2``, ``theta <- theta - alpha g / (sqrt(v) + epsilon)``.
    """
    alpha, rho, epsilon = splat(theta, numbers[0]), numbers[1], splat(theta, numbers[2])
    for i in range(0, count, lanes_of(theta)):
        g = vload(gradient, i)
        v = running_square(second, i, rho, g)
        vstore(theta, i, vload(theta, i) - alpha * g / (vsqrt(v) + epsilon))


def centred_rmsprop(
    theta: Floats, gradient: Floats, first: Floats, second: Floats, mean: Floats, numbers: Floats, count: int
):
    """numbers: alpha, rho, epsilon, momentum, 1 if centred or 0.

    ``v <- rho v + (1 - rho) g^2``, ``c <- rho c + (1 - rho) g``,
    ``b <- momentum b + g / (sqrt(max(0, v - centred c^2)) + epsilon)``, ``theta <- theta - alpha b``.
    """
    alpha, rho, epsilon = splat(theta, numbers[0]), numbers[1], splat(theta, numbers[2])
    keep, centred, zero = splat(theta, numbers[3]), splat(theta, numbers[4]), splat(theta, f32(0.0))
    for i in range(0, count, lanes_of(theta)):
        g = vload(gradient, i)
        v = running_square(second, i, rho, g)
        c = running_mean(mean, i, rho, g)
        b = keep * vload(first, i) + g / (vsqrt(vmax(v - centred * c * c, zero)) + epsilon)
        vstore(first, i, b)
        vstore(theta, i, vload(theta, i) - alpha * b)


def adagrad(theta: Floats, gradient: Floats, second: Floats, numbers: Floats, count: int):
    """numbers: alpha, epsilon. ``v <- v + g^2``, ``theta <- theta - alpha g / (sqrt(v) + epsilon)``."""
    alpha, epsilon = splat(theta, numbers[0]), splat(theta, numbers[1])
    for i in range(0, count, lanes_of(theta)):
        g = vload(gradient, i)
        v = vload(second, i) + g * g
        vstore(second, i, v)
        vstore(theta, i, vload(theta, i) - alpha * g / (vsqrt(v) + epsilon))


def nadam(theta: Floats, gradient: Floats, first: Floats, second: Floats, numbers: Floats, count: int):
    """numbers: share of g, share of m, beta1, beta2, epsilon, 1/(1 - beta2^t).

    m and v as in Adam, ``theta <- theta - (share g + share m) / (sqrt(v') + epsilon)``.
    """
    of_g, of_m = splat(theta, numbers[0]), splat(theta, numbers[1])
    beta1, beta2 = numbers[2], numbers[3]
    epsilon, fix2 = splat(theta, numbers[4]), splat(theta, numbers[5])
    for i in range(0, count, lanes_of(theta)):
        g = vload(gradient, i)
        m = running_mean(first, i, beta1, g)
        v = running_square(second, i, beta2, g)
        vstore(theta, i, vload(theta, i) - (of_g * g + of_m * m) / (vsqrt(v * fix2) + epsilon))


def radam(theta: Floats, gradient: Floats, first: Floats, second: Floats, numbers: Floats, count: int):
    """numbers: share of m, beta1, beta2, share of sqrt(v), what is added to it.

    m and v as in Adam, ``theta <- theta - share m / (share sqrt(v) + added)``; a plain step is divided by 0 + 1.
    """
    of_m, beta1, beta2 = splat(theta, numbers[0]), numbers[1], numbers[2]
    of_v, added = splat(theta, numbers[3]), splat(theta, numbers[4])
    for i in range(0, count, lanes_of(theta)):
        g = vload(gradient, i)
        m = running_mean(first, i, beta1, g)
        v = running_square(second, i, beta2, g)
        vstore(theta, i, vload(theta, i) - of_m * m / (of_v * vsqrt(v) + added))


def adamax(theta: Floats, gradient: Floats, first: Floats, second: Floats, numbers: Floats, count: int):
    """numbers: alpha/(1 - beta1^t), beta1, beta2, epsilon.

    m as in Adam, ``u <- max(beta2 u, |g| + epsilon)``, ``theta <- theta - alpha' m / u``.
    """
    alpha, beta1, beta2 = splat(theta, numbers[0]), numbers[1], numbers[2]
    epsilon = splat(theta, numbers[3])
    for i in range(0, count, lanes_of(theta)):
        g = vload(gradient, i)
        m = running_mean(first, i, beta1, g)
        u = vmax(beta2 * vload(second, i), vabs(g) + epsilon)
        vstore(second, i, u)
        vstore(theta, i, vload(theta, i) - alpha * m / u)


def adadelta(theta: Floats, gradient: Floats, first: Floats, second: Floats, numbers: Floats, count: int):
    """numbers: alpha, rho, epsilon.

    ``v <- rho v + (1 - rho) g^2``, ``d = sqrt(u + epsilon) / sqrt(v + epsilon) g``,
    ``u <- rho u + (1 - rho) d^2``, ``theta <- theta - alpha d``; u is ``first``, v is ``second``.
    """
    alpha, rho, epsilon = splat(theta, numbers[0]), numbers[1], splat(theta, numbers[2])
    for i in range(0, count, lanes_of(theta)):
        g, u = vload(gradient, i), vload(first, i)
        v = running_square(second, i, rho, g)
        d = vsqrt(u + epsilon) / vsqrt(v + epsilon) * g
        running_square(first, i, rho, d)
        vstore(theta, i, vload(theta, i) - alpha * d)


def amsgrad(
    theta: Floats, gradient: Floats, first: Floats, second: Floats, largest: Floats, numbers: Floats, count: int
):
    """numbers: alpha, beta1, beta2, epsilon, 1/(1 - beta1^t), 1/(1 - beta2^t), decay.

    m and v as in Adam, ``w <- max(w, v)``, ``theta <- theta (1 - alpha decay) - alpha m' / (sqrt(w') + epsilon)``
    with m', w' corrected for their start; w is ``largest``.
    """
    alpha, beta1, beta2 = splat(theta, numbers[0]), numbers[1], numbers[2]
    epsilon, fix1, fix2 = splat(theta, numbers[3]), splat(theta, numbers[4]), splat(theta, numbers[5])
    keep = splat(theta, f32(1.0) - numbers[0] * numbers[6])
    for i in range(0, count, lanes_of(theta)):
        g = vload(gradient, i)
        m = running_mean(first, i, beta1, g)
        v = running_square(second, i, beta2, g)
        w = vmax(vload(largest, i), v)
        vstore(largest, i, w)
        vstore(theta, i, keep * vload(theta, i) - alpha * (m * fix1) / (vsqrt(w * fix2) + epsilon))


def lamb(
    theta: Floats,
    gradient: Floats,
    first: Floats,
    second: Floats,
    direction: Floats,
    numbers: Floats,
    count: int,
):
    """numbers: alpha, beta1, beta2, epsilon, 1/(1 - beta1^t), 1/(1 - beta2^t), decay.

    m and v as in Adam, ``direction = m' / (sqrt(v') + epsilon) + decay theta`` with m', v' corrected for their
    start; ``layer_step`` takes the step.
    """
    beta1, beta2 = numbers[1], numbers[2]
    epsilon, fix1, fix2 = splat(theta, numbers[3]), splat(theta, numbers[4]), splat(theta, numbers[5])
    decay = splat(theta, numbers[6])
    for i in range(0, count, lanes_of(theta)):
        g = vload(gradient, i)
        m = running_mean(first, i, beta1, g)
        v = running_square(second, i, beta2, g)
        vstore(direction, i, (m * fix1) / (vsqrt(v * fix2) + epsilon) + decay * vload(theta, i))


def squared_norms(theta: Floats, direction: Floats, sums: Floats, count: int):
    """``sums[0] = sum of theta^2``, ``sums[1] = sum of direction^2``."""
    lanes = lanes_of(theta)
    whole = count // lanes * lanes
    weights, steps = splat(theta, f32(0.0)), splat(theta, f32(0.0))
    for i in range(0, whole, lanes):
        w, d = vload(theta, i), vload(direction, i)
        weights, steps = weights + w * w, steps + d * d
    a, b = vsum(weights), vsum(steps)
    for i in range(whole, count):
        a += theta[i] * theta[i]
        b += direction[i] * direction[i]
    sums[0], sums[1] = a, b


def layer_step(theta: Floats, direction: Floats, sums: Floats, piece_count: int, numbers: Floats, count: int):
    """``theta <- theta - alpha |theta| / |direction| direction``; norms of 0 count as a ratio of 1.

    ``sums`` holds the sums of squares of each piece of the parameter.
    """
    weights, steps = 0.0, 0.0
    for i in range(piece_count):
        weights += float(sums[2 * i])
        steps += float(sums[2 * i + 1])
    ratio = math.sqrt(weights / steps) if weights > 0.0 and steps > 0.0 else 1.0
    alpha = numbers[0] * f32(ratio)
    lanes = lanes_of(theta)
    whole = count // lanes * lanes
    rate = splat(theta, alpha)
    for i in range(0, whole, lanes):
        vstore(theta, i, vload(theta, i) - rate * vload(direction, i))
    for i in range(whole, count):
        theta[i] -= alpha * direction[i]
