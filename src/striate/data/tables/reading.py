"""Columns of numbers and text from a table.

Blocks that hold nothing but numbers go through `cells`, all others through the csv module, which takes ten times as
long and gives the same numbers. (pyarrow reads decimals faster still; it would read some cells, such as dates and
missing values, in another way than the csv module does, so a model could depend on what is installed.)
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from striate.data.problems import printable
from striate.data.streaming.cache import version_of
from striate.data.streaming.choice import AUTO, MEMORY, is_streamed
from striate.data.tables.cache import cached_table, keep
from striate.data.tables.cells import parse_numbers
from striate.data.tables.dialect import Dialect, sniff
from striate.data.tables.files import open_lines
from striate.data.tables.stored import Gathering
from striate.data.tables.table import Table, table_of
from striate.errors import DataError

BLOCK_BYTES = 1 << 22
BLOCK_ROWS = 4096
CHARACTER_BYTES = np.dtype("U1").itemsize
MOST_SLIPS = 0.1
"""A column in which a smaller share of the cells are not numbers is one of numbers, with mistakes in it."""


def read_header(path: Path) -> Table:
    """Return the columns of a table without any row: all as numbers; raises DataError like `read_table`."""
    dialect = _dialect(path)
    return table_of(path, dialect, np.zeros((0, len(dialect.names))), {}, np.zeros(0, np.int64))


def _dialect(path: Path) -> Dialect:
    with open_lines(path) as lines:
        dialect = sniff(lines)
    if dialect is None:
        raise DataError(f"{printable(path)}: a table needs at least one row; the file is empty. Use another file.")
    return dialect


def read_table(path: str | Path, read: str = MEMORY) -> Table:
    """Return the columns of a CSV file, or of one with other separators.

    Separators (comma, semicolon, tab, bar, blanks), decimal commas, a first line of names, comment lines that begin
    with ``#``, blank lines, quoted cells, gzip, bzip2 and xz, UTF-8, UTF-16 and Windows-1252 are recognised.

    Parameters
    ----------
    path : path
    read : {"memory", "stream", "auto"}
        Whether the numbers are read into a file of the cache; ``auto``: if they take over half of the free memory.

    Raises
    ------
    DataError
        If the file cannot be read, has no rows, a row has other cells than the first, or a column of numbers has a
        cell that is neither a number nor missing; if the file changes meanwhile, or the cache cannot take it.
    """
    path = Path(path)
    version = version_of(path)
    dialect = _dialect(path)
    found = None if read == MEMORY else cached_table(path, version, dialect, read)
    if found is not None:
        return found
    table = _read_plain(path, dialect, read) or _Reading(path, dialect, read).read()
    if table is None:
        raise DataError(f"{printable(path)}: a data set needs at least one sample; got none. Use another file.")
    if version_of(path) != version:
        raise DataError(f"{printable(path)}: was written while it was being read. Start again when it is complete.")
    keep(table, version)
    return table


def _read_plain(path: Path, dialect: Dialect, read: str) -> Table | None:
    """Return a table that consists of numbers only, or None for others."""
    gathering = Gathering(printable(path), read)
    delimiter = dialect.delimiter.encode()
    if dialect.delimiter == " ":
        return None
    with open_lines(path) as lines:
        for block in _blocks(islice(lines, dialect.first_line - 1, None)):
            numbers = None if b"#" in block else parse_numbers(block, len(dialect.names), delimiter)
            if numbers is None:
                return None
            gathering.add(numbers)
    if not gathering.count:
        return None
    return table_of(path, dialect, gathering.done(), {}, np.arange(gathering.count) + dialect.first_line)


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

    def __init__(self, path: Path, dialect: Dialect, read: str) -> None:
        self.path, self.dialect, self.how = path, dialect, read
        self.text_columns: set[int] = set()

    def read(self) -> Table | None:
        """Return the table, or None without rows; the file is read again if a column turns out to be text."""
        while True:
            before = set(self.text_columns)
            table = self._pass()
            if self.text_columns == before:
                return table

    def _pass(self) -> Table | None:
        texts: dict[int, list[np.ndarray]] = {column: [] for column in sorted(self.text_columns)}
        numbers, ends = Gathering(printable(self.path), self.how), []
        slips: dict[int, _Slips] = defaultdict(_Slips)
        for at, rows in self._chunks():
            ends.append(np.array(at))
            values = []
            for column, cells in enumerate(zip(*rows, strict=True)):
                if column in texts:
                    texts[column].append(np.array([printable(cell.strip()) for cell in cells]))
                    self._check_room(column, texts[column])
                else:
                    values.append(self._numbers(cells, at, slips[column]))
            if len(ends) == 1 and self._begin_with_text(slips):
                return None
            numbers.add(np.stack(values, 1) if values else np.zeros((len(at), 0)))
        self._judge(slips)
        if not ends:
            return None
        joined = {column: np.concatenate(pieces) for column, pieces in texts.items()}
        return table_of(self.path, self.dialect, numbers.done(), joined, np.concatenate(ends))

    def _check_room(self, column: int, pieces: list[np.ndarray]) -> None:
        """Raise DataError if there is no room for the texts of a column, which all take as much as the longest."""
        size, rows = max(piece.itemsize for piece in pieces), sum(map(len, pieces))
        if is_streamed(AUTO, size * rows):
            raise DataError(
                f"{printable(self.path)}: column {self.dialect.names[column]!r} does not fit into memory: {rows:,} "
                f"texts as long as the longest, {size // CHARACTER_BYTES:,} characters, take "
                f"{size * rows / 1e6:,.0f} MB. "
                "Shorten them, or remove the column from the file."
            )

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

    def _numbers(self, cells: tuple[str, ...], lines: list[int], slips: _Slips) -> np.ndarray:
        """Return the cells as float64; those that are not numbers are added to ``slips``."""
        found = _all_numbers(cells)
        if found is None:
            values = [self.dialect.number(cell) for cell in cells]
            wrong = [number for number, value in enumerate(values) if value is None]
            if wrong and not slips.count:
                slips.line, slips.cell = lines[wrong[0]], cells[wrong[0]]
            slips.count += len(wrong)
            found = np.array([math.nan if value is None else value for value in values])
        slips.numbers += int(np.isfinite(found).sum())
        return found

    def _begin_with_text(self, columns: dict[int, _Slips]) -> bool:
        """Note the columns without a number so far as columns of text; return whether there are any."""
        found = {column for column, slips in columns.items() if slips.count and not slips.numbers}
        self.text_columns |= found
        return bool(found)

    def _judge(self, columns: dict[int, _Slips]) -> None:
        """Note the columns of text; raise DataError for one of numbers with a few other cells."""
        for column, slips in columns.items():
            if not slips.count:
                continue
            if slips.count <= MOST_SLIPS * slips.numbers:
                raise DataError(
                    f"{printable(self.path)}: line {slips.line}: numbers expected in column "
                    f"{self.dialect.names[column]!r}; got {printable(slips.cell.strip())[:20]!r}. "
                    "Correct or remove it."
                )
            self.text_columns.add(column)


@dataclass
class _Slips:
    """Cells of a column that are not numbers: how many, the first, and how many others are finite numbers."""

    count: int = 0
    numbers: int = 0
    line: int = 0
    cell: str = ""


def _all_numbers(cells: tuple[str, ...]) -> np.ndarray | None:
    text = "".join(cells)
    if not text.isascii() or "_" in text:
        return None
    try:
        return np.array(cells, np.float64)
    except ValueError:
        return None
