"""The format of a file, by its suffix."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from striate.errors import UsageError

T = TypeVar("T")


def by_ending(path: Path, known: dict[str, T]) -> T:
    """Return the entry for the suffix of ``path``; raises UsageError for other suffixes."""
    ending = path.suffix.lower()
    if ending not in known:
        raise UsageError(f"{path}: the ending must be {' or '.join(known)}; got {ending or 'none'!r}. Rename it.")
    return known[ending]
