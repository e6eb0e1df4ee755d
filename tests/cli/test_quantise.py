"""``striate quantise``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import striate

from .helpers import last_json


def test_quantises_a_trained_model(trained: Path, run: Any, refused: Any, tmp_path: Path) -> None:
    out = tmp_path / "small.safetensors"
    result = run("quantise", trained, "--data", "digits", "--out", out, "--json")
    values = last_json(result)
    assert striate.load(out).network.is_quantised
    assert abs(values["accuracy"][1] - values["accuracy"][0]) < 0.02
    assert values["bytes"][1] < values["bytes"][0]
    assert "accuracy" in result.stderr
    assert "stays in float32" in result.stderr
    assert "already quantised" in refused(
        "quantise", out, "--data", "digits", "--out", tmp_path / "b.safetensors", status=2
    )
    words = refused("quantise", trained, "--data", "digits", "--out", tmp_path / "x.txt", status=2)
    assert "--out: a model file ends in .safetensors; got" in words
    assert "is the model itself" in refused("quantise", out, "--data", "digits", "--out", out, status=2)
