"""CSV tables: one sample a line, a column with its label, the rest numbers."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from striate.data.cells import CellError, parse_numbers
from striate.data.dataset import Dataset
from striate.data.layout import make_inputs
from striate.data.problems import printable
from striate.data.targets import make_targets
from striate.errors import DataError

BLOCK_BYTES = 1 << 22
TABLE_SUFFIXES = (".csv", ".tsv", ".txt")
DELIMITERS = (b",", b";", b"\t")
LABEL_NAMES = ("label", "labels", "class", "target", "y")
IGNORED_NAMES = ("id", "imageid", "index", "")


@dataclass(frozen=True)
class Table:
    """A table as read: ``numbers`` (uint8 or float32 [N, D]), and the text of its other columns, if any."""

    numbers: np.ndarray
    labels: np.ndarray | None
    groups: np.ndarray | None


@dataclass(frozen=True)
class _Columns:
    """What the first line tells: how many columns there are, what separates them, and which are not inputs."""

    count: int
    delimiter: bytes
    has_names: bool
    label: int | None
    group: int | None
    ignored: tuple[int, ...]

    @property
    def special(self) -> list[int]:
        """The columns that are no inputs, in order."""
        chosen = {self.label, self.group, *self.ignored} - {None}
        return sorted(column for column in chosen if column is not None)


def csv_dataset(
    path: str | Path,
    label: str | None = None,
    shape: tuple[int, ...] | None = None,
    group: str | None = None,
) -> Dataset:
    """Return the data set of a CSV file with a column of labels.

    Parameters
    ----------
    path : path
    label : str, optional
        The name of the column, or its number from 0. Without it: the column called label, class, target
        or y; the first, where columns have no names.
    shape : (channels, *space), optional
        What the numbers of a line stand for; see `make_inputs` for what is taken without it.
    group : str, optional
        A column; samples with the same value stay together in a split.

    Raises
    ------
    DataError
        If the file cannot be read, a line has other cells than the first, a cell is not a number, or
        there is no column with labels.
    """
    path = Path(path)
    table = read_table(path, label, group, labelled=True)
    if table.labels is None:
        raise DataError(f"{path}: no column with labels ({', '.join(LABEL_NAMES)}). Name it (label).")
    targets, classes = make_targets(_numbers_or_text(table.labels), str(path))
    groups = None if table.groups is None else np.unique(table.groups, return_inverse=True)[1]
    return Dataset(make_inputs(table.numbers, str(path), shape), targets, classes, path.stem, groups)


def read_table(
    path: str | Path, label: str | None = None, group: str | None = None, labelled: bool | None = None
) -> Table:
    """Return the numbers of a CSV file and, apart, its labels and groups as text.

    ``labelled`` says whether a table without column names starts with the label (None: it does not).
    Columns called id, ImageId or index are left out.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            first = file.readline().lstrip(b"\xef\xbb\xbf")
            columns = _read_columns(first, path, label, group, labelled is True)
            if not columns.has_names:
                file.seek(0)
            return _read_rows(_blocks(file), columns, path)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}). Check the path.") from error


def _read_columns(first: bytes, path: Path, label: str | None, group: str | None, label_first: bool) -> _Columns:
    if not first.strip() or b"\0" in first or b"\r" in first.rstrip(b"\r\n"):
        what = "the file is empty" if not first else "the first line is empty or not text"
        raise DataError(f"{path}: a table starts with a line of names or numbers; {what}. Use a CSV file.")
    delimiter = max(DELIMITERS, key=first.count)
    cells = next(csv.reader([first.decode(errors="replace").rstrip("\r\n")], delimiter=delimiter.decode()))
    names = [printable(cell.strip()) for cell in cells]
    has_names = not all(_is_number(name) for name in names[1:] or names)
    lower = [name.lower() for name in names] if has_names else [str(i) for i in range(len(names))]
    label_column = _label_column(label, lower, path, has_names, label_first)
    group_column = None if group is None else _find(group, lower, path)
    ignored = tuple(i for i, name in enumerate(lower) if has_names and name in IGNORED_NAMES)
    return _Columns(len(names), delimiter, has_names, label_column, group_column, ignored)


