"""A table as read: columns of numbers and of text."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from striate.data.problems import printable
from striate.data.tables.dialect import MISSING, Dialect
from striate.data.tables.stored import StoredNumbers


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
        The columns of numbers, NaN where a value is missing; in a file if they do not fit into memory.
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
    numbers: np.ndarray | StoredNumbers
    places: dict[int, int]
    texts: dict[int, np.ndarray] = field(repr=False)
    lines: np.ndarray = field(repr=False)

    def __len__(self) -> int:
        return len(self.lines)

    @property
    def is_streamed(self) -> bool:
        """Whether the numbers are in a file."""
        return isinstance(self.numbers, StoredNumbers)

    def column(self, number: int) -> np.ndarray:
        """Return a column: numbers [N], or str[N]."""
        if number in self.texts:
            return self.texts[number]
        place = self.places[number]
        return self.numbers.column(place) if isinstance(self.numbers, StoredNumbers) else self.numbers[:, place]

    def take(self, rows: np.ndarray) -> Table:
        """Return the rows ``rows`` (int64[M] or bool[N]); numbers in a file stay there."""
        numbers = self.numbers.take(rows) if isinstance(self.numbers, StoredNumbers) else self.numbers[rows]
        return self._part(rows, numbers)

    def read(self, rows: np.ndarray) -> Table:
        """Return the rows ``rows`` (int64[M]) in memory."""
        return self._part(rows, self.numbers[rows])

    def find(self, name: str) -> int | None:
        """Return the number of a column by name, whatever its capitals, or None."""
        return self._exact.get(name, self._folded.get(name.strip().casefold()))

    @cached_property
    def _exact(self) -> dict[str, int]:
        """The number of each column by its name; the first where several have it."""
        return {name: number for number, name in reversed(list(enumerate(self.names)))}

    @cached_property
    def _folded(self) -> dict[str, int]:
        return {name.casefold(): number for number, name in reversed(list(enumerate(self.names)))}

    def row_names(self, rows: np.ndarray) -> np.ndarray:
        """Return what the rows ``rows`` (int64[M]) are called, such as ``houses.csv:7``, counted from 1."""
        where = printable(self.path)
        return np.array([f"{where}:{row + 1}" for row in rows.tolist()])

    def _part(self, rows: np.ndarray, numbers: np.ndarray | StoredNumbers) -> Table:
        texts = {number: cells[rows] for number, cells in self.texts.items()}
        return replace(self, numbers=numbers, texts=texts, lines=self.lines[rows])


def table_of(
    path: Path,
    dialect: Dialect,
    numbers: np.ndarray | StoredNumbers,
    texts: dict[int, np.ndarray],
    lines: np.ndarray,
) -> Table:
    """Return the table of a file whose columns are texts or, all others in their order, numbers."""
    numeric = [column for column in range(len(dialect.names)) if column not in texts]
    places = {column: place for place, column in enumerate(numeric)}
    return Table(path, dialect.names, dialect.has_names, numbers, places, texts, lines)


def missing_text(cells: np.ndarray) -> np.ndarray:
    """Return which cells of a column of text hold no value (bool[N])."""
    values, places = np.unique(cells, return_inverse=True)
    return np.array([value.lower() in MISSING for value in values.tolist()])[places]
