"""Arguments of layers made canonical: one number, or one per axis, becomes one per axis."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any, TypeGuard

from striate.errors import UsageError
from striate.worksheets.arithmetic.axis import Kind, same_padding

Size = int | Sequence[int]
Padding = int | str | Sequence[int | Sequence[int]]

AXIS_NAMES = {1: ("length",), 2: ("rows", "columns"), 3: ("depth", "rows", "columns")}


def whole_number(where: str, name: str, value: object) -> int:
    """Return `value` as an int.

    Raises
    ------
    UsageError
        For anything but a whole number (True and False are not numbers here).
    """
    try:
        if isinstance(value, bool):
            raise TypeError
        return operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        raise UsageError(f"{where}: {name} must be a whole number; got {value!r}.") from None


def at_least_one(where: str, name: str, value: object) -> int:
    """Return `value` as an int of at least 1, or raise UsageError."""
    number = whole_number(where, name, value)
    if number < 1:
        raise UsageError(f"{where}: {name} must be at least 1; got {number}.")
    return number


def count_dimensions(where: str, dimensions: int | None, sizes: dict[str, Size]) -> int:
    """Return the number of axes: as given, as the sizes say, or 2 (a square picture) when all are one number.

    Raises
    ------
    UsageError
        For sizes of different lengths, or not 1 to 3 axes.
    """
    lengths = {name: len(value) for name, value in sizes.items() if _is_sequence(value)}
    if dimensions is None:
        dimensions = max(lengths.values(), default=2)
    if dimensions not in AXIS_NAMES:
        raise UsageError(f"{where}: 1, 2 or 3 dimensions are possible; got {dimensions!r}.")
    for name, length in lengths.items():
        if length != dimensions:
            raise UsageError(
                f"{where}: {name} must be one number or one per axis ({dimensions}); got {length} numbers. "
                f"Give one number for all axes."
            )
    return dimensions


def per_axis(where: str, name: str, value: Size, dimensions: int) -> tuple[int, ...]:
    """Return one whole number per axis."""
    values = value if _is_sequence(value) else [value] * dimensions
    return tuple(whole_number(where, name, item) for item in values)


def padding_pairs(
    where: str,
    padding: Padding,
    kind: Kind,
    sizes: tuple[int, ...],
    effective_kernels: tuple[int, ...],
    strides: tuple[int, ...],
) -> tuple[tuple[int, int], ...]:
    """Return (before, after) for every axis.

    `padding` is a number, "same", "valid", one number or (before, after) for every axis; on a single axis
    also just (before, after).

    Raises
    ------
    UsageError
        For anything else.
    """
    dimensions = len(sizes)
    if isinstance(padding, str):
        if padding == "valid":
            return ((0, 0),) * dimensions
        if padding == "same":
            triples = zip(sizes, effective_kernels, strides, strict=True)
            return tuple(same_padding(kind, n, k, max(s, 1)) for n, k, s in triples)
        raise UsageError(f'{where}: padding is numbers, "same" or "valid"; got {padding!r}.')
    if not _is_sequence(padding):
        return (_pair(where, padding),) * dimensions
    if dimensions == 1 and len(padding) == 2:
        return (_pair(where, padding),)
    if len(padding) != dimensions:
        raise UsageError(
            f"{where}: padding must be one number, or one number or (before, after) per axis ({dimensions}); "
            f"got {padding!r}."
        )
    return tuple(_pair(where, item) for item in padding)


def _pair(where: str, item: object) -> tuple[int, int]:
    if not _is_sequence(item):
        number = whole_number(where, "padding", item)
        return number, number
    if len(item) != 2:
        raise UsageError(f"{where}: padding of one axis must be a number or (before, after); got {item!r}.")
    return whole_number(where, "padding", item[0]), whole_number(where, "padding", item[1])


def _is_sequence(value: object) -> TypeGuard[Sequence[Any]]:
    if isinstance(value, str):
        return False
    try:
        len(value)  # type: ignore[arg-type]
    except TypeError:
        return False
    return True
