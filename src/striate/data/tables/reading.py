"""Columns of numbers and text from a table.

Blocks that hold nothing but numbers go through `cells`, all others through the csv module, which takes ten times as
long and gives the same numbers. (pyarrow reads decimals faster still; it would read some cells, such as dates and
missing values, in another way than the csv module does, so a model could depend on what is installed.)
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

import numpy as np

from striate.data.problems import printable
from striate.data.tables.cells import parse_numbers
from striate.data.tables.dialect import MISSING, Dialect, sniff
from striate.data.tables.files import open_lines
from striate.errors import DataError

BLOCK_BYTES = 1 << 22
BLOCK_ROWS = 4096
MOST_SLIPS = 0.1
"""A column in which a smaller share of the cells are not numbers is one of numbers, with mistakes in it."""


@dataclass(frozen=True, eq=False)
class Table:
    """A table as read.

    Parameters
    ----------
    path : Path
    names : tuple of str
        Of the columns; their numbers, from 0, where ``has_names`` is False.
    has_names : bool
    numbers : uint8, int32 or float64 [N, D]
        The columns of numbers, NaN where a value is missing.
    places : dict
        The column of ``numbers`` for each column of the table that holds numbers.
    texts : dict
        The cells of each other column, str[N].
    lines : int64[N]
        Where each row ends in the file, from 1.
    """

    path: Path
    names: tuple[str, ...]
    has_names: bool
    numbers: np.ndarray
    places: dict[int, int]
    texts: dict[int, np.ndarray] = field(repr=False)
    lines: np.ndarray = field(repr=False)

    def __len__(self) -> int:
        return len(self.lines)

    def column(self, number: int) -> np.ndarray:
        """Return a column: numbers [N], or str[N]."""
        return self.texts[number] if number in self.texts else self.numbers[:, self.places[number]]

    def take(self, rows: np.ndarray) -> Table:
        """Return the rows ``rows`` (int64[M] or bool[N])."""
        texts = {number: cells[rows] for number, cells in self.texts.items()}
        return replace(self, numbers=self.numbers[rows], texts=texts, lines=self.lines[rows])

    def find(self, name: str) -> int | None:
        """Return the number of a column by name, whatever its capitals, or None."""
        wanted = name.strip().casefold()
        exact = [i for i, known in enumerate(self.names) if known == name]
        return next(iter(exact + [i for i, known in enumerate(self.names) if known.casefold() == wanted]), None)


def read_table(path: str | Path) -> Table:
    """Return the columns of a CSV file, or of one with other separators.

    Separators (comma, semicolon, tab, bar, blanks), decimal commas, a first line of names, comment lines that begin
    with ``#``, blank lines, quoted cells, gzip, bzip2 and xz, UTF-8, UTF-16 and Windows-1252 are recognised.

    Raises
    ------
    DataError
        If the file cannot be read, has no rows, a row has other cells than the first, or a column of numbers has a
        cell that is neither a number nor missing.
    """
    path = Path(path)
    with open_lines(path) as lines:
        dialect = sniff(lines)
    if dialect is None:
        raise DataError(f"{printable(path)}: a table needs at least one row; the file is empty. Use another file.")
    table = _read_plain(path, dialect) or _Reading(path, dialect).read()
    if not len(table):
        raise DataError(f"{printable(path)}: a data set needs at least one sample; got none. Use another file.")
    return table


def _read_plain(path: Path, dialect: Dialect) -> Table | None:
    """Return a table that consists of numbers only, or None for others."""
    pieces: list[np.ndarray] = []
    delimiter = dialect.delimiter.encode()
    if dialect.delimiter == " ":
        return None
    with open_lines(path) as lines:
        for block in _blocks(islice(lines, dialect.first_line - 1, None)):
            numbers = None if b"#" in block else parse_numbers(block, len(dialect.names), delimiter)
            if numbers is None:
                return None
            pieces.append(numbers)
    if not pieces:
        return None
    numbers = np.concatenate(pieces)
    places = {column: column for column in range(len(dialect.names))}
    at = np.arange(len(numbers)) + dialect.first_line
    return Table(path, dialect.names, dialect.has_names, _smallest(numbers), places, {}, at)


def _blocks(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the lines a few megabytes at a time, each line ending in a newline, blank ones at the end left out."""
    held: list[bytes] = []
    size = 0
    for line in lines:
        held.append(line)
        size += len(line)
        if size >= BLOCK_BYTES and line.strip():
            yield _ended(held)
            held, size = [], 0
    while held and not held[-1].strip():
        held.pop()
    if held:
        yield _ended(held)


def _ended(lines: list[bytes]) -> bytes:
    return b"".join([*lines[:-1], lines[-1].rstrip(b"\r\n") + b"\n"])


