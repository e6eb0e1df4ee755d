"""The resources of this machine: cores, memory, vector lanes, cache folder, within the limits of a container."""

from __future__ import annotations

import functools
import math
import os
import platform
from collections.abc import Iterator
from pathlib import Path

from striate.errors import UsageError

VARIABLES = {
    "STRIATE_CACHE_DIR": "Folder for kernels, downloads and decoded images. Default: the user's cache folder.",
    "STRIATE_CACHE_GB": "Most gigabytes that decoded images, recordings and tables may take there. Default: 100.",
    "STRIATE_LANES": "Samples that one vector holds: 4, 8 or 16. Default: what the processor has.",
    "STRIATE_THREADS": "Threads to use where none are asked for. Default: the cores that this process may use.",
    "STRIATE_VERIFY": "0 skips the check of every new program before its first run. Default: 1.",
}
"""Every environment variable that changes the use of the machine; an empty one counts as unset."""
LANES = (4, 8, 16)
MOST_THREADS = 1024
ASSUMED_MEMORY = 4 << 30  # bytes, on a system that does not report its memory

PROC = Path("/proc")
GROUPS = Path("/sys/fs/cgroup")


@functools.cache
def default_lanes() -> int:
    """Return the lanes of this processor: 16 with AVX-512, 8 with AVX2, else 4; ``STRIATE_LANES`` overrides them.

    Raises
    ------
    UsageError
        If ``STRIATE_LANES`` is not 4, 8 or 16.
    """
    forced = _variable("STRIATE_LANES")
    if forced:
        if forced not in map(str, LANES):
            raise UsageError(f"STRIATE_LANES: must be one of {LANES}; got {forced!r}. Unset it for the default.")
        return int(forced)
    if platform.machine().lower() not in ("x86_64", "amd64"):
        return 4
    features = _features()
    if features.get("avx512f"):
        return 16
    return 8 if features.get("avx2") else 4


def byte_products(lanes: int) -> str:
    """Return how a vector of so many lanes adds products of bytes here: "vnni", "pairs" of 16 bits, or "plain".

    VNNI adds four products in one instruction; "pairs" is what SSE2, AVX2 and AVX-512 have without it.
    """
    if platform.machine().lower() not in ("x86_64", "amd64"):
        return "plain"
    has = _features()
    if (has.get("avx512vnni") and (lanes == 16 or has.get("avx512vl"))) or (has.get("avxvnni") and lanes < 16):
        return "vnni"
    needed = {4: "sse2", 8: "avx2", 16: "avx512bw"}[lanes]
    return "pairs" if has.get(needed) else "plain"


def _features() -> dict[str, bool]:
    """Return the processor features that LLVM reports."""
    import llvmlite.binding as llvm

    return dict(llvm.get_host_cpu_features())


def available_threads() -> int:
    """Return how many threads to use by default: ``STRIATE_THREADS``, or one for each core that is ours.

    A container's share of the processors is rounded down, because threads that wait for each other lose more to
    being stopped than they gain from the last part of a core.

    Raises
    ------
    UsageError
        If ``STRIATE_THREADS`` is not a whole number from 1 to 1024.
    """
    named = _variable("STRIATE_THREADS")
    if not named:
        return available_cores()
    if not named.isascii() or not named.isdigit() or not 1 <= int(named[:5]) <= MOST_THREADS:
        raise UsageError(
            f"STRIATE_THREADS: must be a whole number from 1 to {MOST_THREADS}; got {named!r}. "
            "Unset it for the default."
        )
    return int(named)


def verifies() -> bool:
    """Return whether a program is checked before its first run: unless ``STRIATE_VERIFY`` is 0.

    Raises
    ------
    UsageError
        If ``STRIATE_VERIFY`` is neither 0 nor 1.
    """
    named = _variable("STRIATE_VERIFY") or "1"
    if named not in ("0", "1"):
        raise UsageError(f"STRIATE_VERIFY: must be 0 or 1; got {named!r}. Unset it for the default.")
    return named == "1"


