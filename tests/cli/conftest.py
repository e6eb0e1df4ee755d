"""How the tests of the command line call it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from striate.cli.app import app

from .helpers import write_idx

Run = Callable[..., Any]


@pytest.fixture(scope="session")
def run() -> Run:
    """A function that runs ``striate`` with arguments and returns the result."""

    def call(*arguments: object) -> Any:
        return CliRunner().invoke(app, [str(argument) for argument in arguments], prog_name="striate")

    return call


@pytest.fixture(scope="session")
def refused(run: Run) -> Run:
    """A function that runs ``striate``, wants one line on standard error and returns it."""

    def call(*arguments: object, status: int) -> str:
        result = run(*arguments)
        lines = [line for line in result.stderr.splitlines() if "striate: compiling" not in line]
        assert result.exit_code == status, result.output
        assert len(lines) == 1, result.stderr
        assert lines[0].startswith("striate: ")
        assert "Traceback" not in result.output
        return lines[0]

    return call


@pytest.fixture(scope="session")
def trained(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of the embedded digits after two epochs."""
    out = tmp_path_factory.mktemp("trained")
    assert run("train", "digits", "--epochs", 2, "--out", out).exit_code == 0
    return out / "model.safetensors"


@pytest.fixture
def idx_folder(tmp_path: Path) -> Path:
    """A folder like MNIST's with 40 and 20 images of noise."""
    folder = tmp_path / "idx"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for part, count in (("train", 40), ("t10k", 20)):
        write_idx(folder / f"{part}-images-idx3-ubyte.gz", rng.integers(0, 256, (count, 28, 28), np.uint8))
        write_idx(folder / f"{part}-labels-idx1-ubyte.gz", (np.arange(count) % 10).astype(np.uint8))
    return folder
