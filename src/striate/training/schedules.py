"""Learning rates that change: plain functions of the step, counted from 0."""

from __future__ import annotations

from collections.abc import Callable

from striate.errors import UsageError
from striate.layers.arguments import real

Schedule = Callable[[int], float]
"""A function from the number of steps already taken to the learning rate of the next one."""


def check_learning_rate(value: object) -> float:
    """Return a learning rate as a float; raises UsageError unless it is finite and not negative."""
    return real(value, "learning rate", above=0, closed=True)


def as_schedule(value: float | Schedule) -> Schedule:
    """Return a number as the schedule that is constant, and a function as it is.

    Raises
    ------
    UsageError
        If a number is negative, NaN or infinite, or the value is neither a number nor a function.
    """
    if callable(value):
        return value
    if isinstance(value, str):
        raise UsageError(f"learning rate: must be a number or a function of the step; got {value!r}.")
    rate = check_learning_rate(value)
    return lambda step: rate
