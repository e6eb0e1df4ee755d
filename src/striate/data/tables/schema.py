"""What the columns of a table mean: learnt from the training split, kept with the model."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from striate.data.layout import make_inputs
from striate.data.problems import printable
from striate.data.tables.reading import Table, missing_text
from striate.errors import DataError, ModelFileError

MOST_CATEGORIES = 100
"""Of a column; rarer ones are all encoded alike, as zeros."""
FEW_CATEGORIES, DISTINCT_SHARE = 10, 0.5
"""Text with more distinct values than both the number and this share of the rows says nothing about other rows."""
LEAST_SERIES, SMOOTH = 8, 0.75
"""Rows of so many numbers are series if neighbours differ by less than this share of what others differ by."""
LIKE_SPREAD = 2.0
"""How many times the spread of its neighbour a column of a series may have, in the median."""
ROWS_COMPARED = 1000
MISSING_RULES = ("impute", "refuse")
DIGITS = re.compile(r"\d+")


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
    """

    name: str
    categories: tuple[str, ...] = ()
    fill: float | None = None

    @property
    def features(self) -> list[str]:
        """The names of the inputs that the column gives."""
        return [f"{self.name}={value}" for value in self.categories] or [self.name]


@dataclass(frozen=True)
class Schema:
    """How a table becomes inputs.

    Parameters
    ----------
    columns : tuple of Column
        Those that are inputs, in the order in which the model takes them.
    labels : tuple of str
        The columns of the labels.
    ignored : tuple of str
        Columns that are left out.
    named : bool
        Whether the columns have names; else they are known by their order.
    shape : tuple of int
        (C, *space) of a sample.
    """

    columns: tuple[Column, ...]
    labels: tuple[str, ...]
    ignored: tuple[str, ...]
    named: bool
    shape: tuple[int, ...] = field(default=())

    @property
    def features(self) -> list[str]:
        """The name of every input, in order."""
        return [name for column in self.columns for name in column.features]

    @property
    def symbols(self) -> int:
        """0: the inputs are numbers."""
        return 0

    @property
    def preparation(self) -> dict[str, Any]:
        """What is kept with a model."""
        return {"table": self.to_dict()}

    def inputs(self, table: Table, missing: str = "impute") -> np.ndarray:
        """Return the inputs of a table (uint8 or float32 [N, *shape]), its columns in any order.

        Raises
        ------
        DataError
            If the table lacks a column, has another one, or a cell cannot be used.
        """
        numbers = self.numbers(table, missing)
        return make_inputs(numbers, str(table.path), self.shape or None)

    def numbers(self, table: Table, missing: str = "impute") -> np.ndarray:
        """Return the inputs of a table without the shape of a sample ([N, F])."""
        places = self._places(table)
        if table.numbers.dtype == np.uint8 and not any(column.categories for column in self.columns):
            return table.numbers[:, [table.places[place] for place in places]]
        pieces = [
            _encoded(table, place, column, missing) for place, column in zip(places, self.columns, strict=True)
        ]
        return np.concatenate(pieces, axis=1)

    def to_dict(self) -> dict[str, Any]:
        """Return the schema in values that JSON can hold."""
        return asdict(self)

    @classmethod
    def from_dict(cls, description: Mapping[str, Any]) -> Schema:
        """Return the schema that ``to_dict`` described; raises ModelFileError for anything else."""
        try:
            columns = tuple(
                Column(str(item["name"]), tuple(map(str, item["categories"])), item["fill"])
                for item in description["columns"]
            )
            label = description.get("label")  # of earlier versions, which knew one
            labels = description.get("labels", () if label is None else (label,))
            if not all(column.fill is None or isinstance(column.fill, int | float) for column in columns):
                raise TypeError("fill must be a number")
            if not all(isinstance(label, str) for label in labels):
                raise TypeError("labels must be names")
            ignored, shape = tuple(map(str, description["ignored"])), tuple(map(int, description["shape"]))
            return cls(columns, tuple(labels), ignored, bool(description["named"]), shape)
        except (KeyError, TypeError, ValueError) as error:
            raise ModelFileError(f"table: the record of its columns is damaged ({error!r}). Train again.") from None

    def _places(self, table: Table) -> list[int]:
        """Return the number of the table's column for each of these, checked."""
        if not self.named:
            return self._places_by_order(table)
        where = printable(table.path)
        if not table.has_names:
            raise DataError(
                f"{where}: its first line must name the columns, as in the table the model was trained on "
                f"({_listed([column.name for column in self.columns])})."
            )
        found = {column.name: table.find(column.name) for column in self.columns}
        absent = [name for name, place in found.items() if place is None]
        if absent:
            raise DataError(
                f"{where}: must have the columns that the model was trained on; {_listed(absent)} "
                f"{'is' if len(absent) == 1 else 'are'} missing. Add or rename."
            )
        known = {name.casefold() for name in (*found, *self.ignored, *self.labels)}
        others = [name for name in table.names if name.casefold() not in known]
        if others:
            raise DataError(
                f"{where}: must have the columns that the model was trained on; got {_listed(others)} too. "
                f"Remove {'it' if len(others) == 1 else 'them'}."
            )
        return [place for place in found.values() if place is not None]

    def _places_by_order(self, table: Table) -> list[int]:
        """Return the places in a table whose columns have no names; the labels may be left out of it."""
        places, count = [int(column.name) for column in self.columns], len(table.names)
        if self.labels and count == len(places) + len(self.ignored):
            places = [place - sum(place > int(label) for label in self.labels) for place in places]
        elif count != len(places) + len(self.ignored) + len(self.labels):
            raise DataError(
                f"{printable(table.path)}: must have the {len(places)} columns that the model was trained on, with "
                f"or without the label; got {count}."
            )
        return places


