"""Check the engine on a 64-bit ARM processor that qemu emulates: kernels against the reference, LeNet-5's training.

python -m tests.arm64 ~/arm64                fetches Debian's Python and wheels for ARM (600 MB) the first time
python -m tests.arm64 ~/arm64 --minutes 5    the next call continues where this one ends

Needs the Debian packages qemu-user and dpkg. Compiling the kernels takes most of the time, about an hour in all;
they are kept in the folder.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

from .tree import VERSION, make

TESTS = Path(__file__).resolve().parents[1]


def main() -> int:
    """Return the status: 0 if all checks passed, 2 if some are left."""
    parser = argparse.ArgumentParser(prog="python -m tests.arm64", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("folder", type=Path, help="where Python, wheels and compiled kernels are kept")
    parser.add_argument("--minutes", type=float, default=600.0, help="how long (default 600)")
    arguments = parser.parse_args()
    folder = arguments.folder.expanduser().resolve()
    make(folder)
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(map(str, (TESTS.parent / "src", TESTS, folder / "site"))),
        "STRIATE_CACHE_DIR": str(folder / "cache"),
    }
    python = folder / "tree/usr/bin" / f"python{VERSION}"
    command = ["qemu-aarch64", "-L", folder / "tree", python, "-m", "arm64.checks"]
    seconds = str(60 * arguments.minutes)
    return subprocess.run([*command, folder / "passed.txt", seconds], env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
