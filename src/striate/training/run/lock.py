"""A lock that lets only one process train in the folder of a run, or write a file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from striate.errors import UsageError

try:
    import fcntl
except ImportError:  # Windows: folders cannot be locked
    fcntl = None  # type: ignore[assignment]


@contextmanager
def locked(place: Path, wait: bool = False) -> Iterator[None]:
    """Hold the lock of a folder or a file, which ends with the process at the latest.

    File systems without locks let everyone in; network file systems lock files, but no folders. With ``wait``,
    whoever else holds it is waited for.

    Raises
    ------
    UsageError
        If another process, or another run of this one, holds it.
    """
    if fcntl is None:
        yield
        return
    handle = os.open(place, os.O_RDONLY if place.is_dir() else os.O_RDWR)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            raise UsageError(
                f"{place}: another process is training in this folder. Wait for it to end, or stop it."
            ) from None
        except OSError:
            pass
        yield
    finally:
        with suppress(OSError):  # nothing was written
            os.close(handle)


def is_locked(folder: Path) -> bool:
    """Return whether a process trains in a folder; False on systems without locks."""
    try:
        with locked(folder):
            return False
    except UsageError:
        return True
    except OSError:
        return False
