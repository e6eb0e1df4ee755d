"""Targets from the columns of labels; rows without a label are left out."""

from __future__ import annotations

import numpy as np

from striate.data.options import Task
from striate.data.problems import printable
from striate.data.tables.roles import Roles
from striate.data.tables.table import Table, missing_text
from striate.data.targets import make_targets
from striate.errors import DataError
from striate.wording import counted

SEPARATOR = "|"
"""Stands between labels of one cell."""
ON, OFF = ("yes", "true", "on", "y", "t"), ("no", "false", "off", "n", "f")


def targets_of(
    table: Table, roles: Roles, task: Task | None
) -> tuple[np.ndarray, tuple[str, ...], tuple[str, ...]]:
    """Return targets, classes, and the names of the columns that they come from.

    A column whose cells name several labels, such as ``cat|dog``, gives labels that are on or off. Raises DataError
    if one of several columns holds text.
    """
    names = tuple(table.names[place] for place in roles.labels)
    columns = [label_column(table, place) for place in roles.labels]
    columns = [_on_or_off(column) for column in columns] if len(columns) > 1 else columns
    if len(columns) == 1 and _has_tags(columns[0]):
        return *_switches(columns[0]), names
    if len(columns) == 1:
        return *make_targets(columns[0], str(table.path), task=task), names
    for name, column in zip(names, columns, strict=True):
        if column.dtype.kind == "U":
            raise DataError(
                f"{printable(table.path)}: several label columns must all hold numbers, 0 and 1, or yes and no; "
                f"column {name!r} holds {str(column[0])!r}. Choose one column, or write numbers."
            )
    return *make_targets(np.stack(columns, axis=1), str(table.path), names, task), names


def _on_or_off(column: np.ndarray) -> np.ndarray:
    """Return 1 and 0 for a column of yes and no, or true and false; any other column as it is."""
    if column.dtype.kind != "U":
        return column
    words = np.char.lower(np.char.strip(column))
    return np.isin(words, ON).astype(np.float64) if np.isin(words, (*ON, *OFF)).all() else column


def _has_tags(column: np.ndarray) -> bool:
    """Return whether some cells name several labels, such as ``cat|dog``."""
    return column.dtype.kind == "U" and bool((np.char.find(column, SEPARATOR) >= 0).any())


def _switches(column: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return which labels each cell names, float32[N, T], and the names of the labels."""
    named = [{label.strip() for label in cell.split(SEPARATOR)} - {""} for cell in column.tolist()]
    labels = sorted(set().union(*named))
    return np.array([[label in found for label in labels] for found in named], np.float32), tuple(labels)


def label_column(table: Table, place: int) -> np.ndarray:
    """Return the cells of a column of labels, str[N] or float64[N]."""
    labels = table.column(place)
    return labels if labels.dtype.kind in "US" else labels.astype(np.float64)


def labelled(table: Table, roles: Roles) -> tuple[Table, list[str]]:
    """Return the rows that have every label, and a note on the others; raises DataError if there are none."""
    absent, notes = np.zeros(len(table), bool), _lists_with_commas(table, roles)
    for place in roles.labels:
        labels = label_column(table, place)
        if not _has_tags(labels):  # an empty cell names no label
            absent |= missing_text(labels) if labels.dtype.kind == "U" else np.isnan(labels)
    if not absent.any():
        return table, notes
    if absent.all():
        names = ", ".join(repr(table.names[place]) for place in roles.labels)
        raise DataError(f"{printable(table.path)}: no row has a label in column {names}.")
    return table.take(~absent), [f"{counted(int(absent.sum()), 'row')} without a label; left out", *notes]


def _lists_with_commas(table: Table, roles: Roles) -> list[str]:
    """Return a note on cells such as ``cat, dog`` where both are the labels of other cells."""
    columns = [label_column(table, place) for place in roles.labels]
    if len(columns) != 1 or columns[0].dtype.kind != "U":
        return []
    cells = set(columns[0].tolist())
    lists = sorted(cell for cell in cells if "," in cell and {part.strip() for part in cell.split(",")} <= cells)
    return [f"label {lists[0]!r} is read as a class; | between labels gives several to a sample"] if lists else []
