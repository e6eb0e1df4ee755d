"""The check that every transform applies to its numbers."""

from __future__ import annotations

from striate.errors import UsageError


def check_range(transform: str, name: str, value: float, low: float, high: float) -> None:
    """Raise UsageError unless ``low <= value <= high``."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise UsageError(
            f"{transform}: {name} must lie between {low:g} and {high:g}; got {value!r}. Use a number in this range."
        )
