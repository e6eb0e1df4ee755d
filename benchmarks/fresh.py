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
session = training_session(case.network(), 64)
session.step(x, list(range(64)), y, adam_numbers(1))
session.team.rest()
if {inference}:
    inference_session(case.network(), 64).run(x, list(range(64)))
"""


STEPS = """
from benchmarks.fresh import own_memory
from benchmarks.networks import CASES, samples
case = CASES[{name!r}]
x, y = samples(case, 2 * {batch})
{work}(4)
print(own_memory())
"""
TRAIN = """
from benchmarks.fresh import own_memory
from striate.cli.app import app
app(["train", "mnist", "--data-dir", {data!r}, "--epochs", "{epochs}", "--out", {out!r}], standalone_mode=False)
print(own_memory())
"""
OWN_STEPS = "__import__('benchmarks.ours', fromlist=['x']).training(case, x, y, {batch})"
TORCH_STEPS = "__import__('benchmarks.pytorch', fromlist=['x']).steps(case, x, y, {batch}, {layout!r})"


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
        return _printed(TRAIN.format(data=data, epochs=epochs, out=f"{folder}/run"))


def step_memory(name: str, batch: int) -> int:
    """Return the peak memory (bytes) of a process that takes 4 training steps with striate."""
    return _printed(STEPS.format(name=name, batch=batch, work=OWN_STEPS.format(batch=batch)))


def torch_step_memory(name: str, batch: int, layouts: list[str]) -> int:
    """Return the same of PyTorch, in the layout that needs less."""
    works = [TORCH_STEPS.format(batch=batch, layout=layout) for layout in layouts]
    return min(_printed(STEPS.format(name=name, batch=batch, work=work)) for work in works)


def own_memory() -> int:
    """Return the peak memory of this process so far (bytes).

    What the system counts for a child begins with the memory of its parent, so Linux's own record comes first.
    """
    try:
        with open("/proc/self/status", encoding="ascii") as lines:
            return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _printed(code: str) -> int:
    """Return the number that ends what ``code`` prints in a process of its own."""
    done = subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.PIPE, text=True)
    return int(done.stdout.split()[-1])


def _seconds(code: str, environment: dict[str, str]) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], env=environment, check=True, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start
