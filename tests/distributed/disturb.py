"""Runs of several ranks in which one is killed or stopped at a random moment; all must end with the same model.

python tests/distributed/disturb.py 20
python tests/distributed/disturb.py 40 --minutes 20    fewer if they take longer
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

TRAIN = ["train", "digits", "--no-report", "--threads", "1", "--batch-size", "64"]
EPOCHS = ["--epochs", "100"]
PATIENCE_SECONDS = 2


def run(folder: Path, disturbance: signal.Signals | None, after_seconds: float, more: Sequence[str] = ()) -> str:
    """Return the checksum of the parameters of a run, one of whose ranks gets a signal."""
    launch = ["launch", "--ranks", "2", "--patience", str(PATIENCE_SECONDS), "--"]
    command = [sys.executable, "-m", "striate", *launch, *TRAIN, *more, "--out", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        if disturbance is not None:
            while not (folder / "log.jsonl").exists() and process.poll() is None:
                time.sleep(0.02)
            time.sleep(after_seconds)
            ranks = ranks_of(folder)
            if ranks:
                os.kill(random.choice(ranks), disturbance)
        process.wait(60)
    finally:
        process.kill()
    return checksum(folder)


def ranks_of(folder: Path) -> list[int]:
    """Return the processes that train in a folder, without the one that watches them."""
    return processes_of(str(folder), "STRIATE_SUPERVISOR")


def processes_of(argument: str, variable: str, place: Path | None = None) -> list[int]:
    """Return the processes of striate with this argument and environment variable, which run in ``place``."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words, environment = (process / "cmdline").read_bytes(), (process / "environ").read_bytes()
            where = (process / "cwd").readlink()
        except OSError:
            continue
        named = argument.encode() in words and f"{variable}=".encode() in environment
        if named and b"mpiexec" not in words and b"hydra" not in words and place in (None, where):
            found.append(int(process.name))
    return found


def checksum(folder: Path) -> str:
    """Return that of the model in a folder, without the time at which it was made."""
    from striate.model import load

    return hashlib.sha256(load(folder / "model.safetensors").theta.tobytes()).hexdigest()[:16]


def main() -> int:
    """Disturb runs; return the status: 1 if one of them ended with another model."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("count", type=int, help="how many runs")
    parser.add_argument("--minutes", type=float, default=600.0, help="for how long (default 600)")
    arguments = parser.parse_args()
    begin, done, wrong = time.monotonic(), Counter[str](), 0
    with tempfile.TemporaryDirectory() as place:
        wanted = run(Path(place) / "whole", None, 0.0, EPOCHS)
        seconds = time.monotonic() - begin
        print(f"undisturbed: {wanted} in {seconds:.1f} s", flush=True)
        while done.total() < arguments.count and time.monotonic() < begin + 60 * arguments.minutes:
            number = done.total()
            folder, how = Path(place) / str(number), (signal.SIGKILL, signal.SIGSTOP)[number % 2]
            found = run(folder, how, random.uniform(0.0, seconds / 3), EPOCHS)
            starts = (folder / "launch.log").read_text().count("launch: starting")
            print(f"{number + 1}: {how.name} {found} after {starts} starts", flush=True)
            done[how.name] += 1
            wrong += found != wanted
    print(f"{done.total()} disturbed runs, {dict(done)}: {wrong} ended with another model")
    return min(1, wrong)


if __name__ == "__main__":
    sys.exit(main())
