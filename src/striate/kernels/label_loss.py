"""Kernels of further losses of classifiers; the arguments are those of ``loss``, and ``numbers`` of each loss."""

from __future__ import annotations

from numba import float32 as f32
from numba import njit

from striate.kernels.functions import relu, vexp, vlog, vsigmoid, where_positive
from striate.kernels.vector import Floats, Ints, lanes_of, select, shift, splat, vabs, vload, vstore


@njit(inline="always")
def _first_largest(z, features, count):
    """The largest of ``count`` values, and the number of the first that equals it."""
    top, best = vload(z, features[0]), splat(z, f32(0.0))
    for c in range(1, count):
        value = vload(z, features[c])
        larger = value > top
        top = select(larger, value, top)
        best = select(larger, splat(z, f32(c)), best)
    return top, best


def weighted_cross_entropy(
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
    """Cross-entropy of the softmax with class weights w, label smoothing s and an ignored label.

    ``loss = -sum over c of q[c] log p[c]`` with ``q[c] = w[c] ((1 - s) [c = t] + s / C)``, and
    ``grad[c] = (p[c] sum of q - q[c]) * weight``; q is 0 for the ignored label. ``numbers`` holds s, that
    label, and the class weights.
    """
    lanes = lanes_of(outputs)
    one, zero = splat(outputs, f32(1.0)), splat(outputs, f32(0.0))
    ignored, hit, rest = splat(outputs, numbers[1]), f32(1.0) - numbers[0], numbers[0] / f32(count)
    for block in range(blocks):
        z, gz = shift(outputs, block * outputs_block), shift(grad, block * grad_block)
        target, weight = vload(targets, block * lanes), vload(weights, block * lanes)
        counted = select(target == ignored, zero, one)
        top, best = _first_largest(z, features, count)
        total, shares = zero, zero
        for c in range(count):
            power = vexp(vload(z, features[c]) - top)
            total = total + power
            vstore(gz, grad_features[c], power)
            share = select(target == splat(outputs, f32(c)), splat(outputs, hit + rest), splat(outputs, rest))
            shares = shares + share * numbers[2 + c] * counted
        depth, loss = vlog(total), zero
        scale = weight * shares / total
        for c in range(count):
            share = select(target == splat(outputs, f32(c)), splat(outputs, hit + rest), splat(outputs, rest))
            share = share * numbers[2 + c] * counted
            loss = loss + share * (depth + (top - vload(z, features[c])))
            vstore(gz, grad_features[c], vload(gz, grad_features[c]) * scale - share * weight)
        vstore(losses, block * lanes, loss)
        vstore(correct, block * lanes, select(best == target, counted, zero))


def position_cross_entropy(
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
    """Cross-entropy as ``weighted_cross_entropy`` with a class at each position; the mean over the positions.

    ``numbers`` holds the number of classes, the label smoothing, the ignored label and the class weights.
    ``features`` holds all positions of the first class, then those of the next; ``targets`` a vector for each
    position. ``correct`` is the share of positions that are right.
    """
    lanes = lanes_of(outputs)
    one, zero = splat(outputs, f32(1.0)), splat(outputs, f32(0.0))
    classes = int(numbers[0])
    positions = count // classes
    ignored, rest = splat(outputs, numbers[2]), numbers[1] / f32(classes)
    hit, part = f32(1.0) - numbers[1] + rest, f32(1.0) / f32(positions)
    for block in range(blocks):
        z, gz = shift(outputs, block * outputs_block), shift(grad, block * grad_block)
        wanted, weight = shift(targets, block * positions * lanes), vload(weights, block * lanes) * part
        losses_sum, right_sum = zero, zero
        for p in range(positions):
            target = vload(wanted, p * lanes)
            counted = select(target == ignored, zero, one)
            top, best = vload(z, features[p]), zero
            for c in range(1, classes):
                value = vload(z, features[c * positions + p])
                larger = value > top
                top = select(larger, value, top)
                best = select(larger, splat(outputs, f32(c)), best)
            total, shares = zero, zero
            for c in range(classes):
                power = vexp(vload(z, features[c * positions + p]) - top)
                total = total + power
                vstore(gz, grad_features[c * positions + p], power)
                share = select(target == splat(outputs, f32(c)), splat(outputs, hit), splat(outputs, rest))
                shares = shares + share * numbers[3 + c] * counted
            depth, loss = vlog(total), zero
            scale = weight * shares / total
            for c in range(classes):
                place = grad_features[c * positions + p]
                share = select(target == splat(outputs, f32(c)), splat(outputs, hit), splat(outputs, rest))
                share = share * numbers[3 + c] * counted
                loss = loss + share * (depth + (top - vload(z, features[c * positions + p])))
                vstore(gz, place, vload(gz, place) * scale - share * weight)
            losses_sum = losses_sum + loss
            right_sum = right_sum + select(best == target, counted, zero)
        vstore(losses, block * lanes, losses_sum * part)
        vstore(correct, block * lanes, right_sum * part)


def binary_cross_entropy(
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
    """Mean over the outputs of the cross-entropy of sigmoids; ``targets`` holds ``count`` vectors for each block.

    ``loss = 1/T sum over t of (max(z, 0) - z y + log(1 + exp(-|z|)))``, ``grad = (sigmoid(z) - y) / T * weight``.
    ``correct`` is the share of the logits that are on their targets' side.
    """
    lanes = lanes_of(outputs)
    one, zero = splat(outputs, f32(1.0)), splat(outputs, f32(0.0))
    share = f32(1.0) / f32(count)
    for block in range(blocks):
        z, gz = shift(outputs, block * outputs_block), shift(grad, block * grad_block)
        target, weight = shift(targets, block * count * lanes), vload(weights, block * lanes)
        total, right = zero, zero
        for c in range(count):
            value, wanted = vload(z, features[c]), vload(target, c * lanes)
            depth = vlog(vexp(zero - vabs(value)) + one)
            total = total + (relu(value, f32(0.0), f32(0.0)) - value * wanted + depth)
            vstore(gz, grad_features[c], (vsigmoid(value) - wanted) * weight * share)
            same = where_positive(value, one, zero) == where_positive(wanted - f32(0.5), one, zero)
            right = right + select(same, one, zero)
        vstore(losses, block * lanes, total * share)
        vstore(correct, block * lanes, right * share)


def weighted_binary_cross_entropy(
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
    """Binary cross-entropy with label smoothing s and weights w of labels that are on; ``numbers`` holds s and w.

    ``loss = 1/T sum over t of (w y log(1 + exp(-z)) + (1 - y) log(1 + exp(z)))`` with y = (1 - s) target + s / 2,
    ``grad = ((1 - y) sigmoid(z) - w y sigmoid(-z)) / T * weight``. ``correct`` as in ``binary_cross_entropy``.
    """
    lanes = lanes_of(outputs)
    one, zero = splat(outputs, f32(1.0)), splat(outputs, f32(0.0))
    share, keep, half = f32(1.0) / f32(count), f32(1.0) - numbers[0], numbers[0] * f32(0.5)
    for block in range(blocks):
        z, gz = shift(outputs, block * outputs_block), shift(grad, block * grad_block)
        target, weight = shift(targets, block * count * lanes), vload(weights, block * lanes)
        total, right = zero, zero
        for c in range(count):
            value, wanted = vload(z, features[c]), vload(target, c * lanes)
            smooth = wanted * keep + half
            on, off = smooth * numbers[1 + c], one - smooth
            depth = vlog(vexp(zero - vabs(value)) + one)
            low, high = relu(zero - value, f32(0.0), f32(0.0)), relu(value, f32(0.0), f32(0.0))
            total = total + on * (low + depth) + off * (high + depth)
            slope = off * vsigmoid(value) - on * vsigmoid(zero - value)
            vstore(gz, grad_features[c], slope * weight * share)
            same = where_positive(value, one, zero) == where_positive(wanted - f32(0.5), one, zero)
            right = right + select(same, one, zero)
        vstore(losses, block * lanes, total * share)
        vstore(correct, block * lanes, right * share)


def hinge(
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
    """``loss = sum over c other than t of max(0, margin + y[c] - y[t])``; ``numbers`` holds the margin.

    With a single output it is ``max(0, margin - s y)`` with s = -1 for class 0 and 1 for class 1. ``correct``
    is 1 where the first of the largest outputs is that of the class, or where s y is positive.
    """
    lanes = lanes_of(outputs)
    one, zero = splat(outputs, f32(1.0)), splat(outputs, f32(0.0))
    margin = numbers[0]
    for block in range(blocks):
        y, gy = shift(outputs, block * outputs_block), shift(grad, block * grad_block)
        target, weight = vload(targets, block * lanes), vload(weights, block * lanes)
        if count == 1:
            sign = select(target == one, one, zero - one)
            side = sign * vload(y, features[0])
            short = margin - side
            vstore(losses, block * lanes, relu(short, f32(0.0), f32(0.0)))
            vstore(gy, grad_features[0], where_positive(short, zero - sign * weight, zero))
            vstore(correct, block * lanes, where_positive(side, one, zero))
        else:
            top, best = _first_largest(y, features, count)
            chosen = top
            for c in range(count):
                chosen = select(target == splat(outputs, f32(c)), vload(y, features[c]), chosen)
            total, hits = zero, zero
            for c in range(count):
                other = select(target == splat(outputs, f32(c)), zero, one)
                short = vload(y, features[c]) - chosen + margin
                total = total + relu(short, f32(0.0), f32(0.0)) * other
                push = where_positive(short, weight, zero) * other
                hits = hits + push
                vstore(gy, grad_features[c], push)
            for c in range(count):
                pull = select(target == splat(outputs, f32(c)), hits, zero)
                vstore(gy, grad_features[c], vload(gy, grad_features[c]) - pull)
            vstore(losses, block * lanes, total)
            vstore(correct, block * lanes, select(best == target, one, zero))
