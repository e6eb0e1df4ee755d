"""Random numbers from counters: fixed values, independence of place, and the right distributions."""

from __future__ import annotations

import numpy as np
import pytest

from striate import reference
from striate.layers import Dropout, GaussianNoise, Layer, SpatialDropout
from striate.network import Sequential
from striate.reference.random import finalise, keep_mask, layer_key, normal, random_bits


def finalise_plainly(h: int) -> int:
    """Follow the definition with Python's integers."""
    h ^= h >> 16
    h = h * 0x85EBCA6B % 2**32
    h ^= h >> 13
    h = h * 0xC2B2AE35 % 2**32
    return h ^ h >> 16


def absorb_plainly(h: int, word: int) -> int:
    return finalise_plainly((h + 0x9E3779B9) % 2**32 ^ word)


def test_bits_follow_the_definition() -> None:
    import zlib

    seed, step = 2**40 + 7, 12
    key = 0
    for word in (seed % 2**32, seed >> 32, step, 0, zlib.crc32(b"dropout1")):
        key = absorb_plainly(key, word)
    assert layer_key(seed, step, "dropout1") == key
    bits = random_bits(key, [0, 5], np.array([0, 3]))
    for row, sample in enumerate([0, 5]):
        first = absorb_plainly(key, sample)
        second = absorb_plainly(first, 0x5EED)
        for column, element in enumerate([0, 3]):
            assert bits[row, column] == finalise_plainly(finalise_plainly(element ^ first) ^ second)


def test_values_are_fixed_for_ever() -> None:
    assert layer_key(0, 0, "dropout1") == 3374299729
    assert random_bits(1, [0], np.arange(3)).tolist() == [[2937328918, 1167420731, 249495481]]


def test_finaliser_is_that_of_murmurhash3_and_a_bijection() -> None:
    assert finalise(np.array([1, 2, 0xFFFFFFFF], np.uint32)).tolist() == [0x514E28B7, 0x30F4C306, 0x81F16F39]
    assert len(set(finalise(np.arange(100_000, dtype=np.uint32)).tolist())) == 100_000


def test_every_part_of_the_place_matters() -> None:
    keys = {layer_key(seed, step, name) for seed in (0, 1, 2**32) for step in (0, 1, 2**32) for name in ("a", "b")}
    assert len(keys) == 18
    rows = random_bits(1, range(100), np.arange(50))
    assert len(np.unique(rows)) == rows.size


def test_bits_are_even_and_not_correlated() -> None:
    bits = random_bits(layer_key(3, 1, "x"), range(200), np.arange(500))
    for position in range(32):
        ones = ((bits >> np.uint32(position)) & np.uint32(1)).astype(float)
        assert abs(ones.mean() - 0.5) < 5 * 0.5 / np.sqrt(ones.size)
    signs = (bits >> np.uint32(31)).astype(float) * 2 - 1
    limit = 5 / np.sqrt(signs.size)
    assert abs((signs[1:] * signs[:-1]).mean()) < limit
    assert abs((signs[:, 1:] * signs[:, :-1]).mean()) < limit
    other = random_bits(layer_key(3, 2, "x"), range(200), np.arange(500)) >> np.uint32(31)
    assert abs((signs * (other.astype(float) * 2 - 1)).mean()) < limit


@pytest.mark.parametrize("rate", [0.0, 0.1, 0.5, 0.99])
def test_mask_keeps_its_share(rate: float) -> None:
    kept = keep_mask(99, range(100), 1000, rate).mean()
    assert abs(kept - (1 - rate)) <= 5 * np.sqrt(rate * (1 - rate) / 100_000)


def test_normal_numbers_are_normal() -> None:
    z = normal(7, range(100), 1000).ravel()
    limit = 5 / np.sqrt(z.size)
    moments = [(z**k).mean() for k in (1, 2, 3, 4)]
    assert np.abs(np.array(moments) - [0, 1, 0, 3]).max() < limit * 10
    assert abs(moments[0]) < limit
    assert abs((np.abs(z) < 1).mean() - 0.6826895) < limit


LAYERS: list[Layer] = [Dropout(0.3), SpatialDropout(0.5), GaussianNoise(0.5)]


@pytest.mark.parametrize("layer", LAYERS)
def test_parts_of_a_batch_get_the_numbers_of_the_whole(layer: Layer) -> None:
    network = Sequential([layer], (4, 3, 3))
    x = np.random.default_rng(0).normal(size=(6, 4, 3, 3))
    options = {"training": True, "seed": 5, "step": 9}
    whole = reference.forward(network, np.zeros(0), x, **options).output  # type: ignore[arg-type]
    part = reference.forward(network, np.zeros(0), x[2:5], samples=np.arange(2, 5), **options).output  # type: ignore[arg-type]
    assert np.array_equal(whole[2:5], part)
    again = reference.forward(network, np.zeros(0), x, training=True, seed=5, step=10).output
    assert not np.array_equal(whole, again)


@pytest.mark.parametrize("layer", LAYERS)
def test_off_at_evaluation(layer: Layer) -> None:
    x = np.random.default_rng(0).normal(size=(3, 4, 5))
    assert np.array_equal(reference.forward(Sequential([layer], (4, 5)), np.zeros(0), x).output, x)


def test_dropout_scales_what_it_keeps_and_spatial_dropout_takes_whole_channels() -> None:
    x = np.ones((50, 8, 4))
    kept = reference.forward(Sequential([Dropout(0.2)], (8, 4)), np.zeros(0), x, training=True).output
    assert set(np.unique(kept)) == {0.0, 1.25}
    whole = reference.forward(Sequential([SpatialDropout(0.2)], (8, 4)), np.zeros(0), x, training=True).output
    assert (whole == whole[:, :, :1]).all()
    assert 0 < (whole == 0).mean() < 0.4
