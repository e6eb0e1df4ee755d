"""Numbers as people type them on a command line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from striate.errors import UsageError


def sizes(text: str, what: str) -> int | tuple[int, ...]:
    """Return one number, or one for each axis from text with ``x`` between.

    Raises
    ------
    UsageError
        If it is neither.

    Examples
    --------
    >>> sizes("227", "--input"), sizes("3x224x224", "--input")
    (227, (3, 224, 224))
    """
    try:
        numbers = tuple(int(part) for part in text.lower().split("x"))
    except ValueError:
        raise UsageError(f"{what}: must be a number, or numbers joined by x (28x28); got {text!r}.") from None
    return numbers[0] if len(numbers) == 1 else numbers


def axes(text: str, what: str) -> tuple[int, ...]:
    """Return a number for each axis, as in `sizes`; one number stands for rows and columns.

    Examples
    --------
    >>> axes("64", "--size"), axes("48x64", "--size")
    ((64, 64), (48, 64))
    """
    found = sizes(text, what)
    return (found, found) if isinstance(found, int) else found


def pixel(text: str) -> tuple[int, int]:
    """Return the row and column that ``--at`` names.

    Examples
    --------
    >>> pixel("120,80")
    (120, 80)
    """
    parts = text.split(",")
    if len(parts) != 2 or not all(part.strip().isdecimal() for part in parts):
        raise UsageError(f"--at: is written ROW,COLUMN, such as 120,80; got {text!r}.")
    return int(parts[0]), int(parts[1])


def paddings(text: str) -> int | str | tuple[int | tuple[int, ...], ...]:
    """Return a padding: a name, one number, or for each axis a number or ``before,after``.

    Examples
    --------
    >>> paddings("same"), paddings("2"), paddings("1x0,2")
    ('same', 2, (1, (0, 2)))
    """
    if text.isalpha():
        return text
    try:
        axes = [tuple(int(side) for side in part.split(",")) for part in text.lower().split("x")]
    except ValueError:
        raise UsageError(
            f"--padding: must be a number, 1x2 (rows x columns), 0,1 (before,after), same or valid; got {text!r}."
        ) from None
    plain = [axis[0] if len(axis) == 1 else axis for axis in axes]
    if len(plain) == 1:
        return plain[0] if isinstance(plain[0], int) else (plain[0],)
    return tuple(plain)


def values(items: Sequence[str]) -> dict[str, Any]:
    """Return numbers or arrays by name from ``NAME=VALUE``.

    Examples
    --------
    >>> values(["w=0.5"])
    {'w': array(0.5)}
    """
    from striate.numbers import parse_numbers

    found = {}
    for item in items:
        name, equals, text = item.partition("=")
        if not equals or not name.strip().isidentifier():
            raise UsageError(f"values: must be NAME=VALUE, such as w=0.5 or x=[1,2]; got {item!r}.")
        found[name.strip()] = parse_numbers(text, name.strip())
    return found
