"""Columns of a table: how each is read (its categories, its median), and its cells as inputs."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from striate.data.layout import to_float32
from striate.data.problems import printable
from striate.data.tables.dates import BEGIN, days_of, order_of
from striate.data.tables.dialect import is_number
from striate.data.tables.table import Table, missing_text
from striate.errors import DataError
from striate.wording import counted, plain

BLOCK_ROWS = 4096
MARKED = re.compile(r"(?:[^\w\s]|[A-Z]{3})?\s?\d[\d.,' \u00a0\u2009]*(?:[^\d\s]{1,5})?")
"""Numbers with a unit, a currency, a per cent sign or marks between thousands."""
MOST_CATEGORIES = 100
"""Of a column; rarer ones are all encoded alike, as zeros."""
MOST_SHOWN = 5  # categories in a note
FEW_CATEGORIES, DISTINCT_SHARE = 10, 0.5
"""Text with more distinct values than both the number and this share of its cells says nothing about other rows."""


@dataclass(frozen=True)
class Column:
    """A column that is an input.

    Parameters
    ----------
    name : str
    categories : tuple of str
        Of a column of text: each becomes an input, 1 where the cell holds it and 0 elsewhere. Empty for numbers.
    fill : float or None
        What stands for a missing number: the median of the training split.
    date : str or None
        How the dates of a column are written, see `ORDERS`; they are read as days since 1970.
    """

    name: str
    categories: tuple[str, ...] = ()
    fill: float | None = None
    date: str | None = None

    @property
    def features(self) -> list[str]:
        """The names of the inputs that the column gives."""
        return [f"{self.name}={value}" for value in self.categories] or [self.name]


def column_of(learn: Table, number: int) -> tuple[Column | None, list[str]]:
    """Return the column as an input, or None, and notes for the user."""
    name, cells = learn.names[number], learn.column(number)
    return _text_column(name, cells) if number in learn.texts else _number_column(learn, name, cells)


def missing_notes(table: Table, columns: Mapping[int, Column], series: bool) -> list[str]:
    """Return a line for each column, by its number, with missing values; one line for a series."""
    counts = {number: _missing(table, number) for number in columns}
    if series:
        gaps = counted(sum(counts.values()), "missing value")
        return [f"{gaps}, interpolated between their neighbours"] if any(counts.values()) else []
    return [
        f"column {columns[number].name!r}: {counted(count, 'missing value')}, read as {_instead(columns[number])}"
        for number, count in counts.items()
        if count and (columns[number].categories or columns[number].fill is not None)
    ]


def _missing(table: Table, number: int) -> int:
    cells = table.column(number)
    return int((missing_text(cells) if number in table.texts else np.isnan(cells)).sum())


def _instead(column: Column) -> str:
    """Return in words as what a missing value is read."""
    if column.fill is None:
        return "no category"
    if column.date is None:
        return f"the median, {plain(column.fill, 6)}"
    return f"the median, {(BEGIN + timedelta(days=column.fill)).date()}"


def _number_column(learn: Table, name: str, cells: np.ndarray) -> tuple[Column | None, list[str]]:
    absent = np.isnan(cells)
    if absent.all():
        return None, [f"column {name!r} is empty; left out"]
    wide = len(learn.names) > MOST_CATEGORIES and not absent.any()
    return Column(name, (), None if wide else float(np.nanmedian(cells))), []


def _text_column(name: str, cells: np.ndarray) -> tuple[Column | None, list[str]]:
    absent = missing_text(cells)
    values, counts = np.unique(cells[~absent], return_counts=True)
    if not len(values):
        return None, [f"column {name!r} is empty; left out"]
    if order := order_of(values):
        median = float(np.median(days_of(cells[~absent], order)))
        return Column(name, (), median, order), [f"column {name!r}: dates ({order}), read as days since 1970"]
    if len(values) > max(FEW_CATEGORIES, DISTINCT_SHARE * counts.sum()):
        return None, [f"column {name!r}: {len(values):,} different texts in {counts.sum():,} rows{_like(values)}"]
    kept = values[np.sort(np.argsort(-counts, kind="stable")[:MOST_CATEGORIES])]
    note = f"column {name!r}: the {MOST_CATEGORIES} most common of {len(values):,} categories are told apart"
    return Column(name, tuple(kept.tolist())), [note] if len(values) > len(kept) else []


def _like(values: np.ndarray) -> str:
    """Return the end of a note about texts that are left out: many are numbers with units or other marks."""
    if not all(MARKED.fullmatch(value.strip()) for value in values.tolist()):
        return "; left out"
    return f"; left out (write numbers such as {str(values[0])[:20]!r} without units and marks between thousands)"


def encoded(table: Table, place: int, column: Column, missing: str) -> np.ndarray:
    """Return a column as float32[N, F]; raises DataError for a cell that cannot be used."""
    cells = table.column(place)
    if column.categories:
        text = _as_text(table, place)
        absent = missing_text(text)
        if missing == "refuse":
            _refuse(table, column.name, absent)
        return np.asarray(text[:, np.newaxis] == np.array(column.categories), np.float32)
    if place in table.texts and column.date is not None:
        values = _days(table, place, column)
    elif place in table.texts:
        other = next((row for row, cell in enumerate(cells) if not is_number(cell.strip().replace(",", "."))), 0)
        raise DataError(
            f"{printable(table.path)}: line {table.lines[other]}: numbers expected in column {column.name!r}; "
            f"got {cells[other][:20]!r}. Put a number there."
        )
    else:
        values = cells.astype(np.float64)
    absent = np.isnan(values)
    if absent.any():
        if missing == "refuse" or column.fill is None:
            _refuse(table, column.name, absent)
        values[absent] = column.fill
    numbers = to_float32(values)
    if not np.isfinite(numbers).all():
        row = int(np.flatnonzero(~np.isfinite(numbers))[0])
        raise DataError(
            f"{printable(table.path)}: line {table.lines[row]}: numbers in column {column.name!r} must be finite, "
            f"and below 3.4e38; got {values[row]}. Correct or remove it."
        )
    return numbers[:, np.newaxis]


def _days(table: Table, place: int, column: Column) -> np.ndarray:
    """Return a column of dates as days, NaN where one is missing; raises DataError for other cells."""
    cells = table.texts[place]
    days, absent = days_of(cells, str(column.date)), missing_text(cells)
    wrong = np.flatnonzero(np.isnan(days) & ~absent)
    if len(wrong):
        raise DataError(
            f"{printable(table.path)}: line {table.lines[wrong[0]]}: dates ({column.date}) expected in column "
            f"{column.name!r}; got {cells[wrong[0]][:20]!r}. Put a date there, or leave the cell empty."
        )
    return days


def filled(numbers: np.ndarray, columns: Sequence[Column], missing: str) -> np.ndarray | None:
    """Return columns of numbers (any type, [N, F]) as float32; None if `encoded` would refuse one of the cells."""
    fills = np.array(
        [math.nan if column.fill is None or missing == "refuse" else column.fill for column in columns]
    )
    found = np.empty(numbers.shape, np.float32)
    for start in range(0, len(numbers), BLOCK_ROWS):
        values = numbers[start : start + BLOCK_ROWS].astype(np.float64)
        found[start : start + BLOCK_ROWS] = to_float32(np.where(np.isnan(values), fills, values))
    return found if np.isfinite(found).all() else None


def unknown_categories(table: Table, place: int, column: Column) -> str | None:
    """Return a note about categories of a table that its column did not have in training; None if all are known."""
    if not column.categories or len(column.categories) == MOST_CATEGORIES:
        return None
    cells = _as_text(table, place)
    other = ~missing_text(cells) & ~np.isin(cells, column.categories)
    if not other.any():
        return None
    values = np.unique(cells[other]).tolist()
    shown = ", ".join(repr(value[:20]) for value in values[:MOST_SHOWN])
    more = f" and {len(values) - MOST_SHOWN} more" if len(values) > MOST_SHOWN else ""
    rows = f"{other.sum():,} of {len(cells):,} rows"
    return f"column {column.name!r}: {shown}{more} not in the training data ({rows}); read as no known category"


def _as_text(table: Table, place: int) -> np.ndarray:
    cells = table.column(place)
    return cells if place in table.texts else np.array([f"{value:g}" for value in cells])


def _refuse(table: Table, name: str, absent: np.ndarray) -> None:
    if absent.any():
        line = table.lines[int(np.flatnonzero(absent)[0])]
        raise DataError(
            f"{printable(table.path)}: line {line}: the value in column {name!r} is missing "
            f"({int(absent.sum()):,} in all). Fill it in, or remove the row."
        )
