"""Tables that do not fit into memory, parsed once: numbers, lines and texts in a file of the cache."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from striate.data.streaming.cache import entry_path, is_intact, make_room, publish, read_notes
from striate.data.streaming.choice import is_streamed
from striate.data.streaming.spool import Spool
from striate.data.streaming.stored import MADE_AGAIN, Stored
from striate.data.tables.dialect import Dialect
from striate.data.tables.stored import StoredNumbers
from striate.data.tables.table import Table, table_of
from striate.errors import DataError

FORMAT = 1
TYPES: dict[str, np.dtype[Any]] = {name: np.dtype(name) for name in ("uint8", "int32", "float64")}


def cached_table(path: Path, version: str, dialect: Dialect, read: str) -> Table | None:
    """Return a table that an earlier run parsed; None if it is missing, damaged, or fits into memory."""
    data = _entry(path, version)
    try:
        notes = read_notes(data)
        rows, columns, dtype = int(notes["rows"]), int(notes["columns"]), TYPES[notes["dtype"]]
        values = {int(number): np.array(cells, str) for number, cells in notes["texts"].items()}
        numbers = StoredNumbers(Stored(data, 0, (rows, columns), dtype, remedy=MADE_AGAIN))
        size = numbers.nbytes + rows * (8 + 4 * len(values))
        if not is_streamed(read, numbers.nbytes) or not is_intact(numbers, size, notes):
            return None
        lines = numbers.part(numbers.nbytes, rows, np.int64)
        starts = range(numbers.nbytes + lines.nbytes, size, 4 * rows)
        texts = {
            number: cells[numbers.part(start, rows, np.int32)]
            for start, (number, cells) in zip(starts, values.items(), strict=True)
        }
    except (OSError, DataError, ValueError, LookupError, TypeError, AttributeError):
        return None
    return table_of(path, dialect, numbers, texts, lines)


def keep(table: Table, version: str) -> None:
    """Move the temporary file of a table's numbers into the cache, completed by its lines and texts.

    Without room for them the file stays a temporary one.
    """
    numbers = table.numbers
    spool = numbers.stored.owner if isinstance(numbers, StoredNumbers) else None
    if not isinstance(numbers, StoredNumbers) or not isinstance(spool, Spool):
        return
    notes: dict[str, Any] = {"rows": len(numbers), "columns": numbers.shape[1], "dtype": str(numbers.dtype)}
    notes["texts"] = {}
    data = _entry(table.path, version)
    with suppress(DataError, OSError):
        spool.write(np.ascontiguousarray(table.lines, np.int64))
        for number, cells in table.texts.items():
            values, codes = np.unique(cells, return_inverse=True)
            spool.write(codes.astype(np.int32))
            notes["texts"][number] = values.tolist()
        make_room(data, numbers.file_bytes)
        publish(numbers, data, table.path, notes)


def _entry(path: Path, version: str) -> Path:
    return entry_path(path, f"table {FORMAT} {version}".encode())
