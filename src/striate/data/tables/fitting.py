"""Work out what the columns of a table mean, from its training split."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from striate.data.layout import make_inputs
from striate.data.problems import printable
from striate.data.tables.columns import Column, column_of, missing_notes
from striate.data.tables.schema import Schema
from striate.data.tables.table import Table, missing_text
from striate.errors import DataError

LEAST_SERIES, SMOOTH = 8, 0.75
"""Rows of so many numbers are series if neighbours differ by less than this share of what others differ by."""
LIKE_SPREAD = 2.0
"""How many times the spread of its neighbour a column of a series may have, in the median."""
ROWS_COMPARED = 1000
DIGITS = re.compile(r"\d+")


def fit_schema(
    table: Table,
    labels: Sequence[int],
    ignored: Sequence[int],
    rows: np.ndarray | None = None,
    shape: tuple[int, ...] | None = None,
) -> tuple[Schema, list[str]]:
    """Return what the columns of a table mean, and notes for the user about what was done with them.

    Parameters
    ----------
    table : Table
    labels : sequence of int
        The columns to predict.
    ignored : sequence of int
        Further columns that are no inputs.
    rows : bool[N], optional
        The training split, of which categories and medians are learnt; all rows by default.
    shape : tuple of int, optional
        Of a sample; found from the columns by default.
    """
    learn = table if rows is None else table.take(rows)
    left_out, notes = [table.names[i] for i in ignored], []
    kept: dict[int, Column] = {}
    for number in range(len(table.names)):
        if number in labels or number in ignored:
            continue
        column, more = column_of(learn, number)
        notes += more
        if column is None:
            left_out.append(table.names[number])
        else:
            kept[number] = column
    if not kept:
        raise DataError(
            f"{printable(table.path)}: needs a column of numbers or categories other than the labels; got none. "
            "Add one, or leave out fewer columns."
        )
    columns, label_names = tuple(kept.values()), tuple(table.names[i] for i in labels)
    found = Schema(columns, label_names, tuple(left_out), table.has_names)
    found = replace(found, shape=_sample_shape(found, learn, shape))
    notes += missing_notes(table, kept, found.is_series)
    if shape is None and found.named and found.is_series:
        first, last, count = columns[0].name, columns[-1].name, found.shape[1]
        notes.append(f"columns {first!r} to {last!r}: a series (--shape {count}x1 reads them as features)")
    return found, notes + _suspicious(learn, found)


def _sample_shape(schema: Schema, learn: Table, shape: tuple[int, ...] | None) -> tuple[int, ...]:
    numbers = schema.numbers(learn.read(np.arange(min(len(learn), ROWS_COMPARED))))
    if shape is None and not _is_sequence(schema):
        return (numbers.shape[1], 1)
    found = make_inputs(numbers, str(learn.path), shape).shape[1:]
    if shape is None and found == (numbers.shape[1], 1) and schema.named and _is_smooth(numbers):
        return (1, numbers.shape[1])
    return found


def _is_smooth(rows: np.ndarray) -> bool:
    """Return whether neighbouring values of rows spread alike and differ much less than others, as in series."""
    if rows.shape[1] < LEAST_SERIES or len(rows) < LEAST_SERIES:
        return False
    values = rows.astype(np.float64)
    spread = values.std(axis=0)
    ratios = np.abs(np.diff(np.log(spread[spread > 0])))
    if not len(ratios) or np.median(ratios) > np.log(LIKE_SPREAD):
        return False
    one_apart = np.abs(np.diff(values, axis=1)).mean()
    apart = np.abs(values - np.random.default_rng(0).permuted(values, axis=1)).mean()
    reverse = np.abs(values - values[:, ::-1]).mean()
    return bool(one_apart < SMOOTH * min(apart, reverse))


def _is_sequence(schema: Schema) -> bool:
    """Return whether the columns are alike, such as pixels: numbers whose names differ in nothing but a number."""
    if any(column.categories for column in schema.columns):
        return False
    return not schema.named or len({DIGITS.sub("0", column.name) for column in schema.columns}) == 1


def _suspicious(learn: Table, schema: Schema) -> list[str]:
    """Return a line for each column of features that is constant or counts the rows."""
    if schema.shape[-1] != 1 or len(schema.shape) != 2:
        return []
    notes = []
    for column in schema.columns:
        place = learn.find(column.name) if schema.named else int(column.name)
        if column.categories or column.date or place is None:
            if len(column.categories) == 1 and place is not None and not missing_text(learn.column(place)).any():
                notes.append(f"column {column.name!r} is always {column.categories[0]!r}, so it tells nothing")
            continue
        values = learn.column(place).astype(np.float64)
        if len(values) > 1 and np.nanmin(values) == np.nanmax(values):
            notes.append(f"column {column.name!r} is always {values[0]:g}, so it tells nothing")
        elif _counts_rows(values):
            notes.append(f"column {column.name!r} seems to number the rows (--ignore {column.name} leaves it out)")
    return notes


def _counts_rows(values: np.ndarray) -> bool:
    """Return whether values are distinct whole numbers that fill most of their range, as row numbers do."""
    if len(values) < 20 or not np.isfinite(values).all() or (values != np.round(values)).any():
        return False
    distinct, span = len(np.unique(values)), values.max() - values.min() + 1
    return bool(distinct == len(values) and span <= 2 * len(values))
