"""The arrays of a plan."""

from __future__ import annotations

import numpy as np
import pytest

from striate.engine.memory import aligned


@pytest.mark.parametrize("dtype", [np.float32, np.int64, np.uint8])
def test_arrays_begin_at_a_cache_line(dtype: type) -> None:
    for count in (0, 1, 7, 1000):
        array = aligned(count, dtype)
        assert array.dtype == dtype
        assert array.shape == (count,)
        assert not array.any()
        assert count == 0 or array.ctypes.data % 64 == 0
