"""No kernel reads or writes outside the arrays it was given: all of them lie between protected pages."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from striate.testing.operations import OPERATIONS
from support.guard import ENDS

TESTS = Path(__file__).resolve().parents[1]
CASES = 1  # of every operation; STRIATE_TEST_EXAMPLES multiplies them
NETWORKS = 12  # random ones; it multiplies these too
PARTS = 2

RUN = """
import faulthandler, sys
faulthandler.enable()
from support import guard
end, cases, names = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
guard.install(end)
from engine.test_operations import compare
from striate.testing.experiments import LAYOUTS
from striate.testing.choices import Seeded
from striate.testing.operations import OPERATIONS
guard.with_moved(LAYOUTS, end)
for name in names:
    for seed in range(cases):
        print(name, seed, flush=True)
        compare(OPERATIONS[name], Seeded(seed))
"""
NETWORKS_RUN = """
import faulthandler, sys
faulthandler.enable()
from support import guard
end, first, last = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
guard.install(end)
from support.guarded_networks import use
for seed in range(first, last):
    print("network", seed, flush=True)
    use(seed, end)
"""
TOUCH = """
import ctypes, sys
from support import guard
end, offset = sys.argv[1], int(sys.argv[2])
guard.install(end)
from striate.engine.binding import aligned
array = aligned(1024)
print(ctypes.c_float.from_address(array.ctypes.data + offset).value)
"""

posix = pytest.mark.skipif(os.name == "nt", reason="protects pages in the way of POSIX")


def run(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    paths = os.pathsep.join([str(TESTS), *sys.path])
    environment = {**os.environ, "PYTHONPATH": paths}
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=600, check=False)


@posix
@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("part", range(PARTS))
def test_operations_stay_inside_their_arrays(part: int, end: str) -> None:
    """Forward, backward and update; the drawn lanes, layouts, batches and numbers of threads."""
    cases = int(CASES * float(os.environ.get("STRIATE_TEST_EXAMPLES", "1")))
    done = run(RUN, end, str(cases), *list(OPERATIONS)[part::PARTS])
    last = (done.stdout.splitlines() or ["nothing"])[-1]
    assert done.returncode == 0, f"{last}, guarded at the {end}: {done.stderr[-1500:]}"


@posix
@pytest.mark.parametrize("end", ENDS)
def test_networks_stay_inside_their_arrays(end: str) -> None:
    """Inference in both layouts and a step of training: all lanes, several threads, odd batches."""
    count = int(NETWORKS * float(os.environ.get("STRIATE_TEST_EXAMPLES", "1")))
    done = run(NETWORKS_RUN, end, "0", str(count))
    last = (done.stdout.splitlines() or ["nothing"])[-1]
    assert done.returncode == 0, f"{last}, guarded at the {end}: {done.stderr[-1500:]}"


@posix
@pytest.mark.parametrize(("end", "offset"), [("begin", -4), ("end", 4096)])
def test_a_touch_beside_an_array_ends_the_process(end: str, offset: int) -> None:
    assert run(TOUCH, end, "0").stdout == "0.0\n"
    assert run(TOUCH, end, str(offset)).returncode == -signal.SIGSEGV
