"""Starting Python again, for what needs a process of its own."""

from __future__ import annotations

import os
import sys


def python(*arguments: str) -> list[str]:
    """Return the command that starts this Python; modules in the working folder are not imported.

    Without ``-P``, a file called ``numpy.py`` beside a model would be run when the model is read.

    Examples
    --------
    >>> python("-m", "striate", "info")[1:]
    ['-P', '-m', 'striate', 'info']
    """
    return [sys.executable, "-P", *arguments]


def environment() -> dict[str, str]:
    """Return the variables of this process, with which the command finds the modules that this process finds."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
