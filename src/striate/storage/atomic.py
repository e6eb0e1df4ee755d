"""Write a file such that either the old or the new one is there at any moment, complete."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
from pathlib import Path

from striate.errors import ModelFileError

PART = ".part"
"""The suffix of files that are being written."""
PIECE = 1 << 24  # bytes handed to the system at once
NAME = 40  # characters of the file's name in that of its temporary file, which must not become too long
UNSUPPORTED = (errno.EINVAL, errno.ENOTSUP, errno.ENOSYS)  # where a folder cannot be synchronised


def write_atomically(path: str | Path, data: bytes) -> Path:
    """Write ``data`` to ``path``: a temporary file beside it, fsync, rename, fsync of the folder.

    Whatever happens in between (a full disk, an error of the device, a kill), the file that was
    there before stays as it was. Any number of processes and threads may write the same path; one of them wins.
    A link is followed, and the permissions of a file that is replaced are kept.

    Returns
    -------
    path : Path

    Raises
    ------
    ModelFileError
        If the file cannot be written; the message tells whether the old or the new file is there.
    """
    path = Path(path)
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f".{target.name[:NAME]}.{secrets.token_hex(8)}{PART}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _write(temporary, data, _permissions(path, target))
        os.replace(temporary, target)
    except OSError as error:
        _remove(temporary)
        raise ModelFileError(
            f"{path}: cannot be written ({error.strerror or error}); nothing was changed. "
            f"{_advice(error)}, or choose another place."
        ) from error
    except BaseException:
        _remove(temporary)
        raise
    _sync_folder(path, target.parent)
    return path


def append(path: str | Path, data: bytes) -> None:
    """Add ``data`` to the end of a file; after a failure the file is as long as before.

    Raises
    ------
    ModelFileError
        If the file cannot be written.
    """
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0), 0o666)
        try:
            size = os.fstat(handle).st_size
            try:
                _write_all(handle, data)
            except OSError:
                os.ftruncate(handle, size)
                raise
        finally:
            os.close(handle)
    except OSError as error:
        raise ModelFileError(
            f"{path}: cannot be written ({error.strerror or error}); nothing was changed. {_advice(error)}."
        ) from error


def _advice(error: OSError) -> str:
    if error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)):
        return "Free some space"
    return "Check the disk" if error.errno == errno.EIO else "Check the path and its permissions"


def remove_leftovers(folder: Path) -> None:
    """Remove the temporary files that killed processes left in ``folder``."""
    for leftover in folder.glob(f".*{PART}"):
        _remove(leftover)


def _permissions(path: Path, target: Path) -> int | None:
    """Return the permissions of the file that is there, None for a new file."""
    try:
        mode = os.stat(target).st_mode
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(mode):
        kind = "a folder" if stat.S_ISDIR(mode) else "a device or a pipe"
        raise ModelFileError(f"{path}: must be a regular file to be replaced; got {kind}. Choose another name.")
    return stat.S_IMODE(mode)


def _write(path: Path, data: bytes, permissions: int | None) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
    try:
        if permissions is not None and hasattr(os, "fchmod"):
            os.fchmod(handle, permissions)
        _write_all(handle, data)
        os.fsync(handle)
    finally:
        os.close(handle)


def _write_all(handle: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view[:PIECE]) :]


def _sync_folder(path: Path, folder: Path) -> None:
    """Make the rename itself survive a power cut, where the system can."""
    if os.name == "nt":
        return
    try:
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        if error.errno not in UNSUPPORTED:
            raise ModelFileError(
                f"{path}: is written, but its folder cannot be synchronised ({error.strerror or error}); after "
                "a power cut the old file may be back. Check the disk."
            ) from error


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        os.unlink(path)
