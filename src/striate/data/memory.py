"""How much memory this process may still use."""

from __future__ import annotations

import os
from pathlib import Path

UNKNOWN = 4 << 30  # what to assume on a system that does not tell


def available_bytes() -> int:
    """Return the memory that can be had without swapping, in bytes, within the limit of a container."""
    free = _meminfo_bytes() or _physical_bytes() or UNKNOWN
    limit = _container_bytes()
    return free if limit is None else min(free, limit)


def _meminfo_bytes() -> int | None:
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return None
    for line in lines:
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return None


def _physical_bytes() -> int | None:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return None


def _container_bytes() -> int | None:
    """Return what is left of the control group's limit, or None where there is none."""
    group = Path("/sys/fs/cgroup")
    try:
        limit = (group / "memory.max").read_text().strip()
        used = int((group / "memory.current").read_text())
        return None if limit == "max" else max(0, int(limit) - used)
    except (OSError, ValueError):
        return None
