"""Files that a table lists with their labels, such as ``file,label``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from striate.data.folders import file_splits
from striate.data.gathering import FILE_COLUMNS, are_files, file_column, may_list
from striate.data.listing import Listing
from striate.data.options import Options
from striate.data.problems import printable
from striate.data.splits import Splits
from striate.data.tables import read_table
from striate.data.tables.labels import labelled, targets_of
from striate.data.tables.roles import Roles, label_places
from striate.data.tables.table import Table
from striate.data.targets import describe_targets
from striate.errors import DataError


def listed_splits(path: Path, options: Options, seed: int, validation_fraction: float) -> Splits | None:
    """Return the splits of the images, recordings, series or texts that a table lists; None if it lists none.

    Relative paths start in the folder of the table. The label is the column that ``options.label`` names, one
    with a usual name, or the only other column; several columns of 0 and 1 are labels that are on or off.

    Raises
    ------
    DataError
        If there is no label, or the files cannot be used.
    """
    if not may_list(path):
        return None
    table = read_table(path)
    place = file_column(table)
    if place is None or not are_files(table.texts[place]):
        return None
    roles = Roles(_labels(table, place, options), None, ())
    table, notes = labelled(table, roles)
    if table.names[place].strip().lower() not in FILE_COLUMNS:
        notes.append(f"column {table.names[place]!r}: files, which are read")
    targets, classes, names = targets_of(table, roles, options.task)
    below = [cell.strip() for cell in table.texts[place].tolist()]
    paths = [path.parent / name for name in below]
    unknown = np.full(len(paths), -1)
    folders = list(dict.fromkeys(file.parent for file in paths))
    found = file_splits(
        path.with_suffix(""),
        Listing(paths, below, targets, unknown, classes, folders, [], () if classes else names),
        options,
        seed,
        validation_fraction,
    )
    notes.append(describe_targets(names, targets, classes, options.task))
    preparation = {**found.preparation, "labels": list(names)}
    return replace(found, notes=(*notes, *found.notes), preparation=preparation)


def _labels(table: Table, files: int, options: Options) -> tuple[int, ...]:
    """Return the columns of labels; raises DataError if there are none."""
    others = tuple(number for number in range(len(table.names)) if number != files)
    labels = label_places(table, options)
    if not labels and (len(others) == 1 or all(_is_switch(table.column(number)) for number in others)):
        labels = others
    if not labels or files in labels:
        known = ", ".join(table.names[:8])
        raise DataError(
            f"{printable(table.path)}: needs a column with the label of each file; the columns are {known}. "
            "Name it (--label)."
        )
    return labels


def _is_switch(column: np.ndarray) -> bool:
    return column.dtype.kind != "U" and bool(np.isin(column, (0, 1)).all())
