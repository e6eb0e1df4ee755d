"""An operating system that fails on request."""

from __future__ import annotations

import builtins
import errno
import io
import os
from pathlib import Path
from typing import Any

CALLS = ("open", "write", "fsync", "close", "replace", "unlink")


class Killed(BaseException):
    """The process is gone: nothing that it would have done after this happens."""


class FaultyOS:
    """The module ``os``, of which call number ``at`` to one of `CALLS` goes wrong.

    Parameters
    ----------
    kind : {"no space", "i/o error", "short write", "kill before", "kill after"}
    at : int
        Counted from 0; -1 for no fault.
    """

    KINDS = ("no space", "i/o error", "short write", "kill before", "kill after")

    def __init__(self, kind: str, at: int) -> None:
        self.kind, self.at, self.count, self.dead = kind, at, 0, False

    def __getattr__(self, name: str) -> Any:
        function = getattr(os, name)
        return self._faulty(name, function) if name in CALLS else function

    def _faulty(self, name: str, function: Any) -> Any:
        def call(*arguments: Any) -> Any:
            if self.dead:
                raise Killed
            here, self.count = self.count == self.at, self.count + 1
            if not here:
                return function(*arguments)
            if self.kind == "kill before":
                self.dead = True
                raise Killed
            if self.kind == "short write" and name == "write":
                return function(arguments[0], arguments[1][: max(1, len(arguments[1]) // 2)])
            if self.kind in ("no space", "i/o error") and name not in ("close", "unlink"):
                code = errno.ENOSPC if self.kind == "no space" else errno.EIO
                raise OSError(code, os.strerror(code))
            result = function(*arguments)
            if self.kind == "kill after":
                self.dead = True
                raise Killed
            return result

        return call


def faults(run: Any, monkeypatch: Any) -> list[tuple[str, int]]:
    """Return every fault that can happen while ``run()`` writes: all kinds at all calls."""
    counter = FaultyOS("no space", -1)
    with monkeypatch.context() as patch:
        patch.setattr("striate.storage.atomic.os", counter)
        run()
    return [(kind, at) for kind in FaultyOS.KINDS for at in range(counter.count)]


ERRORS = {"no space": errno.ENOSPC, "i/o error": errno.EIO, "not allowed": errno.EACCES, "read-only": errno.EROFS}
BY_PATH = ("open", "replace", "rename", "unlink", "mkdir", "rmdir", "truncate")
BY_NUMBER = ("write", "fsync", "ftruncate")


class FaultyFolder:
    """Lets one of the system calls that touch a folder go wrong, whoever makes it.

    Parameters
    ----------
    folder : Path
    kind : {"no space", "i/o error", "not allowed", "read-only", "short write", "kill"}
        "kill" ends everything before the call, as if the process were gone.
    at : int
        Counted from 0; -1 for no fault.
    """

    KINDS = (*ERRORS, "short write", "kill")

    def __init__(self, folder: Path, kind: str = "no space", at: int = -1) -> None:
        self.folder, self.kind, self.at = os.path.realpath(folder), kind, at
        self.calls: list[str] = []
        self.dead = False
        self._files: set[int] = set()

    def install(self, monkeypatch: Any) -> None:
        """Stand between the program and the system, until ``monkeypatch`` is undone."""
        for name in BY_PATH:
            monkeypatch.setattr(os, name, self._by_path(name, getattr(os, name)))
        for name in BY_NUMBER:
            monkeypatch.setattr(os, name, self._by_number(name, getattr(os, name)))
        opened = self._by_path("open", open)
        monkeypatch.setattr(io, "open", opened)
        monkeypatch.setattr(builtins, "open", opened)

    def _by_path(self, name: str, function: Any) -> Any:
        def call(path: Any, *arguments: Any, **named: Any) -> Any:
            if not self._is_inside(path):
                return function(path, *arguments, **named)
            self._step(name, path)
            result = function(path, *arguments, **named)
            if type(result) is int:
                self._files.add(result)
            return result

        return call

    def _by_number(self, name: str, function: Any) -> Any:
        def call(number: int, *arguments: Any) -> Any:
            if number not in self._files or not self._is_inside(f"/proc/self/fd/{number}"):
                return function(number, *arguments)
            cut = self._step(name, f"/proc/self/fd/{number}")
            if cut and name == "write" and len(arguments[0]) > 1:
                return function(number, arguments[0][: len(arguments[0]) // 2])
            return function(number, *arguments)

        return call

    def _is_inside(self, path: Any) -> bool:
        if not isinstance(path, str | os.PathLike):
            return False
        found = os.path.realpath(path)
        return found == self.folder or found.startswith(self.folder + os.sep)

    def _step(self, name: str, path: Any) -> bool:
        """Count a call, and fail if it is the one; return whether it is to write a part alone."""
        if self.dead:
            raise Killed
        here = len(self.calls) == self.at
        self.calls.append(f"{name} {os.path.relpath(os.path.realpath(path), self.folder)}")
        if not here:
            return False
        if self.kind == "kill":
            self.dead = True
            raise Killed
        if self.kind in ERRORS:
            names = () if name in BY_NUMBER else (os.fspath(path),)
            raise OSError(ERRORS[self.kind], os.strerror(ERRORS[self.kind]), *names)
        return True
