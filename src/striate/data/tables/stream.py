"""The inputs of a table that does not fit into memory, made of its rows when they are read."""

from __future__ import annotations

import numpy as np

from striate.data.streaming.stream import Stream
from striate.data.tables.encoders import Encoder
from striate.data.tables.table import Table


class TableStream(Stream):
    """The inputs of every row of a table.

    Parameters
    ----------
    table : Table
    encoder : Encoder
        Makes inputs of rows.
    missing : {"impute", "refuse"}

    Raises
    ------
    DataError
        If a cell of the table cannot be used.
    """

    def __init__(self, table: Table, encoder: Encoder, missing: str) -> None:
        encoder.check(table, missing)
        self.table, self.encoder, self.missing = table.take(np.arange(len(table))), encoder, missing
        first = self.read(np.arange(1))
        super().__init__(len(table), first.shape[1:], first.dtype)

    def read(self, rows: np.ndarray) -> np.ndarray:
        """Return the inputs of the rows ``rows``."""
        return self.encoder.inputs(self.table.read(rows), self.missing)


def inputs_of(table: Table, encoder: Encoder, missing: str) -> np.ndarray | TableStream:
    """Return the inputs of every row: in memory if the table is, else as a stream.

    Raises
    ------
    DataError
        If a cell of the table cannot be used.
    """
    return TableStream(table, encoder, missing) if table.is_streamed else encoder.inputs(table, missing)
