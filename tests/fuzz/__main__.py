"""Read hostile files for as long as you like.

python -m tests.fuzz --minutes 30                      all kinds in turn
python -m tests.fuzz --minutes 5 --kind npz
python -m tests.fuzz --kind npz --seed 3 --case 17     one case again
python -m tests.fuzz --minutes 60 --journal fuzz.jsonl --until 20000
                                                       adds to what other runs noted, also at the same time
python -m tests.fuzz --minutes 0 --journal fuzz.jsonl  how many cases that is
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from fuzz.kinds import KINDS
from fuzz.runner import FINDINGS, Finding, run

ROUND = 500  # cases of a kind before the next one has its turn
TURN_SECONDS = 60.0  # likewise


def main() -> int:
    """Return the status: 1 if there were findings."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Read hostile files.")
    parser.add_argument("--minutes", type=float, default=1.0, help="how long (default 1)")
    parser.add_argument("--kind", choices=KINDS, action="append", help="only this kind; may be repeated")
    parser.add_argument("--seed", type=int, help="the same seed gives the same cases (default: a new one)")
    parser.add_argument("--case", type=int, help="only this case")
    parser.add_argument(
        "--journal", type=Path, help="a file to which results are added, and whose sums are printed"
    )
    parser.add_argument("--until", type=int, help="leave out kinds of which the journal has so many cases")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as cache:  # one for all workers, so that kernels are compiled once
        os.environ.setdefault("STRIATE_CACHE_DIR", cache)
        return _fuzz(arguments)


def _fuzz(arguments: argparse.Namespace) -> int:
    seed = secrets.randbelow(10**6) if arguments.seed is None else arguments.seed
    kinds = arguments.kind or list(KINDS)
    if arguments.case is not None:
        return _print([f for kind in kinds for f in run(kind, arguments.case, arguments.case + 1, seed).findings])
    journal = Journal(arguments.journal)
    end = time.monotonic() + 60 * arguments.minutes
    found = _rounds(kinds, seed, end, journal, arguments.until or sys.maxsize)
    journal.print_sums(kinds)
    return min(1, found)


class Journal:
    """How many cases of each kind ended in which way, in this run and those that wrote to the same file.

    Parameters
    ----------
    path : Path, optional
        A line of JSON is added for every turn; without, nothing is kept.
    """

    def __init__(self, path: Path | None) -> None:
        self.path, self.lines = path, []

    def add(self, kind: str, seed: int, first: int, counts: Counter[str]) -> None:
        """Note how the cases of a turn ended."""
        line = json.dumps({"kind": kind, "seed": seed, "first": first, "counts": counts})
        self.lines.append(line)
        if self.path is not None:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(line + "\n")

    def sums(self) -> dict[str, Counter[str]]:
        """Return the outcomes of all cases by kind."""
        found: dict[str, Counter[str]] = {}
        kept = self.path is not None and self.path.exists()
        for line in self.path.read_text("utf-8").splitlines() if kept else self.lines:
            entry = json.loads(line)
            found.setdefault(entry["kind"], Counter()).update(entry["counts"])
        return found

    def print_sums(self, kinds: list[str]) -> None:
        """Print a line for each kind, and one for all of them."""
        sums = self.sums()
        for kind in kinds:
            counts = sums.get(kind, Counter())
            print(f"{kind:20}{counts.total():8,} cases  {dict(counts)}")
        everything = sum(sums.values(), Counter())
        wrong = sum(everything[outcome] for outcome in FINDINGS)
        fewest = min(sums.get(kind, Counter()).total() for kind in kinds)
        print(f"{everything.total():,} cases, at least {fewest:,} of each kind, {wrong:,} findings")


def _rounds(kinds: list[str], seed: int, end: float, journal: Journal, until: int) -> int:
    """Give every kind a turn, again and again; return how many different findings there were."""
    findings: dict[str, Finding] = {}
    first = dict.fromkeys(kinds, 0)
    while time.monotonic() < end and (
        left := [k for k in kinds if journal.sums().get(k, Counter()).total() < until]
    ):
        for kind in left:
            now = time.monotonic()
            if now > end:
                break
            result = run(kind, first[kind], first[kind] + ROUND, seed, min(end, now + TURN_SECONDS))
            journal.add(kind, seed, first[kind], result.counts)
            print(f"{kind}, seed {seed}, from case {first[kind]}: {dict(result.counts)}", flush=True)
            first[kind] += result.counts.total()
            for finding in result.findings:
                if finding.signature not in findings:
                    findings[finding.signature] = finding
                    _print([finding])
    return len(findings)


def _print(findings: list[Finding]) -> int:
    for finding in findings:
        print(f"  FINDING {finding.kind} --case {finding.case}: {finding.outcome}: {finding.detail}", flush=True)
    return min(1, len(findings))


if __name__ == "__main__":
    sys.exit(main())
