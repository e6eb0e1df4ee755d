"""The parts of the benchmarks that follow the inside of the engine."""

from __future__ import annotations

import pytest
from benchmarks.shapes import Single

from striate.layers import Conv2d, Linear


@pytest.mark.parametrize(("layer", "shape"), [(Conv2d(3, 3, stride=2), (2, 9, 9)), (Linear(4), (10,))])
def test_single_operations_are_those_of_pytorch(layer, shape):
    pytest.importorskip("torch")
    from benchmarks.single import pair

    works, _ = pair(Single("one", layer, shape, 32))  # which compares what both compute
    works["striate"](2)
