"""Semaphores of the operating system, on which compiled code sleeps without the interpreter."""

from __future__ import annotations

import ctypes
import functools
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

MOST_POSTS = 2**31 - 1
BYTES = 128  # room for a POSIX semaphore: 32 bytes with glibc and musl


@dataclass(frozen=True)
class Semaphores:
    """The functions of this system.

    Attributes
    ----------
    create : function of memory
        Makes a semaphore of value 0, in the memory (uint8[BYTES]) or by the system; returns its handle.
    wait_address : int
        The C function ``(handle, -1)`` that waits without limit. It may return early; look whether to wait again.
    post_address : int
        The C function ``(handle, 1, 0)`` that lets one waiting thread go on.
    """

    create: Callable[[np.ndarray], int]
    wait_address: int
    post_address: int


@functools.cache
def semaphores() -> Semaphores:
    """Return the functions of this system."""
    if sys.platform == "win32":
        return _windows(ctypes.WinDLL("kernel32"))
    if sys.platform == "darwin":  # without semaphores in the memory of a process
        return _macos(ctypes.CDLL(None))
    return _posix(ctypes.CDLL(None))


def _posix(library: Any) -> Semaphores:
    def create(memory: np.ndarray) -> int:
        place = int(memory.ctypes.data)
        if library.sem_init(ctypes.c_void_p(place), 0, 0) != 0:
            raise RuntimeError("the system makes no more semaphores")
        return place

    return Semaphores(create, address(library.sem_wait), address(library.sem_post))


def _macos(library: Any) -> Semaphores:
    library.dispatch_semaphore_create.restype = ctypes.c_void_p
    library.dispatch_semaphore_create.argtypes = [ctypes.c_long]

    def create(memory: np.ndarray) -> int:
        return _made(library.dispatch_semaphore_create(0))

    return Semaphores(create, address(library.dispatch_semaphore_wait), address(library.dispatch_semaphore_signal))


def _windows(library: Any) -> Semaphores:
    library.CreateSemaphoreW.restype = ctypes.c_void_p
    library.CreateSemaphoreW.argtypes = [ctypes.c_void_p, ctypes.c_long, ctypes.c_long, ctypes.c_wchar_p]

    def create(memory: np.ndarray) -> int:
        return _made(library.CreateSemaphoreW(None, 0, MOST_POSTS, None))

    return Semaphores(create, address(library.WaitForSingleObject), address(library.ReleaseSemaphore))


def _made(handle: int | None) -> int:
    if not handle:
        raise RuntimeError("the system makes no more semaphores")
    return handle


def address(function: Any) -> int:
    """Return where the code of a C function lies."""
    return int(ctypes.cast(function, ctypes.c_void_p).value or 0)
