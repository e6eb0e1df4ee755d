"""Dates in the cells of a table, as numbers of days."""

from __future__ import annotations

import re
from datetime import datetime

import numpy as np

TIME = r"(?:[T ]\s*(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:\.\d+)?)?Z?)?"
ORDERS = {
    "year-month-day": re.compile(r"(?P<year>\d{4})([-/.])(?P<month>\d{1,2})\2(?P<day>\d{1,2})" + TIME),
    "day.month.year": re.compile(r"(?P<day>\d{1,2})\.(?P<month>\d{1,2})\.(?P<year>\d{4})" + TIME),
    "day/month/year": re.compile(r"(?P<day>\d{1,2})([-/])(?P<month>\d{1,2})\2(?P<year>\d{4})" + TIME),
    "month/day/year": re.compile(r"(?P<month>\d{1,2})([-/])(?P<day>\d{1,2})\2(?P<year>\d{4})" + TIME),
}
"""Ways to write a date; where several fit all cells of a column, the first."""
PARTS = ("year", "month", "day", "hour", "minute", "second")
BEGIN = datetime(1970, 1, 1)
DAY_SECONDS = 86_400


def order_of(cells: np.ndarray) -> str | None:
    """Return the order that fits all cells (str[N]), or None if they are not dates."""
    values = np.unique(cells)
    return next((order for order in ORDERS if len(values) and np.isfinite(days_of(values, order)).all()), None)


def days_of(cells: np.ndarray, order: str) -> np.ndarray:
    """Return the days since 1970, with the time of day as a fraction: float64[N], NaN for cells that are no dates.

    Examples
    --------
    >>> days_of(np.array(["2.1.1970 06:00", "31.2.2024"]), "day.month.year")
    array([1.25,  nan])
    """
    values, places = np.unique(cells, return_inverse=True)
    days: np.ndarray = np.full(len(values), np.nan)
    for place, value in enumerate(values.tolist()):
        match = ORDERS[order].fullmatch(value.strip())
        if match is None:
            continue
        try:
            year, month, day, hour, minute, second = (int(match[part] or 0) for part in PARTS)
            moment = datetime(year, month, day, hour, minute, second)
        except ValueError:  # such as the 31st of February
            continue
        days[place] = (moment - BEGIN).total_seconds() / DAY_SECONDS
    return np.asarray(days[places])
