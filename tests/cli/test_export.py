"""``striate export``: every format, and what must not be lost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from striate import Model, load, models
from striate.training.initialisation import initialise


@pytest.fixture
def model(tmp_path: Path) -> Path:
    network = models.lenet5(10, (1, 8, 8))
    return Model(network, initialise(network, "he", 0)[0].astype(np.float32)).save(tmp_path / "model.safetensors")


@pytest.mark.parametrize("name", ["m.onnx", "m.js", "m.py"])
def test_writes_the_format_that_the_ending_names(run: Any, model: Path, name: str) -> None:
    result = run("export", model, model.with_name(name))
    assert result.exit_code == 0
    assert model.with_name(name).stat().st_size > 1000


def test_never_replaces_the_model_that_it_reads(refused: Any, model: Path) -> None:
    before = model.read_bytes()
    assert "is the model itself" in refused("export", model, model, status=2)
    assert model.read_bytes() == before
    load(model)


def test_names_the_endings_that_there_are(refused: Any, model: Path) -> None:
    assert ".js" in refused("export", model, model.with_name("m.zip"), status=2)
