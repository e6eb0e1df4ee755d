"""Runs workers over cases, and starts a new one behind a case that ended its process."""

from __future__ import annotations

import json
import math
import os
import re
import select
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
SILENCE = 60  # seconds without a word, after which a worker is killed
FINDINGS = ("traceback", "hang", "memory", "crash", "silent", "message")


@dataclass(frozen=True)
class Finding:
    """A case that must not end as it did."""

    kind: str
    case: int
    outcome: str
    detail: str

    @property
    def signature(self) -> str:
        """What findings of the same cause have in common."""
        return f"{self.kind}: {self.outcome} {re.sub(r'[:=].*', '', self.detail.replace('.py:', '.py '))}"


@dataclass
class Result:
    """How the cases of a kind ended."""

    counts: Counter[str] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)


def run(kind: str, first: int, last: int, seed: int = 0, end: float = math.inf) -> Result:
    """Return how the cases from ``first`` to before ``last`` ended, fewer if the clock has passed ``end``."""
    result = Result()
    while first < last:
        for case, outcome, detail in _cases(kind, first, last, seed):
            first = last if time.monotonic() > end else case + 1
            result.counts[outcome] += 1
            if outcome in FINDINGS:
                result.findings.append(Finding(kind, case, outcome, detail))
            if first == last:
                break
    return result


def _cases(kind: str, first: int, last: int, seed: int) -> Iterator[tuple[int, str, str]]:
    """Yield (case, outcome, detail) until the worker ends."""
    command = [sys.executable, "-m", "fuzz.worker", kind, str(first), str(last), str(seed)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(TESTS), *sys.path])}
    worker = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, cwd=TESTS.parent
    )
    assert worker.stdout is not None
    begun, reason = None, "crash"
    try:
        while line := _line(worker.stdout):
            entry = json.loads(line)
            begun = entry["case"] if "outcome" not in entry else None
            if "outcome" in entry:
                yield entry["case"], entry["outcome"], entry["detail"]
    except TimeoutError:
        reason = "hang"
    finally:
        worker.kill()
        _, errors = worker.communicate()
    if begun is not None:
        yield begun, reason, f"status {worker.returncode} {errors.decode(errors='replace')[-300:]}"
    elif worker.returncode not in (0, -9):
        raise RuntimeError(f"{kind}: the worker did not start: {errors.decode(errors='replace')[-2000:]}")


def _line(stream) -> bytes:
    ready, _, _ = select.select([stream], [], [], SILENCE)
    if not ready:
        raise TimeoutError
    return stream.readline()
