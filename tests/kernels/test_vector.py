"""The arithmetic of vectors, and the mode of the processor."""

from __future__ import annotations

import numpy as np
import pytest

from .native import LANES, native

EPS = 2.0**-24


@pytest.mark.parametrize("lanes", LANES)
def test_multiply_add_rounds_at_most_twice(lanes: int) -> None:
    x, y, z = np.random.default_rng(1).normal(size=(3, 480)).astype(np.float32)
    out, sums = np.zeros_like(x), np.zeros_like(x)
    native("arithmetic", lanes)(x, y, z, out, sums, len(x))
    product = x.astype(np.float64) * y
    bound = EPS * (np.abs(product) + np.abs(product + z)) * (1 + 4 * EPS)
    assert np.all(np.abs(out - (product + z)) <= bound)
    rows = x.reshape(-1, lanes).astype(np.float64)
    bound = np.log2(lanes) * EPS * np.abs(rows).sum(axis=1) * (1 + 8 * EPS)  # summed in pairs
    assert np.all(np.abs(sums[: len(rows)] - rows.sum(axis=1)) <= bound)


@pytest.mark.parametrize("lanes", LANES)
def test_nan_and_infinity_pass_through(lanes: int) -> None:
    x = np.ones(48, np.float32)
    x[7], x[20] = np.nan, np.inf
    out, sums = np.zeros_like(x), np.zeros_like(x)
    native("arithmetic", lanes)(x, x, x, out, sums, len(x))
    assert np.isnan(out[7])
    assert np.isinf(out[20])
    assert np.isfinite(np.delete(out, [7, 20])).all()
    assert np.isnan(sums[7 // lanes])


@pytest.mark.parametrize("lanes", LANES)
def test_denormals_are_flushed_only_where_asked(lanes: int) -> None:
    denormal = np.float32(1e-40)
    x = np.full(16, denormal, np.float32)
    out = np.ones(32, np.float32)
    native("flushed", lanes)(x, out, len(x))
    np.testing.assert_array_equal(out[:16], 0.0)
    np.testing.assert_array_equal(out[16:], denormal + denormal)
    assert float(denormal) + 0.0 > 0.0  # the mode of this thread is what it was
    assert np.float32(1e-40) * np.float32(0.5) > 0.0
