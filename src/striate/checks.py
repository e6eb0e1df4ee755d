"""Check single arguments: numbers, flags, choices and names."""

from __future__ import annotations

import math
import numbers
import operator
from collections.abc import Iterable, Sequence
from typing import Any

from striate.errors import UsageError, unknown_name

LARGEST = 3.4028234663852886e38  # of float32


MOST = 2**63 - 1
LONGEST = 2**24
"""Positions of an axis of space, and the largest stride, dilation or padding on it."""


def integer(value: Any, what: str, minimum: int = 1, maximum: int = MOST) -> int:
    """Return ``value`` as an int from ``minimum`` to ``maximum``.

    Examples
    --------
    >>> integer(3, "stride")
    3

    Raises
    ------
    UsageError
        For anything else.
    """
    try:
        number = operator.index(value)
    except TypeError:
        number = None
    if number is None or isinstance(value, bool):
        raise UsageError(f"{what}: must be a whole number; got {value!r}.")
    if number < minimum:
        raise UsageError(f"{what}: must be at least {minimum}; got {_short(number)}.")
    if number > maximum:
        raise UsageError(f"{what}: must be at most {maximum}; got {_short(number)}.")
    return number


def _short(number: int) -> str:
    """Return a whole number for a message; Python refuses to write very long ones."""
    if number.bit_length() <= 128:
        return str(number)
    return f"{'-' * (number < 0)}2 to the {number.bit_length() - 1} or more"


def real(
    value: Any, what: str, above: float = -math.inf, below: float = math.inf, *, closed: bool = False
) -> float:
    """Return ``value`` as a finite float between ``above`` and ``below`` (with ``above`` itself if ``closed``).

    Examples
    --------
    >>> real(1, "epsilon", above=0)
    1.0

    Raises
    ------
    UsageError
        For anything else.
    """
    if not isinstance(value, numbers.Real) or isinstance(value, bool):
        raise UsageError(f"{what}: must be a number; got {value!r}.")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise UsageError(f"{what}: must be finite; got {number}.")
    if abs(number) > LARGEST:
        raise UsageError(f"{what}: must be at most {LARGEST:.3g}, which float32 can hold; got {number:g}.")
    if number < above or (number == above and not closed) or number >= below:
        low = "" if above == -math.inf else f" {'at least' if closed else 'above'} {above:g}"
        high = "" if below == math.inf else f" below {below:g}"
        raise UsageError(f"{what}: must be{' and'.join(filter(None, (low, high)))}; got {number:g}.")
    return number


def flag(value: Any, what: str) -> bool:
    """Return ``value`` if it is True or False.

    Examples
    --------
    >>> flag(True, "bias")
    True

    Raises
    ------
    UsageError
        For anything else.
    """
    if isinstance(value, bool):
        return value
    import numpy as np

    if not isinstance(value, np.bool_):
        raise UsageError(f"{what}: must be True or False; got {value!r}.")
    return bool(value)


def choice(value: Any, what: str, known: Iterable[str]) -> str:
    """Return ``value`` if it is one of ``known``; the error names the nearest ones.

    Examples
    --------
    >>> choice("zeros", "padding_mode", ["zeros", "reflect"])
    'zeros'
    """
    known = list(known)
    if value not in known:
        raise unknown_name(what, value, known)
    return str(value)


def per_axis(value: Any, rank: int, what: str, minimum: int = 1) -> tuple[int, ...]:
    """Return one integer up to 2^24 for each of ``rank`` axes, from one number or a sequence of ``rank``.

    Examples
    --------
    >>> per_axis(3, 2, "kernel_size")
    (3, 3)

    Raises
    ------
    UsageError
        For anything else.
    """
    if isinstance(value, Sequence) and not isinstance(value, str):
        if len(value) != rank:
            raise UsageError(f"{what}: needs one number, or one for each of {rank} axes; got {value!r}.")
        return tuple(integer(item, what, minimum, LONGEST) for item in value)
    return (integer(value, what, minimum, LONGEST),) * rank
