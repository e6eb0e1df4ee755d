"""The dialect of a table: separator, decimal mark, comment lines, and whether its first line names the columns."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from striate.data.encoding import text_of
from striate.data.problems import printable

DELIMITERS = ("\t", ";", "|", ",")
"""Where several fit, the first: a comma may be a decimal mark beside the others."""
COMMENT = "#"
SNIFFED_ROWS = 50
DECIMAL_COMMA = re.compile(r"\s*[+-]?\d*,\d+\s*")
MISSING = frozenset({"", "na", "n/a", "#n/a", "nan", "null", "none", "?", "-", "."})

csv.field_size_limit(1 << 24)


@dataclass(frozen=True)
class Dialect:
    """How the lines of a table become cells.

    Parameters
    ----------
    delimiter : str
        " " stands for blanks and tabs of any number.
    names : tuple of str
        Of the columns; their numbers, from 0, where the table has none.
    has_names : bool
    first_line : int
        Where the first sample begins, from 1.
    decimal_comma : bool
    """

    delimiter: str
    names: tuple[str, ...]
    has_names: bool
    first_line: int
    decimal_comma: bool = False

    def rows(self, lines: Iterable[bytes]) -> Iterator[tuple[int, list[str]]]:
        """Yield the number of the last line and the cells of each row, without comment lines and blank rows."""
        return _rows(lines, self.delimiter)

    def number(self, cell: str) -> float | None:
        """Return the number in a cell, NaN for a missing value, or None for other text."""
        cell = cell.strip()
        if cell.lower() in MISSING:
            return float("nan")
        if self.decimal_comma:
            cell = cell.replace(",", ".")
        return float(cell) if is_number(cell) else None


def sniff(lines: Iterable[bytes]) -> Dialect | None:
    """Return the dialect of a table, from its first lines; None for a table without rows."""
    start = list(islice(lines, 4 * SNIFFED_ROWS))
    delimiter = _delimiter(start)
    rows = list(islice(_rows(start, delimiter), SNIFFED_ROWS))
    if not rows:
        return None
    line, first = rows[0]
    comma = delimiter != "," and any(DECIMAL_COMMA.fullmatch(cell) for _, row in rows[1:] for cell in row)
    has_names = _names_columns(first, rows[1][1] if len(rows) > 1 else [])
    names = _unique([printable(cell.strip()) for cell in first]) if has_names else list(map(str, range(len(first))))
    return Dialect(delimiter, tuple(names), has_names, line + 1 if has_names else 1, comma)


def is_number(cell: str) -> bool:
    """Return whether a cell holds a number as other programs write it: ASCII digits without underscores."""
    try:
        float(cell)
    except ValueError:
        return False
    return cell.isascii() and "_" not in cell


def _rows(lines: Iterable[bytes], delimiter: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(_uncommented(lines, squeeze=delimiter == " "), delimiter=delimiter, skipinitialspace=True)
    for row in reader:
        if any(cell.strip() for cell in row):
            yield reader.line_num, row


def _uncommented(lines: Iterable[bytes], squeeze: bool) -> Iterator[str]:
    """Yield lines as text; a comment becomes a blank line, so that lines are still counted."""
    for line in lines:
        text = text_of(line).rstrip("\r\n").replace("\r", " ") + "\n"
        if text.startswith(COMMENT):
            yield "\n"
        else:
            yield " ".join(text.split()) + "\n" if squeeze else _without_returns(text)


def _without_returns(text: str) -> str:
    """Return a line without carriage returns except at its end: the csv module reads others as the end of a row."""
    return text[:-2].replace("\r", " ") + text[-2:].replace("\r", "") if "\r" in text else text


def _delimiter(lines: list[bytes]) -> str:
    found = {mark: [len(row) for _, row in islice(_rows(lines, mark), SNIFFED_ROWS)] for mark in (*DELIMITERS, " ")}
    for mark, widths in found.items():
        if widths and min(widths) == max(widths) > 1:
            return mark
    first = {mark: widths[0] for mark, widths in found.items() if widths and mark != " "}
    return max(first, key=lambda mark: first[mark], default=",") if max(first.values(), default=0) > 1 else ","


def _names_columns(first: Sequence[str], second: Sequence[str]) -> bool:
    """Return whether a first row holds names: no cell is a number, or some cell that is not stands above one."""
    numbers = [is_number(cell) for cell in first]
    if not any(numbers):
        return True
    below = [is_number(cell) or cell.strip().lower() in MISSING for cell in second]
    return any(under and not above for above, under in zip(numbers, below, strict=False))


def _unique(names: list[str]) -> list[str]:
    seen: dict[str, int] = {}
    unique = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        unique.append(name if seen[name] == 1 else f"{name}.{seen[name] - 1}")
    return unique
