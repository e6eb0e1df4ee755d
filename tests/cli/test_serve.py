"""``striate serve``: what it says, and what it refuses."""

from __future__ import annotations

import builtins
from pathlib import Path
from typing import Any

import pytest


def test_says_what_to_install(refused: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = builtins.__import__

    def without_uvicorn(name: str, *rest: Any) -> Any:
        if name == "striate.server" or name.startswith("uvicorn"):
            raise ImportError(name="uvicorn")
        return whole(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without_uvicorn)
    assert "pip install 'striate[serve]'" in refused("serve", tmp_path, status=2)


def test_refuses_folders_without_a_model_or_a_run(refused: Any, tmp_path: Path) -> None:
    pytest.importorskip("uvicorn")
    assert "must be a model file or the folder of a run" in refused("serve", tmp_path, status=1)
    assert "cannot be read" in refused("serve", tmp_path / "nothing", status=1)
