"""Samples into lanes: every length of a row, lanes without a sample, and values that are not numbers."""

from __future__ import annotations

import numpy as np
import pytest

from .native import LANES, native

CHANNELS, ROWS, BLOCKS = 2, 3, 2


@pytest.mark.parametrize("kind", ["bytes", "floats"])
@pytest.mark.parametrize("lanes", LANES)
def test_samples_come_into_lanes_normalised(lanes: int, kind: str) -> None:
    random = np.random.default_rng(lanes)
    for length in (1, lanes - 1, lanes, lanes + 1, 2 * lanes, 2 * lanes + 3):
        size = CHANNELS * ROWS * length
        x = random.integers(0, 256, (5, size)).astype(np.uint8)
        if kind == "floats":
            x = random.normal(size=x.shape).astype(np.float32)
            x[0, 0] = np.nan  # the sample that a lane without one must not show
        index = random.integers(-1, 5, BLOCKS * lanes)
        index[:2] = -1, 0
        mean, scale = random.normal(size=(2, CHANNELS)).astype(np.float32)
        starts = np.arange(CHANNELS * ROWS) * length
        runs = np.stack([starts, starts * lanes, starts // (ROWS * length)], axis=1)
        out = np.full((BLOCKS, size + 1, lanes), 7.0, np.float32)
        block = (size + 1) * lanes
        load = native(f"load_{kind}", lanes, "batch")
        load(x, index, out, scale, mean, runs.ravel(), len(runs), length, size, BLOCKS, block)
        channel = np.repeat(np.arange(CHANNELS), ROWS * length)
        expected = (x[index].astype(np.float32) - mean[channel]) * scale[channel]
        expected[index < 0] = 0.0
        np.testing.assert_array_equal(out[:, :size].swapaxes(1, 2).reshape(-1, size), expected)
        np.testing.assert_array_equal(out[:, size], 7.0)


@pytest.mark.parametrize("lanes", LANES)
def test_features_come_out_of_the_lanes(lanes: int) -> None:
    random = np.random.default_rng(lanes)
    for count in (1, lanes - 1, lanes, lanes + 1, 2 * lanes + 3):
        x = random.normal(size=(BLOCKS, 4 * lanes, lanes)).astype(np.float32)
        features = random.integers(0, 4 * lanes, count)
        out = np.full((BLOCKS * lanes, count + 2), 7.0, np.float32)
        store = native("store_rows", lanes, "batch")
        store(x, out, features * lanes, count, count + 2, BLOCKS, x[0].size)
        np.testing.assert_array_equal(out[:, :count], x.swapaxes(1, 2).reshape(-1, 4 * lanes)[:, features])
        np.testing.assert_array_equal(out[:, count:], 7.0)
