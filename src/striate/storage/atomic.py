"""Write a file so that at every moment either the old one or the new one is there, whole."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from striate.errors import ModelFileError

PART = ".part"
"""How the name of a file ends that is being written."""
PIECE = 1 << 24  # bytes handed to the system at once


def write_atomically(path: str | Path, data: bytes) -> Path:
    """Write ``data`` to ``path``: a temporary file beside it, fsync, rename, fsync of the folder.

    Whatever happens in between (a full disk, an error of the device, a kill), the file that was
    there before stays as it was. A link is followed.

    Returns
    -------
    path : Path

    Raises
    ------
    ModelFileError
        If the file cannot be written.
    """
    path = Path(path)
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f".{target.name}.{os.getpid()}{PART}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _write(temporary, data)
        os.replace(temporary, target)
        _sync_folder(target.parent)
    except OSError as error:
        _remove(temporary)
        reason = error.strerror or str(error)
        raise ModelFileError(
            f"{path}: cannot be written ({reason}); what was there before is unharmed. "
            "Make room, or choose another place."
        ) from error
    except BaseException:
        _remove(temporary)
        raise
    return path


def remove_leftovers(folder: Path) -> None:
    """Remove the temporary files that killed processes left in ``folder``."""
    for leftover in folder.glob(f".*{PART}"):
        _remove(leftover)


def _write(path: Path, data: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0), 0o666)
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(handle, view[:PIECE]) :]
        os.fsync(handle)
    finally:
        os.close(handle)


def _sync_folder(folder: Path) -> None:
    """Make the rename itself survive a power cut, where the system can."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        os.unlink(path)
