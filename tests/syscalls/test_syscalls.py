"""Whatever system call on a folder fails: the message names the file, what was there loads, and work goes on."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from syscalls.scenarios import SCENARIOS
from syscalls.shim import KINDS, build, compiler, run

STRIDES = {
    **{"train": 61, "ranks": 531, "resume": 61, "report": 73, "pictures": 29, "kernel": 41},
    **{"search": 499, "search on": 499},
}
"""Of the faults one in so many is tried, 7 by default; STRIATE_TEST_EXAMPLES divides it."""
NEEDED = {"search": "optuna", "search on": "optuna", "ranks": "mpi4py"}

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or compiler() is None, reason="needs a C compiler, and Linux to load a library first"
)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("shim"))


def faults(library: Path, name: str, stride: int) -> subprocess.CompletedProcess[str]:
    """Let one fault in so many happen, starting at another one in every scenario."""
    return run(library, name, list(KINDS), len(name) % stride, stride, 100.0)


@pytest.mark.parametrize("name", SCENARIOS)
def test_whatever_call_fails_the_state_before_is_there(name: str, library: Path) -> None:
    if (package := NEEDED.get(name)) and not find_spec(package):
        pytest.skip(f"needs {package}")
    more = float(os.environ.get("STRIATE_TEST_EXAMPLES", "1"))
    done = faults(library, name, max(1, round(STRIDES.get(name, 7) / more)))
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^all \d+ faults", done.stdout, re.MULTILINE)


def test_a_program_that_loses_data_is_found(library: Path) -> None:
    done = faults(library, "careless", 1)
    assert done.returncode == 1
    found = re.findall(r"^FINDING (.*) at call \d+, (\w+) /notes: (.*)", done.stdout, re.MULTILINE)
    assert ("killed", "write", "afterwards: another result") in found
    assert ("no space", "create", "afterwards: another result") not in found  # the file was not touched yet
    assert any(kind == "i/o error" and wrong.startswith("message without file") for kind, _, wrong in found)
