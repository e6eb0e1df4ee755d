"""What tests of references share: PyTorch, and the number of examples."""

from __future__ import annotations

import os
from typing import Any

import pytest
from hypothesis import HealthCheck, settings


def torch_or_skip() -> Any:
    """Return PyTorch; without it, skip the module, but fail in continuous integration."""
    if os.environ.get("CI"):
        try:
            import torch
        except ImportError:
            pytest.fail("continuous integration compares with PyTorch; install torch")
        return torch
    return pytest.importorskip("torch", reason="comparisons need PyTorch")


def examples(count: int) -> Any:
    """Draw the same ``count`` examples every time; STRIATE_TEST_EXAMPLES multiplies them."""
    factor = float(os.environ.get("STRIATE_TEST_EXAMPLES", "1"))
    return settings(
        max_examples=max(1, int(count * factor)),
        deadline=None,
        derandomize=factor == 1,
        database=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
