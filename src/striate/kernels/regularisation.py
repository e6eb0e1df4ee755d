"""Kernels of layers that disturb training; their random numbers are those of ``striate.reference.random``.

``elements`` holds (place in x, place in out, number of the element) of every run of ``length`` values;
numbers go up by ``number_step`` from one value of a run to the next. ``keys[0]`` is the layer's key in this
step, and ``first`` the number of the shard's first sample.
"""

from __future__ import annotations

from numba import float32 as f32

from striate.kernels.functions import vcos_turn, vlog
from striate.kernels.vector import (
    Floats,
    Ints,
    at_least,
    lanes_of,
    random_bits,
    sample_keys,
    second_keys,
    select,
    shift,
    splat,
    upper_bits,
    vload,
    vsqrt,
    vstore,
)


def dropout(
    x: Floats,
    out: Floats,
    elements: Ints,
    element_count: int,
    length: int,
    number_step: int,
    keys: Ints,
    first: int,
    threshold: int,
    factor: float,
    blocks: int,
    x_block: int,
    out_block: int,
    accumulate: int,
):
    """``out = x * factor`` where the random bits are at least ``threshold``, else 0; forward and backward."""
    lanes = lanes_of(x)
    zero = splat(x, f32(0.0))
    for block in range(blocks):
        xb, ob = shift(x, block * x_block), shift(out, block * out_block)
        a = sample_keys(x, keys[0], first + block * lanes)
        b = second_keys(a)
        for e in range(element_count):
            i, o, number = elements[3 * e], elements[3 * e + 1], elements[3 * e + 2]
            for _ in range(length):
                keep = at_least(random_bits(a, b, number), threshold)
                value = select(keep, vload(xb, i) * factor, zero)
                if accumulate != 0:
                    value = value + vload(ob, o)
                vstore(ob, o, value)
                i += lanes
                o += lanes
                number += number_step


def gaussian_noise(
    x: Floats,
    out: Floats,
    elements: Ints,
    element_count: int,
    length: int,
    keys: Ints,
    first: int,
    deviation: float,
    blocks: int,
    x_block: int,
    out_block: int,
):
    """``out = x + deviation * z``, z standard normal (Box and Muller 1958)."""
    lanes = lanes_of(x)
    unit = f32(2.0**-24)
    for block in range(blocks):
        xb, ob = shift(x, block * x_block), shift(out, block * out_block)
        a = sample_keys(x, keys[0], first + block * lanes)
        b = second_keys(a)
        for e in range(element_count):
            i, o, number = elements[3 * e], elements[3 * e + 1], elements[3 * e + 2]
            for _ in range(length):
                r = (upper_bits(random_bits(a, b, 2 * number)) + f32(1.0)) * unit
                turn = upper_bits(random_bits(a, b, 2 * number + 1)) * unit
                z = vsqrt(vlog(r) * f32(-2.0)) * vcos_turn(turn)
                vstore(ob, o, vload(xb, i) + z * deviation)
                i += lanes
                o += lanes
                number += 1