def fit_schema(
    table: Table,
    labels: Sequence[int],
    ignored: Sequence[int],
    rows: np.ndarray | None = None,
    shape: tuple[int, ...] | None = None,
) -> tuple[Schema, list[str]]:
    """Return what the columns of a table mean, and lines that tell the user what was done with them.

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
    columns: list[Column] = []
    for number in range(len(table.names)):
        if number in labels or number in ignored:
            continue
        column, note = _column(learn, number)
        notes += [note] if note else []
        if column is None:
            left_out.append(table.names[number])
        else:
            columns.append(column)
    if not columns:
        raise DataError(
            f"{printable(table.path)}: needs a column of numbers or categories other than the labels; got none. "
            "Add one, or leave out fewer columns."
        )
    label_names = tuple(table.names[i] for i in labels)
    found = Schema(tuple(columns), label_names, tuple(left_out), table.has_names)
    found = replace(found, shape=_sample_shape(found, learn, shape))
    if shape is None and found.named and len(found.shape) == 2 and found.shape[0] == 1 < found.shape[1]:
        first, last, count = columns[0].name, columns[-1].name, found.shape[1]
        notes.append(f"columns {first!r} to {last!r}: a series (--shape {count}x1 reads them as features)")
    return found, notes + _suspicious(learn, found)


def _sample_shape(schema: Schema, learn: Table, shape: tuple[int, ...] | None) -> tuple[int, ...]:
    numbers = schema.numbers(learn.take(np.arange(min(len(learn), ROWS_COMPARED))))
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


def _column(learn: Table, number: int) -> tuple[Column | None, str | None]:
    """Return the column as an input, or None, and what the user must know about it."""
    name, cells = learn.names[number], learn.column(number)
    if number in learn.texts:
        return _text_column(name, cells)
    if cells.dtype.kind != "f" or not np.isnan(cells).any():
        return Column(name, (), float(np.median(cells)) if len(learn.names) <= MOST_CATEGORIES else None), None
    absent = int(np.isnan(cells).sum())
    if absent == len(cells):
        return None, f"column {name!r} is empty; left out"
    fill = float(np.nanmedian(cells))
    return Column(name, (), fill), f"column {name!r}: {absent:,} missing values, read as the median, {fill:g}"


def _text_column(name: str, cells: np.ndarray) -> tuple[Column | None, str | None]:
    absent = missing_text(cells)
    values, counts = np.unique(cells[~absent], return_counts=True)
    if not len(values):
        return None, f"column {name!r} is empty; left out"
    if len(values) > max(FEW_CATEGORIES, DISTINCT_SHARE * len(cells)):
        return None, f"column {name!r}: {len(values):,} different texts in {len(cells):,} rows; left out"
    kept = values[np.sort(np.argsort(-counts, kind="stable")[:MOST_CATEGORIES])]
    note = f"column {name!r}: the {MOST_CATEGORIES} most common of {len(values):,} categories are told apart"
    return Column(name, tuple(kept.tolist())), note if len(values) > len(kept) else None


def _encoded(table: Table, place: int, column: Column, missing: str) -> np.ndarray:
    """Return a column as float32[N, F]."""
    cells = table.column(place)
    if column.categories:
        text = cells if place in table.texts else np.array([f"{value:g}" for value in cells])
        absent = missing_text(text)
        if missing == "refuse":
            _refuse(table, column.name, absent)
        return np.asarray(text[:, np.newaxis] == np.array(column.categories), np.float32)
    if place in table.texts:
        raise DataError(
            f"{printable(table.path)}: line {table.lines[0]}: numbers expected in column {column.name!r}; "
            f"got {cells[0][:20]!r}. Put a number there."
        )
    values = cells.astype(np.float64)
    absent = np.isnan(values)
    if absent.any():
        if missing == "refuse" or column.fill is None:
            _refuse(table, column.name, absent)
        values[absent] = column.fill
    if not np.isfinite(values).all():
        row = int(np.flatnonzero(~np.isfinite(values))[0])
        raise DataError(
            f"{printable(table.path)}: line {table.lines[row]}: numbers in column {column.name!r} must be finite; "
            f"got {values[row]}. Correct or remove it."
        )
    return values.astype(np.float32)[:, np.newaxis]


def _refuse(table: Table, name: str, absent: np.ndarray) -> None:
    if absent.any():
        line = table.lines[int(np.flatnonzero(absent)[0])]
        raise DataError(
            f"{printable(table.path)}: line {line}: the value in column {name!r} is missing "
            f"({int(absent.sum()):,} in all). Fill it in, or remove the row."
        )


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
        if column.categories or place is None:
            continue
        values = learn.column(place).astype(np.float64)
        if len(values) > 1 and np.nanmin(values) == np.nanmax(values):
            notes.append(f"column {column.name!r} is always {values[0]:g}, so it tells nothing")
        elif _counts_rows(values):
            notes.append(f"column {column.name!r} seems to number the rows (--ignore {column.name} leaves it out)")
    return notes


def _counts_rows(values: np.ndarray) -> bool:
    """Return whether values are distinct whole numbers that fill most of their range, as those of rows do."""
    if len(values) < 20 or not np.isfinite(values).all() or (values != np.round(values)).any():
        return False
    distinct, span = len(np.unique(values)), values.max() - values.min() + 1
    return bool(distinct == len(values) and span <= 2 * len(values))


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names[:5])) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
