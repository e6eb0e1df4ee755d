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


def named_shapes(texts: list[str], what: str) -> dict[str, tuple[int, ...]]:
    """Return shapes by name; the name of one that stands alone may be missing, and is "" then.

    Raises
    ------
    UsageError
        If a text is no shape, or several have no names.

    Examples
    --------
    >>> named_shapes(["3x8x8"], "--input"), named_shapes(["a=16", "b=2x64"], "--input")
    ({'': (3, 8, 8)}, {'a': (16,), 'b': (2, 64)})
    """
    found: dict[str, tuple[int, ...]] = {}
    for text in texts:
        name, _, shape = text.rpartition("=")
        sides = sizes(shape, what)
        found[name] = (sides,) if isinstance(sides, int) else sides
    if "" in found and len(texts) > 1:
        raise UsageError(f"{what}: several shapes need the names of their inputs; got {', '.join(texts)}.")
    return found


def named_numbers(texts: list[str], what: str) -> dict[str, float]:
    """Return numbers by name from texts such as ``rate=16000``; raises UsageError for other texts."""
    found = {}
    for text in texts:
        name, _, number = text.rpartition("=")
        try:
            found[name] = float(number)
        except ValueError:
            name = ""
        if not name:
            raise UsageError(f"{what}: must be a name and a number, such as rate=16000; got {text!r}.")
    return found


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
