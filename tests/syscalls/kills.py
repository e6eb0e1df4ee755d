"""Kill whatever people do with a folder at random moments; what they do afterwards must give the same as ever.

python -m tests.syscalls.kills 200                     so many kills, in turn over all that is done
python -m tests.syscalls.kills 20 --scenario train
python -m tests.syscalls.kills 200 --minutes 20        fewer if they take longer
"""

from __future__ import annotations

import argparse
import random
import secrets
import signal
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from syscalls.runner import Stage
from syscalls.scenarios import SCENARIOS


def kill(stage: Stage, after: float) -> tuple[bool, str | None]:
    """Kill a child after so many seconds; return whether it had not ended yet, and what must not have happened."""
    ended = stage.act(lambda: None, after)
    return ended.status == -signal.SIGKILL, stage.afterwards()


def main() -> int:
    """Return the status: 1 if there were findings."""
    parser = argparse.ArgumentParser(prog="python -m tests.syscalls.kills", description="Kill at random moments.")
    parser.add_argument("count", type=int, help="how many kills")
    parser.add_argument("--scenario", choices=SCENARIOS, action="append", help="only this; may be repeated")
    parser.add_argument("--seed", type=int, help="the same seed gives the same moments (default: a new one)")
    parser.add_argument("--minutes", type=float, default=600.0, help="for how long, shared evenly (default 600)")
    arguments = parser.parse_args()
    seed = secrets.randbelow(10**6) if arguments.seed is None else arguments.seed
    names, end = arguments.scenario or list(SCENARIOS), time.monotonic() + 60 * arguments.minutes
    killed = found = 0
    for number, name in enumerate(names):
        share = arguments.count * (number + 1) // len(names) - arguments.count * number // len(names)
        now = time.monotonic()
        hits, wrong = _kills(name, share, seed, now + (end - now) / (len(names) - number))
        killed, found = killed + hits, found + wrong
    print(f"{killed} kills, {found} findings")
    return min(1, found)


def _kills(name: str, count: int, seed: int, end: float) -> tuple[int, int]:
    """Kill a scenario so often, or until the clock passes ``end``; return the numbers of kills and findings."""
    hits = found = 0
    with tempfile.TemporaryDirectory() as where:
        stage, rng = Stage(SCENARIOS[name], Path(where)), random.Random(f"{seed} {name}")
        while hits < count and time.monotonic() < end:
            after = rng.uniform(0.0, stage.seconds)
            hit, wrong = kill(stage, after)
            hits += hit
            if wrong:
                found += 1
                print(f"FINDING {name}, killed after {after:.3f} s: {wrong}", flush=True)
        print(f"{name}, seed {seed}: {hits} kills within {stage.seconds:.2f} s, {found} findings", flush=True)
    return hits, found


if __name__ == "__main__":
    sys.exit(main())
