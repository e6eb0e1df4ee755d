"""Processes that striate starts: they find the modules that it finds, and none in the working folder."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import striate
from striate.interpreter import environment, python

SOURCES = Path(striate.__file__).parent


@pytest.fixture
def planted(tmp_path: Path) -> Path:
    """Return a folder in which modules of well-known names wait to be imported."""
    for name in ("numpy", "h5py", "json"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('planted')")
    return tmp_path


def run(command: list[str], folder: Path, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=60, check=False)


def test_modules_in_the_working_folder_are_not_imported(planted: Path) -> None:
    done = run(python("-c", "import json, numpy; print(numpy.__file__)"), planted, environment())
    assert (done.returncode, done.stdout.strip()) == (0, sys.modules["numpy"].__file__)
    assert "planted" in run([sys.executable, "-c", "import json, numpy"], planted, dict(os.environ)).stderr


def test_modules_that_only_this_process_finds_are_found(planted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (planted / "rare_module.py").write_text("print('found')")
    monkeypatch.syspath_prepend(str(planted))
    (planted / "numpy.py").unlink(), (planted / "json.py").unlink(), (planted / "h5py.py").unlink()
    assert run(python("-c", "import rare_module"), Path.cwd(), environment()).stdout == "found\n"


def test_a_keras_file_beside_planted_modules_is_read_without_them(planted: Path) -> None:
    pytest.importorskip("h5py")
    (planted / "m.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
    code = "from striate.interop import keras; keras.load('m.h5')"
    done = run(python("-c", code), planted, environment())
    reason = done.stderr.splitlines()[-1]
    assert "m.h5: must be a model of Keras" in reason
    assert "it is damaged" not in reason  # which it would say if the reader had ended at once


def test_no_other_file_starts_python() -> None:
    starting = [path.name for path in SOURCES.rglob("*.py") if re.search(r"\[\s*sys\.executable", path.read_text())]
    assert starting == ["interpreter.py"]
