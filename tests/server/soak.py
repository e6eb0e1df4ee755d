"""Train, predict and serve at once, and watch memory, threads and open files of every process.

python tests/server/soak.py 10        for ten minutes; the processes may take 2 GB together
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from server.test_running import started
from striate import load

STRIATE = (sys.executable, "-m", "striate")
MOST_BYTES = 2e9
WARM_UP = 0.3  # of the time, in which sessions and caches are filled


class Usage(NamedTuple):
    """What the processes take together."""

    bytes: int
    threads: int
    files: int


def usage(processes: list[int]) -> Usage:
    """Return what some processes take."""
    total = Usage(0, 0, 0)
    for number in processes:
        with contextlib.suppress(OSError):
            resident = int(Path(f"/proc/{number}/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")
            threads, files = (len(os.listdir(f"/proc/{number}/{kind}")) for kind in ("task", "fd"))
            total = Usage(total.bytes + resident, total.threads + threads, total.files + files)
    return total


def train(folder: Path) -> subprocess.Popen[bytes]:
    """Start a training that is to last longer than the test."""
    command = [*STRIATE, "train", "digits", "--model", "lenet5", "--epochs", "1000000"]
    return subprocess.Popen([*command, "--threads", "1", "--out", str(folder)], stdout=subprocess.DEVNULL)


class Calls:
    """How often some functions were called, and what the first one that failed raised."""

    def __init__(self, count: int) -> None:
        self.counts, self.over = [0] * count, threading.Event()
        self.failure: BaseException | None = None

    def repeat(self, number: int, function: Callable[[], object]) -> None:
        """Call a function again and again, until it fails or the time is over."""
        try:
            while not self.over.is_set():
                function()
                self.counts[number] += 1
        except BaseException as failure:
            self.failure = failure


@contextlib.contextmanager
def repeated(*functions: Callable[[], object]) -> Iterator[Calls]:
    """Call functions again and again, each in a thread."""
    calls = Calls(len(functions))
    threads = [threading.Thread(target=calls.repeat, args=pair) for pair in enumerate(functions)]
    for thread in threads:
        thread.start()
    try:
        yield calls
    finally:
        calls.over.set()
        for thread in threads:
            thread.join()


def main(minutes: float) -> int:
    """Return the status: 1 if anything grew, ended or took too much."""
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        run = [*STRIATE, "train", "digits", "--model", "lenet5", "--epochs", "1", "--no-report"]
        subprocess.run([*run, "--out", f"{folder}/model"], check=True, stdout=subprocess.DEVNULL)
        path = Path(folder) / "model" / "model.safetensors"
        model, rng = load(path), np.random.default_rng(0)
        server, address, token = stack.enter_context(started(path))
        training = stack.enter_context(train(Path(folder) / "run"))
        stack.callback(training.terminate)

        def predict() -> None:
            model.predict(rng.normal(size=(int(rng.integers(1, 300)), *model.input_shape)))

        def ask() -> None:
            body = json.dumps({"samples": rng.normal(size=(3, *model.input_shape)).tolist()}).encode()
            head = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
            with urllib.request.urlopen(urllib.request.Request(f"{address}/predict", body, head)) as answer:
                assert len(json.load(answer)["predictions"]) == 3

        calls = stack.enter_context(repeated(predict, ask, ask))
        return watch([os.getpid(), server.pid, training.pid], minutes, calls, (server, training))


def watch(numbers: list[int], minutes: float, calls: Calls, running: tuple[subprocess.Popen, ...]) -> int:
    """Sample what the processes take until the time is over; return whether it grew.

    Raises
    ------
    AssertionError
        If a process or a calling thread ended before.
    """
    begin, seen = time.monotonic(), []
    while (passed := time.monotonic() - begin) < 60 * minutes:
        seen.append(usage(numbers))
        if len(seen) % 10 == 1:
            found = seen[-1]
            print(
                f"{passed:5.0f} s: {found.bytes / 1e6:.0f} MB, {found.threads} threads, {found.files} files",
                flush=True,
            )
        assert all(process.poll() is None for process in running), "a process has ended"
        assert calls.failure is None, f"a call failed: {calls.failure!r}"
        time.sleep(min(2.0, 60 * minutes / 40))
    later = seen[int(len(seen) * WARM_UP) :]
    half = len(later) // 2
    growth = {
        name: max(getattr(u, name) for u in later[half:]) / max(getattr(u, name) for u in later[:half]) - 1
        for name in Usage._fields
    }
    print(f"{calls.counts} calls; growth in the second half {growth}", flush=True)
    return int(max(u.bytes for u in seen) > MOST_BYTES or max(growth.values()) > 0.02)


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]) if len(sys.argv) > 1 else 1.0))