def _label_column(
    label: str | None, names: list[str], path: Path, has_names: bool, label_first: bool
) -> int | None:
    if label is not None:
        return _find(label, names, path)
    if has_names:
        return next((names.index(name) for name in LABEL_NAMES if name in names), None)
    return 0 if label_first else None


def _find(name: str, names: list[str], path: Path) -> int:
    if name.lower() in names:
        return names.index(name.lower())
    known = ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")
    raise DataError(f"{path}: no column {name!r}; the columns are {known}. Use one of these.")


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _blocks(file: Iterator[bytes]) -> Iterator[list[bytes]]:
    """Yield the lines that are left, a few megabytes at a time, each ending in a newline."""
    lines: list[bytes] = []
    held = 0
    for line in file:
        lines.append(line)
        held += len(line)
        if held >= BLOCK_BYTES:
            yield lines
            lines, held = [], 0
    while lines and not lines[-1].strip():
        lines.pop()
    if lines:
        yield [*lines[:-1], lines[-1].rstrip(b"\r\n") + b"\n"]


def _read_rows(blocks: Iterator[list[bytes]], columns: _Columns, path: Path) -> Table:
    pieces: list[np.ndarray] = []
    cells: dict[int, list[str]] = {column: [] for column in columns.special}
    line = 1 + columns.has_names
    for lines in blocks:
        try:
            rest = _take_out(lines, columns, cells)
            numbers = parse_numbers(rest, columns.count - len(cells), columns.delimiter)
        except CellError as error:
            problem = _wrong_length(lines[error.row], columns) or str(error)
            raise DataError(f"{path}: line {line + error.row}: {problem}. Mend or remove it.") from error
        pieces.append(numbers if numbers.dtype == np.uint8 else numbers.astype(np.float32))
        line += len(lines)
    if not pieces:
        raise DataError(f"{path}: a data set needs at least one sample; got none. Use another file.")
    labels = None if columns.label is None else np.array(cells[columns.label])
    groups = None if columns.group is None else np.array(cells[columns.group])
    return Table(np.concatenate(pieces), labels, groups)


def _wrong_length(line: bytes, columns: _Columns) -> str | None:
    """Return what is wrong with a line that has more or fewer cells than the first, else None."""
    cells = line.count(columns.delimiter) + 1 if line.strip() else 0
    return None if cells == columns.count else f"{columns.count} cells expected; got {cells}"


def _take_out(lines: list[bytes], columns: _Columns, cells: dict[int, list[str]]) -> bytes:
    """Move the cells of special columns from the lines to ``cells``; return what is left of the lines."""
    if columns.count <= len(columns.special):
        raise CellError(0, "at least one column of numbers expected beside the labels")
    if not columns.special:
        return b"".join(lines)
    if columns.special == [0]:
        parts = [line.partition(columns.delimiter) for line in lines]
        cells[0] += [_text(first) for first, _, _ in parts]
        return b"".join([rest or b"\n" for _, _, rest in parts])
    return b"".join([_take_out_of(row, line, columns, cells) for row, line in enumerate(lines)])


def _take_out_of(row: int, line: bytes, columns: _Columns, cells: dict[int, list[str]]) -> bytes:
    parts = line.rstrip(b"\r\n").split(columns.delimiter)
    if len(parts) != columns.count:
        raise CellError(row, f"{columns.count} cells expected; got {len(parts)}")
    for column in reversed(columns.special):
        cells[column].append(_text(parts.pop(column)))
    return columns.delimiter.join(parts) + b"\n"


def _text(cell: bytes) -> str:
    return cell.decode(errors="replace").strip().strip('"')


def _numbers_or_text(labels: np.ndarray) -> np.ndarray:
    """Return labels as floating point numbers if all are numbers, else as they are."""
    try:
        return labels.astype(np.float64)
    except ValueError:
        return labels
