"""Results as a Markdown section."""

from __future__ import annotations

import datetime
import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

ALWAYS = ("striate", "numpy", "numba", "llvmlite")
PEERS = ("torch", "onnxruntime", "tensorflow", "keras", "jax")
TITLE = (
    "# Results\n\nMeasured with `python -m benchmarks`, newest first. Ratios hold better than absolute figures.\n"
)


def heading(command: str) -> list[str]:
    """Return the lines that say when, on what and with what was measured."""
    from striate.machine import available_threads, default_lanes

    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    cpu = f"{processor()}, {available_threads()} of {os.cpu_count()} cores used, {default_lanes()} lanes"
    return [
        f"## {today}, {processor()}",
        "",
        f"- Processor: {cpu}",
        f"- System: {platform.system()} {platform.release()}, Python {platform.python_version()}",
        f"- Versions: {', '.join(f'{name} {number}' for name, number in versions().items())}",
        f"- Command: `{command}`",
        "",
    ]


def versions() -> dict[str, str]:
    """Return the versions of what striate runs on and of the peers that were imported."""
    return {name: _version(name) for name in (*ALWAYS, *PEERS) if name in ALWAYS or name in sys.modules}


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return str(getattr(sys.modules.get(name), "__version__", "unknown"))


def processor() -> str:
    """Return the processor's name."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    """Return a Markdown table, numbers to the right, followed by an empty line."""
    rule = ["---"] + ["---:"] * (len(header) - 1)
    return [_line(header), _line(rule), *map(_line, rows), ""]


def write(path: Path, section: list[str]) -> None:
    """Put ``section`` on top of the sections in ``path``."""
    old = path.read_text(encoding="utf-8").removeprefix(TITLE).lstrip("\n") if path.exists() else ""
    path.write_text("\n".join([TITLE, *section, old]).rstrip("\n") + "\n", encoding="utf-8")


def _line(cells: list[str] | tuple[str, ...]) -> str:
    return "| " + " | ".join(cells) + " |"