def available_cores() -> int:
    """Return the number of cores available under the affinity of this process and its container, at least 1."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min([cores, *map(math.floor, _core_quotas())]))


def available_memory() -> int:
    """Return how many bytes new arrays may take without swapping, within the limits of container and process."""
    free = _free_memory() or ASSUMED_MEMORY
    return max(0, min([free, *_memory_quotas(), *_address_space()]))


def is_own(status: os.stat_result) -> bool:
    """Return whether a file belongs to this user or to root."""
    return not hasattr(os, "geteuid") or status.st_uid in (os.geteuid(), 0)


def cache_folder() -> Path:
    """Return the folder for files that can be recreated: ``STRIATE_CACHE_DIR``, or the user's cache folder.

    Raises
    ------
    UsageError
        If it lies in the home folder of a user who has none.
    """
    import platformdirs

    named = _variable("STRIATE_CACHE_DIR")
    try:
        folder = os.path.expanduser(named) if named else platformdirs.user_cache_dir("striate", appauthor=False)
    except RuntimeError:  # newer versions of platformdirs raise, older ones leave the tilde
        folder = "~"
    if folder.startswith("~"):
        where = f"STRIATE_CACHE_DIR: {named}" if named else "cache folder"
        raise UsageError(f"{where}: needs a home folder, and there is none. Set STRIATE_CACHE_DIR to a folder.")
    return Path(folder)


def _variable(name: str) -> str:
    return os.environ.get(name, "").strip()


def _free_memory() -> int | None:
    if os.name == "nt":
        return _free_memory_of_windows()
    for line in (_text(PROC / "meminfo") or "").splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return None


def _free_memory_of_windows() -> int | None:
    """Return ``ullAvailPhys`` of GlobalMemoryStatusEx: two 32-bit fields, then the total and what is free of it."""
    import ctypes

    status = (ctypes.c_uint64 * 8)()
    status[0] = ctypes.sizeof(status)
    kernel = ctypes.WinDLL("kernel32")  # type: ignore[attr-defined]
    return int(status[2]) if kernel.GlobalMemoryStatusEx(ctypes.byref(status)) else None


def _address_space() -> Iterator[int]:
    """Yield what RLIMIT_AS leaves, in bytes."""
    try:
        import resource
    except ImportError:
        return
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    pages = (_text(PROC / "self" / "statm") or "").split()
    if limit != resource.RLIM_INFINITY and pages:
        yield limit - int(pages[0]) * resource.getpagesize()


def _memory_quotas() -> Iterator[int]:
    """Yield what each control group above this process leaves it, in bytes; cached file pages can be dropped."""
    for folder, kind in _groups("memory"):
        limit, used, cached = (
            ("memory.max", "memory.current", "inactive_file")
            if kind == "unified"
            else ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
        )
        most, now = _number(folder / limit), _number(folder / used)
        if most is not None and now is not None:
            fields = dict(line.split()[:2] for line in (_text(folder / "memory.stat") or "").splitlines())
            yield most - now + int(fields.get(cached, 0))


def _core_quotas() -> Iterator[float]:
    """Yield the cores that each control group above this process grants it."""
    for folder, kind in _groups("cpu"):
        if kind == "unified":
            quota, _, period = (_text(folder / "cpu.max") or "max").partition(" ")
        else:
            quota, period = (_text(folder / f"cpu.cfs_{name}_us") or "-1" for name in ("quota", "period"))
        if quota.isdigit() and period.isdigit() and int(period):
            yield int(quota) / int(period)


def _groups(controller: str) -> Iterator[tuple[Path, str]]:
    """Yield the control groups of this process, innermost first, each as (folder, "unified" or "legacy").

    Within a container the path that the system tells is often that of the host, of which only the root is there.
    """
    for line in (_text(PROC / "self" / "cgroup") or "").splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers and controller not in controllers.split(","):
            continue
        kind = "legacy" if controllers else "unified"
        root = GROUPS / controller if controllers else GROUPS
        inner = root / path.strip("/")
        for folder in (inner, *inner.parents):
            if folder.is_relative_to(root):
                yield folder, kind


def _number(path: Path) -> int | None:
    text = _text(path)
    return int(text) if text is not None and text.isdigit() else None


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeError):
        return None
