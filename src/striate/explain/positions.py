"""Positions of values in a layer: names of axes, and errors for positions that do not exist."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from striate.errors import UsageError
from striate.layers.base import Shape, format_shape

AXES: dict[int, tuple[str, ...]] = {
    1: ("feature",),
    2: ("channel", "position"),
    3: ("channel", "row", "column"),
    4: ("channel", "depth", "row", "column"),
}


def axis_names(shape: Shape) -> tuple[str, ...]:
    """Return the name of every axis of a value.

    Examples
    --------
    >>> axis_names((16, 5, 5))
    ('channel', 'row', 'column')
    """
    return AXES.get(len(shape), tuple(f"axis{n}" for n in range(len(shape))))


def resolve(where: str, shape: Shape, given: Mapping[str, Any]) -> tuple[int, ...]:
    """Return the index that ``given`` names, axis by axis; ``channel`` also names a feature.

    Raises
    ------
    UsageError
        If an axis is missing, does not exist, or a number is outside.

    Examples
    --------
    >>> resolve("conv1", (6, 28, 28), {"channel": 3, "row": 4, "column": 7})
    (3, 4, 7)
    """
    names = axis_names(shape)
    stated = {name: value for name, value in given.items() if value is not None}
    if names == ("feature",) and "channel" in stated and "feature" not in stated:
        stated["feature"] = stated.pop("channel")
    extent = f"{where} has {format_shape(shape)} values ({', '.join(names)})"
    for name in stated:
        if name not in names:
            raise UsageError(f"{where}: has no {name} axis; {extent}. Give {' and '.join(names)}.")
    missing = [name for name in names if name not in stated]
    if missing:
        raise UsageError(f"{where}: needs {' and '.join(names)}; {missing[0]} is missing. {extent}.")
    return tuple(_inside(where, name, stated[name], n) for name, n in zip(names, shape, strict=True))


def _inside(where: str, name: str, value: Any, count: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or not 0 <= value < count:
        raise UsageError(f"{where}: {name} must be a whole number from 0 to {count - 1}; got {value!r}.")
    return int(value)


def place_text(name: str, shape: Shape, index: tuple[int, ...]) -> str:
    """Return a position as text.

    Examples
    --------
    >>> place_text("conv1", (6, 28, 28), (3, 4, 7))
    'conv1[channel 3, row 4, column 7]'
    """
    return f"{name}[{', '.join(f'{axis} {i}' for axis, i in zip(axis_names(shape), index, strict=True))}]"
