"""Foreign files: the format, by the suffix, and what all formats are bounded by."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from striate.errors import UsageError

T = TypeVar("T")
MOST_AXES = 32  # of an array, as before NumPy 2


def by_ending(path: Path, known: dict[str, T], fix: str) -> T:
    """Return the entry for the suffix of ``path``; raises UsageError, with ``fix``, for other suffixes."""
    ending = path.suffix.lower()
    if ending not in known:
        raise UsageError(f"{path}: the ending must be {' or '.join(known)}; got {ending or 'none'!r}. {fix}")
    return known[ending]
