"""The long run of training, predicting and serving fails as soon as anything does."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from .soak import repeated, usage, watch


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_call_that_fails_ends_the_watch() -> None:
    with repeated(lambda: None, lambda: 1 / 0) as calls, pytest.raises(AssertionError, match="a call failed: Zero"):
        watch([os.getpid()], 0.1, calls, ())


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_process_that_ends_ends_the_watch() -> None:
    with repeated(lambda: None) as calls, subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait(60)
        with pytest.raises(AssertionError, match="a process has ended"):
            watch([os.getpid()], 0.1, calls, (process,))


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_usage_counts_memory_threads_and_files() -> None:
    before = usage([os.getpid()])
    with open(os.devnull) as _:
        after = usage([os.getpid()])
    assert before.bytes > 10e6
    assert before.threads >= 1
    assert after.files == before.files + 1
