"""Files that cannot be used: listed with their reasons and left out, unless there are too many."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from striate.errors import DataError, visible


class BadFile(NamedTuple):
    """A file that was left out of a data set, and why."""

    path: str
    reason: str


class FileProblem(ValueError):
    """Why a file cannot be used, without its path.

    ``foreign`` says that the file is not of the kind looked for at all; where its name does not
    claim otherwise (a note beside the photographs), it is passed over.
    """

    def __init__(self, reason: str, *, foreign: bool = False) -> None:
        super().__init__(reason)
        self.foreign = foreign


def printable(path: str | Path) -> str:
    """Return a path as one line of valid Unicode; bytes and control characters that are not become escapes.

    Examples
    --------
    >>> printable("a\\nb")
    'a\\\\nb'
    """
    return visible(os.fsencode(path).decode("utf-8", "backslashreplace"))


def why(error: BaseException) -> str:
    """Return an error that a library raised on a damaged file as one short line."""
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return " ".join(str(text).split())[:120]


def check_bad_share(root: Path, bad: Sequence[BadFile], good: int, max_share: float) -> None:
    """Raise DataError if more than this share of the files was bad, or none was good."""
    total = len(bad) + good
    if good and len(bad) <= max_share * total:
        return
    first = f"; the first is {bad[0].path}: {bad[0].reason}" if bad else ""
    raise DataError(
        f"{printable(root)}: at most {max_share:.0%} of the files may be unreadable; "
        f"got {len(bad)} of {total}{first}. Repair or remove them, or allow more (--max-bad-share)."
    )
