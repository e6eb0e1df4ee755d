"""The folder of compiled kernels, which holds machine code: only files that nobody else can write are used.

An entry is an object file behind a small header and a checksum. The folder's name is a hash of the processor, the
versions of the compilers and the text of all kernel sources, so a stale entry is never found and a damaged one is
compiled again. Where there is no folder to write, or others can write it, kernels live in memory only, and one
warning says so.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
import stat
import struct
import sys
import tempfile
import warnings
from importlib.metadata import version
from pathlib import Path

from striate import machine
from striate.errors import UsageError

Signature = tuple[tuple[str, str], ...]
Entry = tuple[bytes, str, Signature]
"""Object code, the symbol of its entry point, and the names and types of its arguments."""
MAGIC = b"striate kernel 1\n"
LARGEST = 1 << 24  # bytes of an entry; the largest kernel takes about a hundredth of this
_OTHERS = stat.S_IWGRP | stat.S_IWOTH


def kernel_folder() -> Path:
    """Return the folder for this processor, these compilers and these sources; it may not exist.

    Raises
    ------
    UsageError
        If there is no cache folder.
    """
    return machine.cache_folder() / "kernels" / _fingerprint()


def open_folder() -> Path | None:
    """Return the folder, made if necessary, or None, after a warning, if it cannot be had or cannot be trusted."""
    try:
        folder = kernel_folder()
    except UsageError as error:
        _warn_once(f"{error} Until then kernels are compiled in every process.")
        return None
    try:
        folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        if _is_ours(os.lstat(folder)):
            return folder
    except OSError as error:
        _warn_unwritable(folder, error)
        return None
    _warn_once(
        f"kernel cache {folder}: belongs to another user or can be written by others, who could plant machine "
        "code in it; it is not used, and kernels are compiled in every process. "
        f"Run 'chmod go-w {folder}' if it is yours, or set STRIATE_CACHE_DIR to a folder of your own."
    )
    return None


def read(path: Path) -> Entry | None:
    """Return the entry at ``path``, or None if it is missing, damaged, or could have been written by others."""
    data = _trusted_bytes(path)
    start = len(MAGIC) + 32
    body = data[start:]
    if data[:start] != MAGIC + hashlib.sha256(body).digest():
        return None
    size = struct.unpack_from("<I", body)[0]
    header = json.loads(body[4 : 4 + size])
    return body[4 + size :], header["symbol"], tuple((name, kind) for name, kind in header["signature"])


def write(path: Path, entry: Entry) -> None:
    """Write ``entry`` to ``path`` in one step; warn once if it cannot be written."""
    code, symbol, signature = entry
    header = json.dumps({"symbol": symbol, "signature": signature}).encode()
    body = struct.pack("<I", len(header)) + header + code
    temporary = None
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "wb") as file:
            file.write(MAGIC + hashlib.sha256(body).digest() + body)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except OSError as error:
        if temporary is not None:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
        _warn_unwritable(path.parent, error)


def _trusted_bytes(path: Path) -> bytes:
    careful = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        with open(path, "rb", opener=lambda name, flags: os.open(name, flags | careful)) as file:
            status = os.fstat(file.fileno())
            trusted = stat.S_ISREG(status.st_mode) and _is_ours(status) and status.st_size <= LARGEST
            return file.read() if trusted else b""
    except OSError:
        return b""


def _is_ours(status: os.stat_result) -> bool:
    """Return whether only this user, or root, can have written a file or can write into a folder."""
    if not hasattr(os, "geteuid"):
        return True  # Windows keeps the user's folders from others by default
    return status.st_uid in (os.geteuid(), 0) and not status.st_mode & _OTHERS


@functools.cache
def _fingerprint() -> str:
    import llvmlite.binding as llvm

    parts = [llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten(), llvm.get_default_triple()]
    parts += [version(name) for name in ("numba", "llvmlite")] + [sys.version]
    digest = hashlib.sha256("\n".join(parts).encode())
    for source in sorted(Path(__file__).parent.rglob("*.py")):
        if source.name == "access.py":  # says what kernels do, and is no part of them
            continue
        digest.update(source.read_bytes())
    return digest.hexdigest()[:20]


def _warn_unwritable(folder: Path, error: OSError) -> None:
    _warn_once(
        f"kernel cache {folder}: cannot be written ({error.strerror or error}); kernels are compiled again in "
        "every process. Set STRIATE_CACHE_DIR to a folder that can."
    )


@functools.cache
def _warn_once(message: str) -> None:
    warnings.warn(message, stacklevel=2)
