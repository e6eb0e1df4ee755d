"""A short run of the fuzzer: a few cases of every kind, the same ones every time."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from .kinds import KINDS
from .runner import TESTS, run

CASES = 25


@pytest.mark.skipif(os.name == "nt", reason="limits of POSIX")
@pytest.mark.parametrize("kind", sorted(KINDS))
def test_hostile_files_are_refused_or_read(kind: str) -> None:
    result = run(kind, 0, CASES)
    assert not result.findings
    assert result.counts.total() == CASES


BROKEN = """
import os, sys
from fuzz import worker
from fuzz.kinds import KINDS, Kind, make_log
from striate.errors import DataError
from support.faulty import act  # what goes wrong for a changed file

how = sys.argv[1]
KINDS["broken"] = Kind(make_log, lambda path: act(how, path.read_bytes()), (lambda n, data, r: data + b"x",), True)
sys.argv[1:] = ["broken", "0", "1", "0"]
worker.main()
"""


def outcome(how: str) -> tuple[str, int]:
    """Return the last line and the status of a worker whose reader is at fault."""
    paths = os.pathsep.join([str(TESTS), *sys.path])
    done = subprocess.run(
        [sys.executable, "-c", BROKEN, how],
        capture_output=True,
        env={**os.environ, "PYTHONPATH": paths},
        timeout=60,
        check=False,
    )
    return done.stdout.decode().splitlines()[-1], done.returncode


@pytest.mark.skipif(os.name == "nt", reason="limits of POSIX")
@pytest.mark.parametrize("how", ["traceback", "memory", "hang", "silent", "message", "refused", "crash"])
def test_the_fuzzer_tells_what_went_wrong(how: str) -> None:
    line, status = outcome(how)
    told = json.loads(line)
    assert told.get("outcome", "crash") == how
    assert (status == 0) == (how != "crash")
