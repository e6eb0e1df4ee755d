"""Read hostile files for as long as you like.

python -m tests.fuzz --minutes 30                      all kinds in turn
python -m tests.fuzz --minutes 5 --kind npz
python -m tests.fuzz --kind npz --seed 3 --case 17     one case again
"""

from __future__ import annotations

import argparse
import secrets
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from fuzz.kinds import KINDS
from fuzz.runner import Finding, run

ROUND = 500  # cases of a kind before the next one has its turn


def main() -> int:
    """Return the status: 1 if there were findings."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Read hostile files.")
    parser.add_argument("--minutes", type=float, default=1.0, help="how long (default 1)")
    parser.add_argument("--kind", choices=KINDS, action="append", help="only this kind; may be repeated")
    parser.add_argument("--seed", type=int, help="the same seed gives the same cases (default: a new one)")
    parser.add_argument("--case", type=int, help="only this case")
    parser.add_argument("--cases", type=int, help="so many cases of each kind, however long that takes")
    arguments = parser.parse_args()
    seed = secrets.randbelow(10**6) if arguments.seed is None else arguments.seed
    kinds = arguments.kind or list(KINDS)
    if arguments.case is not None:
        return _print([f for kind in kinds for f in run(kind, arguments.case, arguments.case + 1, seed).findings])
    return _rounds(kinds, seed, time.monotonic() + 60 * arguments.minutes, arguments.cases)


def _rounds(kinds: list[str], seed: int, end: float, cases: int | None) -> int:
    findings: dict[str, Finding] = {}
    first = 0
    while first < cases if cases else time.monotonic() < end:
        last = min(first + ROUND, cases or first + ROUND)
        for kind in kinds:
            result = run(kind, first, last, seed)
            print(f"{kind}, seed {seed}, cases {first} to {last - 1}: {dict(result.counts)}", flush=True)
            for finding in result.findings:
                if finding.signature not in findings:
                    findings[finding.signature] = finding
                    _print([finding])
            if not cases and time.monotonic() > end:
                break
        first = last
    print(f"{len(findings)} different findings")
    return min(1, len(findings))


def _print(findings: list[Finding]) -> int:
    for finding in findings:
        print(f"  FINDING {finding.kind} --case {finding.case}: {finding.outcome}: {finding.detail}", flush=True)
    return min(1, len(findings))


if __name__ == "__main__":
    sys.exit(main())
