"""Files that a table lists with their classes, such as ``file,label``."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from striate.data import audio, logs, pixels, text
from striate.data.folders import file_splits
from striate.data.gathering import FILE_COLUMNS, file_column
from striate.data.listing import Listing
from striate.data.options import Options
from striate.data.problems import printable
from striate.data.splits import Splits
from striate.data.tables import read_table
from striate.data.tables.labels import label_column
from striate.data.tables.roles import label_places
from striate.data.targets import make_targets
from striate.errors import DataError

FIRST_LINE = 1 << 16  # bytes


def listed_splits(path: Path, options: Options, seed: int, validation_fraction: float) -> Splits | None:
    """Return the splits of the images, recordings, series or texts that a table lists; None if it lists none.

    Relative paths start in the folder of the table. The label is the column that ``options.label`` names, one
    with a usual name, or the only other column.

    Raises
    ------
    DataError
        If there is no label, the labels are numbers, or the files cannot be used.
    """
    if not _may_list(path):
        return None
    table = read_table(path)
    place = file_column(table)
    if place is None or not _are_files(table.texts[place]):
        return None
    others = [number for number in range(len(table.names)) if number != place]
    labels = label_places(table, options) or tuple(others if len(others) == 1 else ())
    if len(labels) != 1 or labels[0] == place:
        known = ", ".join(table.names[:8])
        raise DataError(
            f"{printable(path)}: needs a column with the class of each file; the columns are {known}. "
            "Name it (--label)."
        )
    targets, classes = make_targets(label_column(table, labels[0]), str(path), task="classification")
    below = [cell.strip() for cell in table.texts[place].tolist()]
    paths = [path.parent / name for name in below]
    unknown = np.full(len(paths), -1)
    folders = list(dict.fromkeys(file.parent for file in paths))
    return file_splits(
        path.with_suffix(""),
        Listing(paths, below, targets, unknown, classes, folders, []),
        options,
        seed,
        validation_fraction,
    )


def _may_list(path: Path) -> bool:
    """Return whether the first line names a column of files, so that large tables are not read twice."""
    with path.open("rb") as file:
        names = file.readline(FIRST_LINE).lower()
    return any(name.encode() in names for name in FILE_COLUMNS)


def _are_files(cells: np.ndarray) -> bool:
    """Return whether most of the cells are names of files of a supported kind."""
    known = pixels.image_suffixes() | audio.SUFFIXES | logs.SUFFIXES | text.SUFFIXES
    return sum(Path(cell.strip()).suffix.lower() in known for cell in cells.tolist()) > len(cells) / 2
