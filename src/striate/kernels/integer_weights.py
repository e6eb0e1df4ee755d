"""Kernels that pack the parameters of layers of whole numbers: four weights in a word, filters in the lanes."""

from __future__ import annotations

from striate.kernels.vector import Floats, Ints, lanes_of
from striate.kernels.vector.integers import word_store
from striate.kernels.vector.rounding import fixed_bits, whole

MOST_WEIGHT, MOST_BIAS = 127, 2**30


def pack_weights(w: Floats, out: Floats, terms: Ints, term_count: int, filters: int, filter_size: int):
    """Weights of one filter after the other to words of [block of filters][term][filter].

    terms : the places of four weights in a filter, -1 for none
    """
    lanes = lanes_of(w)
    blocks = (filters + lanes - 1) // lanes
    for block in range(blocks):
        for t in range(term_count):
            for lane in range(lanes):
                number = block * lanes + lane
                word = 0
                for byte in range(4):
                    place = terms[4 * t + byte]
                    if number < filters and place >= 0:
                        weight = whole(w[number * filter_size + place], MOST_WEIGHT)
                        word |= (weight & 255) << (8 * byte)
                word_store(out, (block * term_count + t) * lanes + lane, word)


def pack_sums(
    w: Floats,
    bias: Floats,
    multiplier: Floats,
    out_bias: Floats,
    out_multiplier: Floats,
    filters: int,
    filter_size: int,
    zero_point: int,
):
    """What each filter's sum begins with, ``bias - zero_point * sum of weights``, and its multiplier."""
    lanes = lanes_of(w)
    for number in range((filters + lanes - 1) // lanes * lanes):
        if number < filters:
            total = 0
            for place in range(filter_size):
                total += whole(w[number * filter_size + place], MOST_WEIGHT)
            word_store(out_bias, number, whole(bias[number], MOST_BIAS) - zero_point * total)
            out_multiplier[number] = fixed_bits(multiplier[number])
        else:
            word_store(out_bias, number, 0)
            word_store(out_multiplier, number, 0)
