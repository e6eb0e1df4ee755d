"""Clean up right after a fork, when a process has only one of its parent's threads."""

from __future__ import annotations

import os
import weakref
from typing import Protocol


class Forked(Protocol):
    """An object that holds threads or locks, none of which are of use in a forked process."""

    def after_fork(self) -> None:
        """Forget all threads and replace all locks; called in the new process."""
        ...


_known: weakref.WeakSet[Forked] = weakref.WeakSet()


def follow(forked: Forked) -> None:
    """Call ``forked.after_fork`` in every process that is forked from this one."""
    _known.add(forked)


def _after_fork() -> None:
    for forked in list(_known):
        forked.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
