"""Importing striate, and asking for help, must not wait for libraries that only some work needs."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = {"numba", "llvmlite", "sklearn", "matplotlib", "torch", "scipy", "PIL", "pooch", "onnx", "tensorflow"}

PROBE = """
import sys
try:
    {action}
finally:
    print(*sorted({heavy!r} & set(sys.modules)))
"""


def imported_by(action: str) -> set[str]:
    """Return which heavy libraries a fresh interpreter has imported after ``action``."""
    probe = PROBE.format(action=action, heavy=HEAVY)
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=False)
    return set(done.stdout.splitlines()[-1].split())


@pytest.mark.parametrize("action", ["import striate", "import striate.layers, striate.network, striate.models"])
def test_import_is_light(action):
    assert imported_by(action) == set()


@pytest.mark.parametrize("arguments", [["--help"], ["train", "--help"], ["--version"], ["no-such-command"]])
def test_help_is_light(arguments):
    assert imported_by(f"from striate.cli.app import main; main({arguments})") == set()


def test_the_probe_sees_an_import():
    assert imported_by("import PIL.Image") == {"PIL"}
