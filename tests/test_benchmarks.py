"""The parts of the benchmarks that follow the inside of the engine."""

from __future__ import annotations

import subprocess
import sys

import pytest

from striate.layers import Conv2d, Linear

pytest.importorskip("torch")  # which the benchmarks compare with
from benchmarks.__main__ import SECTIONS
from benchmarks.shapes import Single
from benchmarks.single import pair


@pytest.mark.parametrize(("layer", "shape"), [(Conv2d(3, 3, stride=2), (2, 9, 9)), (Linear(4), (10,))])
def test_single_operations_are_those_of_pytorch(layer, shape):
    works, _ = pair(Single("one", layer, shape, 32))  # which compares what both compute
    works["striate"](2)


@pytest.mark.slow
@pytest.mark.parametrize("section", sorted(set(SECTIONS) - {"imported", "operations", "web"}))
def test_sections_run(section):
    quick = ["--rounds", "1", "--seconds", "0.02", "--no-peers", "--pictures", "300", "--inference-batch", "4"]
    command = [sys.executable, "-m", "benchmarks", "logistic_regression", "--what", section, *quick]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "| logistic_regression |" in done.stdout or section in ("augmentation", "peak", "streaming")
