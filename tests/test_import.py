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


BLOCKED = """
import importlib.abc, sys
class Blocked(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"sklearn", "scipy"}:
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Blocked())
"""


def test_training_and_its_report_need_no_extra(tmp_path):
    """What the import contracts do not see: that no dependency imports SciPy either."""
    commands = [["train", "digits", "--epochs", "1", "--out", "run"], ["evaluate", "run", "digits"]]
    for arguments in commands:
        code = f"{BLOCKED}\nfrom striate.cli.app import main\nmain({arguments})"
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=False
        )
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "run" / "report.html").exists()


def test_the_estimators_say_what_they_need():
    code = BLOCKED.replace("raise ModuleNotFoundError(name)", "return None") + (
        "import importlib.util\nimportlib.util.find_spec = lambda name: None\nimport striate.sklearn"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "needs scikit-learn. Install it with: pip install 'striate[sklearn]'" in done.stderr
