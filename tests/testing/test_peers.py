"""The comparison with PyTorch must not vanish silently where it is obligatory."""

from __future__ import annotations

import sys

import pytest

from support.peers import torch_or_skip


def test_without_torch_continuous_integration_fails_and_others_skip(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.setenv("CI", "1")
    with pytest.raises(pytest.fail.Exception, match="continuous integration compares with PyTorch"):
        torch_or_skip()
    monkeypatch.delenv("CI")
    with pytest.raises(pytest.skip.Exception, match="comparisons need PyTorch"):
        torch_or_skip()
