"""Arrays between pages that nobody may touch: a kernel that reads or writes beside its arrays ends the process."""

from __future__ import annotations

import ctypes
import importlib
import mmap
from collections.abc import Callable

import numpy as np

ALIGNMENT = 64
ALLOCATORS = ("striate.engine.binding", "striate.engine.team", "striate.engine.workers", "striate.engine.memory")
"""The modules that take memory by ``aligned``."""
ENDS = ("begin", "end")


def guarded(size: int, end: str, alignment: int = ALIGNMENT) -> np.ndarray:
    """Return uint8[size] of zeros right behind a protected page ("begin"), or right before one ("end").

    Up to ``alignment - 1`` bytes lie between the array and the page after it.
    """
    page = mmap.PAGESIZE
    pages = max(1, -(-size // page))
    memory = mmap.mmap(-1, (pages + 2) * page)
    room = np.frombuffer(memory, np.uint8)
    address = room.ctypes.data
    for guard in (address, address + (pages + 1) * page):
        _protect(guard, page)
    rounded = -(-size // alignment) * alignment
    start = page if end == "begin" else page + pages * page - rounded
    return room[start : start + size]


def install(end: str) -> None:
    """Let the engine of this process take all its memory between protected pages."""

    def aligned(count: int, dtype: type = np.float32) -> np.ndarray:
        return guarded(count * np.dtype(dtype).itemsize, end).view(dtype)

    for name in ALLOCATORS:
        module = importlib.import_module(name)
        assert hasattr(module, "aligned"), f"{name} takes no memory any more"
        module.aligned = aligned


def moved(array: np.ndarray, end: str) -> np.ndarray:
    """Return a copy of a contiguous array whose first or last byte touches a protected page."""
    if not array.flags.c_contiguous:
        return array
    copy = guarded(array.nbytes, end, array.itemsize).view(array.dtype).reshape(array.shape)
    copy[...] = array
    return copy


def with_moved(layouts: dict[str, Callable[[np.ndarray], np.ndarray]], end: str) -> None:
    """Let ways to lay out samples put them between protected pages."""
    for name, lay_out in list(layouts.items()):
        layouts[name] = lambda x, lay_out=lay_out: moved(lay_out(x), end)


def _protect(address: int, size: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mprotect(ctypes.c_void_p(address), ctypes.c_size_t(size), 0) != 0:
        raise OSError(ctypes.get_errno(), "mprotect")
