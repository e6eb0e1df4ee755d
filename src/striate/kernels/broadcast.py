"""Kernels of sums and products of values of different shapes.

``runs`` holds the place of every run of ``length`` terms in each buffer. From one term to the next a buffer
moves on by its step, which is 0 where the value is repeated along the run.
"""

from __future__ import annotations

from numba import float32 as f32
from numba import njit

from striate.kernels.vector import Floats, Ints, select, shift, splat, vload, vstore


@njit(inline="always")
def larger(x, y):
    """max(x, y); NaN where either is."""
    return select(x >= y, x, select(y > x, y, x + y))


@njit(inline="always")
def smaller(x, y):
    """min(x, y); NaN where either is."""
    return select(y >= x, x, select(x > y, y, x + y))


SUM, PRODUCT, LARGER, SMALLER = range(4)


def join(operation):
    """``out = max(floor, x + y)``, or the product, the larger or the smaller; runs hold places of x, y, out."""

    def kernel(
        x: Floats,
        y: Floats,
        out: Floats,
        runs: Ints,
        run_count: int,
        length: int,
        x_step: int,
        y_step: int,
        out_step: int,
        blocks: int,
        x_block: int,
        y_block: int,
        out_block: int,
        floor: float,
    ):
        low = splat(x, floor)
        for block in range(blocks):
            xb, yb, ob = shift(x, block * x_block), shift(y, block * y_block), shift(out, block * out_block)
            for r in range(run_count):
                a, b, o = runs[3 * r], runs[3 * r + 1], runs[3 * r + 2]
                for _ in range(length):
                    p, q = vload(xb, a), vload(yb, b)
                    if operation == PRODUCT:
                        value = p * q
                    elif operation == LARGER:
                        value = larger(p, q)
                    elif operation == SMALLER:
                        value = smaller(p, q)
                    else:
                        value = p + q
                    vstore(ob, o, select(value < low, low, value))
                    a += x_step
                    b += y_step
                    o += out_step

    return kernel


def product_sums(
    x: Floats,
    y: Floats,
    out: Floats,
    runs: Ints,
    run_count: int,
    length: int,
    x_step: int,
    y_step: int,
    blocks: int,
    x_block: int,
    y_block: int,
    out_block: int,
):
    """``out += sum of x * y`` over every run: the gradient of a value that is repeated along the runs."""
    for block in range(blocks):
        xb, yb, ob = shift(x, block * x_block), shift(y, block * y_block), shift(out, block * out_block)
        for r in range(run_count):
            a, b, o = runs[3 * r], runs[3 * r + 1], runs[3 * r + 2]
            s0 = s1 = splat(x, f32(0.0))
            for _ in range(length // 2):
                s0 = s0 + vload(xb, a) * vload(yb, b)
                s1 = s1 + vload(xb, a + x_step) * vload(yb, b + y_step)
                a += 2 * x_step
                b += 2 * y_step
            if length % 2 != 0:
                s0 = s0 + vload(xb, a) * vload(yb, b)
            vstore(ob, o, vload(ob, o) + (s0 + s1))


def add_products(
    x: Floats,
    y: Floats,
    out: Floats,
    runs: Ints,
    run_count: int,
    length: int,
    x_step: int,
    y_step: int,
    out_step: int,
    blocks: int,
    x_block: int,
    y_block: int,
    out_block: int,
    accumulate: int,
):
    """``out = x * y``, or ``out += x * y``: the gradient of a value that is not repeated along the runs."""
    for block in range(blocks):
        xb, yb, ob = shift(x, block * x_block), shift(y, block * y_block), shift(out, block * out_block)
        for r in range(run_count):
            a, b, o = runs[3 * r], runs[3 * r + 1], runs[3 * r + 2]
            for _ in range(length):
                value = vload(xb, a) * vload(yb, b)
                if accumulate != 0:
                    value = value + vload(ob, o)
                vstore(ob, o, value)
                a += x_step
                b += y_step
                o += out_step


def chosen_gradients(operation, first):
    """``out += grad`` where x is chosen by the larger or smaller of x and y; ties go to the ``first`` input.

    Runs hold places of x, y, grad and out.
    """

    def kernel(
        x: Floats,
        y: Floats,
        grad: Floats,
        out: Floats,
        runs: Ints,
        run_count: int,
        length: int,
        x_step: int,
        y_step: int,
        grad_step: int,
        out_step: int,
        blocks: int,
        x_block: int,
        y_block: int,
        grad_block: int,
        out_block: int,
    ):
        zero = splat(x, f32(0.0))
        for block in range(blocks):
            xb, yb = shift(x, block * x_block), shift(y, block * y_block)
            gb, ob = shift(grad, block * grad_block), shift(out, block * out_block)
            for r in range(run_count):
                a, b, g, o = runs[4 * r], runs[4 * r + 1], runs[4 * r + 2], runs[4 * r + 3]
                for _ in range(length):
                    p, q = vload(xb, a), vload(yb, b)
                    if operation == SMALLER:
                        p, q = q, p
                    value = vload(gb, g)
                    value = select(p >= q, value, zero) if first != 0 else select(p > q, value, zero)
                    vstore(ob, o, vload(ob, o) + value)
                    a += x_step
                    b += y_step
                    g += grad_step
                    o += out_step

    return kernel
