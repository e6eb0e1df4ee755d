"""Which format a file has, by the ending of its name."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from striate.errors import UsageError

T = TypeVar("T")


def by_ending(path: Path, known: dict[str, T]) -> T:
    """Return what stands under the ending of ``path``; raises UsageError for other endings."""
    ending = path.suffix.lower()
    if ending not in known:
        raise UsageError(f"{path}: the ending must be {' or '.join(known)}; got {ending or 'none'!r}. Rename it.")
    return known[ending]
