"""Embeddings refuse numbers that are no symbols, after the step that met them."""

from __future__ import annotations

import numpy as np
import pytest

from striate.engine.inference_session import InferenceSession
from striate.errors import DataError
from striate.layers import Embedding
from striate.network import Sequential


@pytest.mark.parametrize("wrong", [5.0, -1.0, 0.5, np.nan, np.inf])
def test_numbers_that_are_no_symbols_are_refused(wrong: float) -> None:
    session = InferenceSession(Sequential([Embedding(5, 2)], 3), batch_size=20, dtype=np.dtype(np.float32))
    samples = np.arange(60).reshape(20, 3).astype(np.float32) % 5
    session.vectors.theta[:10] = np.arange(10)
    expected = session.run(samples, np.arange(20))
    np.testing.assert_array_equal(expected[:, 0], 2 * samples)
    samples[17, 1] = wrong
    with pytest.raises(DataError, match=r"embedding1: symbols are whole numbers from 0 to 4; got"):
        session.run(samples, np.arange(20))
    samples[17, 1] = 2.0  # the next run is not blamed for it
    np.testing.assert_array_equal(session.run(samples, np.arange(20)), expected)