class _Reading:
    """Reads a table through the csv module; keeps the columns of text found so far."""

    def __init__(self, path: Path, dialect: Dialect) -> None:
        self.path, self.dialect = path, dialect
        self.text_columns: set[int] = set()

    def read(self) -> Table:
        """Return the table; the file is read again if a column turns out to be text after its first block."""
        while (table := self._pass()) is None:
            pass
        return table

    def _pass(self) -> Table | None:
        count, before = len(self.dialect.names), set(self.text_columns)
        columns: list[list[np.ndarray]] = [[] for _ in range(count)]
        slips: dict[int, list[tuple[int, str]]] = defaultdict(list)
        ends: list[int] = []
        for at, rows in self._chunks():
            ends += at
            for column, cells in enumerate(zip(*rows, strict=True)):
                columns[column].append(self._converted(column, cells, at, slips))
        if not ends:
            return _empty(self.path, self.dialect)
        self._judge(slips, columns)
        return None if self.text_columns != before else self._table(columns, ends)

    def _chunks(self) -> Iterator[tuple[list[int], list[list[str]]]]:
        with open_lines(self.path) as lines:
            numbered = self.dialect.rows(lines)
            if self.dialect.has_names:
                next(numbered)
            while chunk := list(islice(numbered, BLOCK_ROWS)):
                for line, row in chunk:
                    if len(row) != len(self.dialect.names):
                        raise DataError(
                            f"{printable(self.path)}: line {line}: {len(self.dialect.names)} cells expected; "
                            f"got {len(row)}. Correct or remove it."
                        )
                yield [line for line, _ in chunk], [row for _, row in chunk]

    def _converted(
        self, column: int, cells: tuple[str, ...], lines: list[int], slips: dict[int, list[tuple[int, str]]]
    ) -> np.ndarray:
        """Return the cells as float64, or as text; cells that are not numbers are added to ``slips``."""
        if column in self.text_columns:
            return np.array([printable(cell.strip()) for cell in cells])
        quick = _all_numbers(cells)
        if quick is not None:
            return quick
        values = [self.dialect.number(cell) for cell in cells]
        slips[column] += [
            (line, cell) for line, cell, value in zip(lines, cells, values, strict=True) if value is None
        ]
        return np.array([math.nan if value is None else value for value in values])

    def _judge(self, slips: dict[int, list[tuple[int, str]]], columns: list[list[np.ndarray]]) -> None:
        """Note the columns of text; raise DataError for one of numbers with a few other cells."""
        for column, wrong in slips.items():
            if not wrong:
                continue
            numbers = sum(int(np.isfinite(piece).sum()) for piece in columns[column])
            if len(wrong) <= MOST_SLIPS * numbers:
                line, cell = wrong[0]
                raise DataError(
                    f"{printable(self.path)}: line {line}: numbers expected in column "
                    f"{self.dialect.names[column]!r}; got {printable(cell.strip())[:20]!r}. Correct or remove it."
                )
            self.text_columns.add(column)

    def _table(self, columns: list[list[np.ndarray]], ends: list[int]) -> Table:
        joined = [np.concatenate(pieces) for pieces in columns]
        texts = {column: joined[column] for column in sorted(self.text_columns)}
        numeric = [column for column in range(len(joined)) if column not in texts]
        numbers = np.stack([joined[column] for column in numeric], 1) if numeric else np.zeros((len(ends), 0))
        places = {column: place for place, column in enumerate(numeric)}
        names, has_names = self.dialect.names, self.dialect.has_names
        return Table(self.path, names, has_names, _smallest(numbers), places, texts, np.array(ends))


def _all_numbers(cells: tuple[str, ...]) -> np.ndarray | None:
    text = "".join(cells)
    if not text.isascii() or "_" in text:
        return None
    try:
        return np.array(cells, np.float64)
    except ValueError:
        return None


def _smallest(numbers: np.ndarray) -> np.ndarray:
    """Return the numbers as bytes if all are whole and from 0 to 255, as `parse_numbers` does."""
    if numbers.dtype != np.uint8 and numbers.size and ((numbers >= 0) & (numbers <= 255)).all():  # NaN is not
        as_bytes = numbers.astype(np.uint8)
        return as_bytes if (as_bytes == numbers).all() else numbers
    return numbers


def _empty(path: Path, dialect: Dialect) -> Table:
    return Table(path, dialect.names, dialect.has_names, np.zeros((0, 0)), {}, {}, np.zeros(0, np.int64))


def missing_text(cells: np.ndarray) -> np.ndarray:
    """Return which cells of a column of text hold no value (bool[N])."""
    values, places = np.unique(cells, return_inverse=True)
    return np.array([value.lower() in MISSING for value in values.tolist()])[places]
