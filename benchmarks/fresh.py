"""What a fresh process pays: compiling once per machine, planning, the first step; and memory."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass

FIRST_STEP = """
from benchmarks.networks import CASES, samples
from benchmarks.ours import adam_numbers, inference_session, training_session
case = CASES[{name!r}]
x, y = samples(case, 64)
session = training_session(case, 64)
session.step(x, list(range(64)), y, adam_numbers(1))
session.team.rest()
if {inference}:
    inference_session(case, 64).run(x, list(range(64)))
"""


@dataclass(frozen=True)
class Fresh:
    """Seconds of a process from its start to its end, with an empty cache and with a full one."""

    cold_seconds: float
    warm_seconds: float


def first_step(name: str, repeats: int = 3) -> Fresh:
    """Time processes that import striate, plan the network and take one training step of 64 samples.

    The cold one also infers once, so that all kernels of the network are compiled.
    """
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "STRIATE_CACHE_DIR": folder}
        cold = _seconds(FIRST_STEP.format(name=name, inference=True), environment)
        warm = [_seconds(FIRST_STEP.format(name=name, inference=False), environment) for _ in range(repeats)]
    return Fresh(cold, sorted(warm)[len(warm) // 2])


def training_memory(data: str, epochs: int = 1) -> int:
    """Return the peak memory (bytes) of ``striate train mnist`` with the IDX files in ``data``."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "striate", "train", "mnist", "--data-dir", data]
        done = subprocess.Popen([*command, "--epochs", str(epochs), "--out", folder], stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(done.pid, 0)
    if status:
        raise SystemExit("benchmarks: training on MNIST failed.")
    return usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def own_memory() -> int:
    """Return the peak memory of this process so far (bytes)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _seconds(code: str, environment: dict[str, str]) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], env=environment, check=True, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start
