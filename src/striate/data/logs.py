"""Logs as 1-D inputs: one table for each series, with a row for each moment and a column for each channel."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from striate.data.layout import without_gaps
from striate.data.problems import FileProblem, printable
from striate.data.tables.reading import read_table
from striate.data.tables.table import Table
from striate.data.windows import Unit
from striate.errors import DataError, ModelFileError, unknown_name

SUFFIXES = frozenset({".csv", ".tsv"})
TIME = re.compile(
    r"(date|time|datetime|timestamp|t|index|seconds?|s|ms|milliseconds)\b.*|time_.*|timestamp_.*", re.I
)
"""Names of columns that say when a row was measured."""
LEAST_CLIMB = 8  # rows; a column that rises from each row of every file to the next is a clock


class LogHeader(NamedTuple):
    """The columns of a log, which of them hold numbers, its length, and whether its first numbers always rise."""

    names: tuple[str, ...]
    has_names: bool
    numeric: tuple[int, ...]
    length: int
    climbs: bool


def read_log(path: Path) -> Table:
    """Return the table of a log.

    Raises
    ------
    FileProblem
        If it cannot be read as a table, or has no column of numbers.
    """
    try:
        table = read_table(path)
    except DataError as error:
        reason = str(error).removeprefix(f"{printable(path)}: ")
        raise FileProblem(reason.split(". ")[0].rstrip("."), foreign=True) from error
    if not table.places:
        raise FileProblem("it holds no column of numbers", foreign=True)
    return table


def scan_log(path: Path) -> LogHeader:
    """Return the columns and the length of a log, or raise FileProblem."""
    table = read_log(path)
    numeric = tuple(sorted(table.places))
    first = table.column(numeric[0]).astype(float)
    climbs = len(first) >= LEAST_CLIMB and bool((np.diff(first) > 0).all())
    return LogHeader(table.names, table.has_names, numeric, len(table), climbs)


@dataclass(frozen=True)
class LogReader:
    """Brings logs to the same channels and length.

    Parameters
    ----------
    columns : tuple of str
        Of the usual log; their numbers if it does not name them.
    has_names : bool
    kept : tuple of int
        Which of the columns are channels.
    length : int
        Longer logs are cut; shorter ones repeat their last values.
    """

    columns: tuple[str, ...]
    has_names: bool
    kept: tuple[int, ...]
    length: int
    dtype = np.dtype(np.float32)

    @classmethod
    def for_headers(
        cls, headers: Iterable[LogHeader], length: int | None = None, ignore: Sequence[str] = ()
    ) -> LogReader:
        """Return the reader for logs like these: the most common columns without the time, the longest length.

        Raises DataError if they have no other column than those to ``ignore``, UsageError if one is unknown.
        """
        known = list(headers) or [LogHeader(("0",), False, (0,), 1, False)]
        columns, has_names, numeric = Counter(header[:3] for header in known).most_common(1)[0][0]
        alike = [header for header in known if header[:3] == (columns, has_names, numeric)]
        clocks = {i for i in numeric if has_names and TIME.fullmatch(columns[i].strip())}
        if all(header.climbs for header in alike):
            clocks.add(numeric[0])
        kept = tuple(i for i in numeric if i not in clocks) or numeric
        ignored = {_place(name, columns) for name in ignore}
        if ignored.issuperset(kept):
            raise DataError(f"ignore: a column of numbers must be left; got {', '.join(ignore)}. Leave out fewer.")
        kept = tuple(i for i in kept if i not in ignored)
        return cls(columns, has_names, kept, length or max(header.length for header in alike))

    @classmethod
    def from_dict(cls, description: Mapping[str, Any], length: int) -> LogReader:
        """Return the reader that ``preparation`` described; raises ModelFileError for anything else."""
        try:
            columns, kept = tuple(map(str, description["columns"])), tuple(map(int, description["kept"]))
            if not kept or not set(kept) <= set(range(len(columns))):
                raise ValueError(kept)
        except (KeyError, TypeError, ValueError) as error:
            raise ModelFileError(
                f"series: the record of its columns is damaged ({error!r}). Train again."
            ) from None
        return cls(columns, bool(description.get("has_names")), kept, length)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of a sample, (C, L)."""
        return (len(self.kept), self.length)

    @property
    def preparation(self) -> dict[str, Any]:
        """The arguments, other than the shape, with which `read_unlabelled` makes inputs in the same way."""
        return {"series": {"columns": list(self.columns), "has_names": self.has_names, "kept": list(self.kept)}}

    @property
    def note(self) -> str:
        """A line that says which columns are channels, and which are left out."""
        shown = [name if self.has_names else f"column {int(name) + 1}" for name in self.columns]
        out = [name for i, name in enumerate(shown) if i not in self.kept]
        channels = f"channels: {', '.join(shown[i] for i in self.kept)}"
        return channels + (f"; left out: {', '.join(out)}" if out else "")

    @property
    def unit(self) -> Unit:
        """In what lengths are told: rows."""
        return Unit("rows", 1)

    def read(self, path: Path) -> np.ndarray:
        """Return a log (float32[C, L]), cut to its first rows or padded with its last; gaps are interpolated."""
        return self.fitted(self.whole(path))

    def whole(self, path: Path) -> np.ndarray:
        """Return all rows of a log (float64[C, N]); gaps are interpolated."""
        table = read_log(path)
        places = self._places(table)
        for place in places:
            if place not in table.places:
                raise FileProblem(f"column {table.names[place]} must hold numbers")
        return np.array([without_gaps(table.column(place).astype(float)) for place in places])

    def fitted(self, values: np.ndarray) -> np.ndarray:
        """Return rows (float32[C, L]) cut at their end, or continued by their last."""
        with np.errstate(over="ignore"):
            room = values[:, np.minimum(np.arange(self.length), values.shape[1] - 1)].astype(np.float32)
        if not np.isfinite(room).all():
            raise FileProblem("it holds values that are not finite in 32 bits")
        return room

    def _places(self, table: Table) -> list[int]:
        """Return the columns of a log that are the channels: by name if all logs have names, else by position."""
        if self.has_names and table.has_names:
            found = {i: table.find(self.columns[i]) for i in self.kept}
            missing = [self.columns[i] for i, place in found.items() if place is None]
            if missing:
                raise FileProblem(f"columns {', '.join(missing)} are missing; it has {', '.join(table.names[:8])}")
            return [place for place in found.values() if place is not None]
        if len(table.names) != len(self.columns):
            raise FileProblem(f"it has {len(table.names)} columns; the others have {len(self.columns)}")
        return list(self.kept)


def _place(name: str, columns: Sequence[str]) -> int:
    known = [column.strip().casefold() for column in columns]
    if name.strip().casefold() not in known:
        raise unknown_name("ignore: column", name, columns)
    return known.index(name.strip().casefold())
