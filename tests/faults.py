"""An operating system that fails on request."""

from __future__ import annotations

import errno
import os
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
