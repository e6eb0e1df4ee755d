"""PyTorch: obligatory on a build server, elsewhere compared with where it is installed."""

from __future__ import annotations

import os
from typing import Any

import pytest


def torch_or_skip() -> Any:
    """Return PyTorch; without it skip the module, or fail where CI is set."""
    if os.environ.get("CI"):
        try:
            import torch
        except ImportError:
            pytest.fail("continuous integration compares with PyTorch; install torch")
        return torch
    return pytest.importorskip("torch", reason="comparisons need PyTorch")
