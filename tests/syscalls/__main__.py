"""Let every system call on a folder fail in every way, for all that people do with it.

python -m tests.syscalls                                   everything, about an hour
python -m tests.syscalls --scenario train --stride 7       one call in seven
python -m tests.syscalls --scenario search --kind killed
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from syscalls.scenarios import SCENARIOS
from syscalls.shim import KINDS, build, run


def main() -> int:
    """Return the status: 1 if there were findings."""
    parser = argparse.ArgumentParser(prog="python -m tests.syscalls", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--scenario", choices=SCENARIOS, action="append", help="only this; may be repeated")
    parser.add_argument("--kind", choices=KINDS, action="append", help="only this; may be repeated")
    parser.add_argument("--first", type=int, default=0, help="the first fault (default 0)")
    parser.add_argument("--stride", type=int, default=1, help="one fault in so many (default 1)")
    parser.add_argument("--minutes", type=float, default=600.0, help="how long for a scenario (default 600)")
    arguments = parser.parse_args()
    found = 0
    with tempfile.TemporaryDirectory() as folder:
        library = build(Path(folder))
        for scenario in arguments.scenario or SCENARIOS:
            print(f"== {scenario}", flush=True)
            seconds = 60 * arguments.minutes
            done = run(library, scenario, arguments.kind or list(KINDS), arguments.first, arguments.stride, seconds)
            print(done.stdout, done.stderr, flush=True)
            found += done.returncode != 0
    return min(1, found)


if __name__ == "__main__":
    sys.exit(main())
