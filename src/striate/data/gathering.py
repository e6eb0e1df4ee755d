"""Files that a path stands for indirectly: through a pattern, an archive, or a table that lists them."""

from __future__ import annotations

import glob
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from striate.data import audio, logs, pixels, text
from striate.data.clips import VIDEOS
from striate.data.problems import printable
from striate.data.tables import read_table
from striate.data.tables.files import is_table
from striate.data.tables.table import Table
from striate.errors import DataError

FILE_COLUMNS = ("file", "files", "filename", "file_name", "filepath", "file_path", "path", "image", "image_path")
FIRST_LINE = 1 << 16  # bytes
FEW = 20
MOST_BYTES = 1 << 34  # that an archive may unpack to


def matches(pattern: Path) -> list[Path] | None:
    """Return the files that a pattern such as ``photos/*.jpg`` names, sorted; None if it is no pattern.

    Raises
    ------
    DataError
        If no file matches.
    """
    if pattern.exists() or not glob.has_magic(str(pattern)):
        return None
    found = sorted(Path(name) for name in glob.iglob(str(pattern), recursive=True) if Path(name).is_file())
    if not found:
        raise DataError(f"{printable(pattern)}: no file matches this pattern. Check the path.")
    return found


def listed_files(table: Path) -> list[Path] | None:
    """Return the files that a table lists in a column such as ``file``; None if it has no such column.

    Relative paths start in the folder of the table.
    """
    if not is_table(table):
        return None
    found = read_table(table)
    place = file_column(found)
    return None if place is None else [table.parent / str(cell).strip() for cell in found.texts[place]]


def file_column(table: Table) -> int | None:
    """Return the column of a table that holds the names of files; None if there is none.

    It is called ``file`` or the like, or it is the only one whose names are those of files that exist.
    """
    columns = [number for number, name in enumerate(table.names) if name.strip().lower() in FILE_COLUMNS]
    named = [number for number in columns if table.has_names and number in table.texts]
    existing = [number for number, cells in table.texts.items() if are_files(cells) and _exists(table, cells)]
    return named[0] if named else existing[0] if len(existing) == 1 else None


def are_files(cells: np.ndarray) -> bool:
    """Return whether most of the cells are names of files of a supported kind."""
    known = _suffixes()
    return sum(Path(cell.strip()).suffix.lower() in known for cell in cells.tolist()) > len(cells) / 2


def _exists(table: Table, cells: np.ndarray) -> bool:
    """Return whether one of the first few cells is a file."""
    return any((table.path.parent / cell.strip()).is_file() for cell in cells[:FEW].tolist())


def _suffixes() -> frozenset[str]:
    return pixels.image_suffixes() | VIDEOS | audio.SUFFIXES | logs.SUFFIXES | text.SUFFIXES


def may_list(table: Path) -> bool:
    """Return whether the first lines of a table name files; large tables need not be read for it."""
    with table.open("rb") as file:
        names, row = file.readline(FIRST_LINE).lower(), file.readline(FIRST_LINE).lower()
    named = any(name.encode() in names for name in FILE_COLUMNS)
    return named or any(suffix.encode() in row for suffix in _suffixes())


@contextmanager
def unpacked(archive: Path) -> Iterator[Path]:
    """Yield a temporary folder with the content of a ZIP file.

    Raises
    ------
    DataError
        If it is damaged, encrypted, or larger than 16 GiB.
    """
    with TemporaryDirectory(prefix="striate-") as folder:
        try:
            with zipfile.ZipFile(archive) as content:
                size = sum(entry.file_size for entry in content.infolist())
                if size > MOST_BYTES:
                    raise DataError(
                        f"{printable(archive)}: unpacks to {size >> 30} GiB; at most {MOST_BYTES >> 30} are read. "
                        "Unpack it and give the folder."
                    )
                content.extractall(folder)
        except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError, OSError) as error:
            raise DataError(
                f"{printable(archive)}: cannot be unpacked ({error}). Unpack it and give the folder."
            ) from None
        yield Path(folder)
