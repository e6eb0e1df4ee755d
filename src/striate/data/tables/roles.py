"""The roles of a table's columns: labels, groups, inputs, or none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from striate.data.options import Options
from striate.data.problems import printable
from striate.data.tables.schema import Schema
from striate.data.tables.table import Table
from striate.errors import DataError, suggestion

LABEL_NAMES = ("label", "labels", "class", "target", "y")
MOST_NAMES = 12
"""Columns that a message names."""
ROW_NAMES = ("id", "imageid", "index", "row_id", "rowid", "rownames", "unnamed: 0", "uuid", "")
"""Names of columns that number the rows; they are left out."""


@dataclass(frozen=True)
class Roles:
    """Columns by role."""

    labels: tuple[int, ...]
    group: int | None
    ignored: tuple[int, ...]

    @property
    def no_inputs(self) -> tuple[int, ...]:
        """The columns that are neither inputs nor labels."""
        return self.ignored if self.group is None else tuple(sorted({*self.ignored, self.group}))


def label_places(table: Table, options: Options) -> tuple[int, ...]:
    """Return the columns to predict: those asked for, those the model knows, or one with a usual name."""
    known = options.preparation.get("table")
    if options.label is not None:
        return _find_labels(options.label, table)
    if known is not None:
        return tuple(place for place in map(table.find, Schema.from_dict(known).labels) if place is not None)
    places = [table.find(name) for name in options.preparation.get("labels", ())]
    found = tuple(place for place in places if place is not None)
    return found if found and len(found) == len(places) else _usual_label(table)


def roles_of(table: Table, options: Options) -> Roles:
    """Return the role of every column; raises DataError for names that the table does not have."""
    labels = label_places(table, options)
    group = None if options.group is None else find_column(options.group, table)
    ignored = {find_column(name, table) for name in options.ignore}
    if table.has_names:
        ignored |= {i for i, name in enumerate(table.names) if name.lower() in ROW_NAMES and i not in labels}
    return Roles(labels, group, tuple(sorted(ignored - {group})))


def check_names(header: Table, options: Options) -> None:
    """Raise DataError for names that a table does not have, or if no column has labels; rows are not needed."""
    if not roles_of(header, options).labels:
        raise DataError(
            f"{printable(header.path)}: no column with labels ({', '.join(LABEL_NAMES)}); the columns are "
            f"{_known(header)}. Name the one to predict (--label)."
        )


def _known(table: Table) -> str:
    names = table.names  # the last are shown, too: labels often stand there
    return ", ".join(names if len(names) <= MOST_NAMES else (*names[: MOST_NAMES - 2], "...", *names[-2:]))


def _find_labels(text: str, table: Table) -> tuple[int, ...]:
    """Return the column of that name, or those whose names stand between commas."""
    place = table.find(text)
    if place is not None or "," not in text:
        return (find_column(text, table) if place is None else place,)
    return tuple(dict.fromkeys(find_column(name.strip(), table) for name in text.split(",")))


def _usual_label(table: Table) -> tuple[int, ...]:
    if not table.has_names:
        return (next(iter(table.texts)) if len(table.texts) == 1 else 0,)
    places = [place for place in map(table.find, LABEL_NAMES) if place is not None]
    return tuple(places[:1])


def find_column(name: str, table: Table) -> int:
    """Return the place of a column; raises DataError if the table has none of that name."""
    place = table.find(name)
    if place is None:
        fix = suggestion(name, table.names).replace("did", "Did", 1) or "Use one of these."
        raise DataError(f"{printable(table.path)}: no column {name!r}; the columns are {_known(table)}. {fix}")
    return place


def inputs_without_schema(table: Table, count: int) -> np.ndarray:
    """Return the columns of numbers but labels and row numbers ([N, D]), for a model trained on something else.

    Without names, a column more than the ``count`` inputs is a label in front of them.

    Raises
    ------
    DataError
        If a table with names has columns that are left.
    """
    skipped = {*LABEL_NAMES, *ROW_NAMES} if table.has_names else set()
    kept = [place for number, place in table.places.items() if table.names[number].lower() not in skipped]
    numbers = table.numbers[:, kept]
    if numbers.shape[1] != count + 1:
        return numbers
    if table.has_names:
        last = table.names[next(number for number, place in table.places.items() if place == kept[-1])]
        raise DataError(
            f"{printable(table.path)}: the model takes {count} numbers, but there are {count + 1} columns of them, "
            f"up to {last!r}. Leave out the one that is no input, such as the labels."
        )
    return numbers[:, 1:]
