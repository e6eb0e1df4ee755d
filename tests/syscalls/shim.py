"""Builds the library that lets system calls fail, and starts it."""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]

KINDS = {
    "no space": errno.ENOSPC,
    "i/o error": errno.EIO,
    "not allowed": errno.EACCES,
    "read-only": errno.EROFS,
    "interrupted": errno.EINTR,
    "short write": -1,
    "killed": -2,
    "disk full": -3,
}
"""What can go wrong; "disk full" stays so for everything that is written afterwards."""
LINE = 120  # bytes of a line of the log


def compiler() -> str | None:
    """Return the program that compiles C, None if there is none."""
    return shutil.which("gcc") or shutil.which("cc")


def build(folder: Path) -> Path:
    """Compile the library into ``folder``."""
    library = folder / "shim.so"
    source = Path(__file__).with_name("shim.c")
    subprocess.run([compiler() or "cc", "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], check=True)
    return library


def run(
    library: Path, scenario: str, kinds: Sequence[str], first: int, stride: int, seconds: float
) -> subprocess.CompletedProcess[str]:
    """Run the faults of a scenario in a process of its own; its status is 1 if there were findings."""
    paths = os.pathsep.join([str(TESTS), *sys.path])
    return subprocess.run(
        [sys.executable, "-m", "syscalls.runner", scenario, ",".join(kinds), str(first), str(stride), str(seconds)],
        env={**os.environ, "LD_PRELOAD": str(library), "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=False,
    )


def arm(folder: Path, kind: str, at: int, log: Path) -> None:
    """Let call number ``at`` on ``folder`` go wrong in this process, started with the library, and in those that it
    starts; -1 for none.
    """
    place = os.path.realpath(folder)
    ctypes.CDLL(None).shim_arm(place.encode(), KINDS[kind], at, str(log).encode())
    os.environ |= {"SHIM_FOLDER": place, "SHIM_KIND": str(KINDS[kind]), "SHIM_AT": str(at), "SHIM_LOG": str(log)}


def calls(log: Path) -> list[str]:
    """Return the calls that were counted, as "name /path within the folder"."""
    text = log.read_text("utf-8", "replace") if log.exists() else ""
    return [" ".join(text[at : at + LINE].split()) for at in range(0, len(text), LINE)]
