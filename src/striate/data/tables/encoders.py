"""Turning tables into inputs: by a schema of the columns, or by the vocabulary of a column of texts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from striate.data.options import Options
from striate.data.problems import printable
from striate.data.tables.fitting import fit_schema
from striate.data.tables.roles import Roles
from striate.data.tables.schema import Schema
from striate.data.tables.table import Table
from striate.data.text import Vocabulary, split_words
from striate.errors import DataError

LEAST_WORDS = 2
"""On average, in a column of texts."""
SENTENCE = 6
"""Words, on average, of texts that seem worth reading although there are other columns."""
MOST_IGNORED = 6
"""Columns of a table for which ignoring all but one is worth proposing."""


class Encoder(Protocol):
    """Turns tables into inputs."""

    @property
    def symbols(self) -> int:
        """How many symbols the inputs have; 0 for numbers."""

    @property
    def preparation(self) -> dict[str, Any]:
        """Return the description that is saved with a model."""

    def inputs(self, table: Table, missing: str) -> np.ndarray:
        """Return the inputs of every row."""

    def notes(self, table: Table) -> list[str]:
        """Return what to know about the cells of a later table."""

    def check(self, table: Table, missing: str) -> None:
        """Raise DataError if a table whose numbers are in a file has cells that cannot be used."""


@dataclass(frozen=True)
class TextColumn:
    """Reads a column of texts."""

    column: str
    vocabulary: Vocabulary

    @property
    def symbols(self) -> int:
        """How many symbols there are."""
        return self.vocabulary.symbols

    @property
    def preparation(self) -> dict[str, Any]:
        """The words, and the column they are read from."""
        return {"text": {**self.vocabulary.to_dict(), "column": self.column}}

    def inputs(self, table: Table, missing: str) -> np.ndarray:
        """Return the symbols of every row, float32[N, 1, length]."""
        return self.vocabulary.encode(texts_of(table, self.column))

    def notes(self, table: Table) -> list[str]:
        """Return nothing: unknown words are usual."""
        return []

    def check(self, table: Table, missing: str) -> None:
        """Raise DataError if the table has no such column."""
        texts_of(table, self.column)


def texts_of(table: Table, column: str | None) -> list[str]:
    """Return the texts of a table: those of ``column``, by default of the only column that is not a number.

    Raises
    ------
    DataError
        If there is no such column.
    """
    place = table.find(column or "text")
    if place is None and len(table.texts) == 1:
        place = next(iter(table.texts))
    if place is None or place not in table.texts:
        known = ", ".join(map(repr, table.names[:8]))
        raise DataError(
            f"{printable(table.path)}: a column of texts is needed, {column or 'text'!r}; got {known}. "
            "Rename the column of texts."
        )
    return [str(cell) for cell in table.texts[place]]


def encoder_for(learn: Table, roles: Roles, rows: np.ndarray, options: Options) -> tuple[Encoder, list[str]]:
    """Return the encoder of the columns: that of a model, or one learnt from the training rows."""
    known = options.preparation.get("text")
    if known is not None:
        return TextColumn(str(known.get("column")), Vocabulary.from_dict(known)), []
    column = None if "table" in options.preparation else _only_texts(learn, roles)
    if column is None:
        return _schema(learn, roles, rows, options)
    vocabulary = Vocabulary.fit(texts_of(learn.take(rows), learn.names[column]), options.length("texts"))
    note = f"column {learn.names[column]!r}: texts; {len(vocabulary.words):,} words occur in at least two of them"
    return TextColumn(learn.names[column], vocabulary), [note]


def _only_texts(table: Table, roles: Roles) -> int | None:
    """Return the column of texts, if no other column is an input."""
    inputs = _inputs(table, roles)
    return inputs[0] if len(inputs) == 1 and _holds_texts(table, inputs[0], LEAST_WORDS) else None


def _inputs(table: Table, roles: Roles) -> list[int]:
    return [i for i in range(len(table.names)) if i not in roles.labels and i not in roles.no_inputs]


def _holds_texts(table: Table, number: int, words: int) -> bool:
    """Return whether a column holds texts, most of them different, of at least so many words on average."""
    cells = table.texts.get(number)
    if cells is None or len(np.unique(cells)) <= len(cells) / 2:
        return False
    return sum(len(split_words(cell)) for cell in cells) >= words * len(cells)


def _texts_beside(table: Table, roles: Roles) -> list[str]:
    """Return what to do about columns of texts that are not read because there are others."""
    inputs = _inputs(table, roles)
    texts = [i for i in inputs if _holds_texts(table, i, SENTENCE)]
    return [
        f"column {table.names[i]!r} seems to hold sentences; their words are only read if it is the only input "
        f"({' '.join(f'--ignore {table.names[other]!r}' for other in inputs if other != i)})"
        for i in texts[: len(inputs) <= MOST_IGNORED]
    ]


def _schema(learn: Table, roles: Roles, rows: np.ndarray, options: Options) -> tuple[Schema, list[str]]:
    """Return the schema of a model, or one learnt from the training rows."""
    known = options.preparation.get("table")
    if known is not None:
        return Schema.from_dict(known), []
    notes = [f"left out: {', '.join(repr(learn.names[i]) for i in roles.ignored)}"] if roles.ignored else []
    schema, more = fit_schema(learn, roles.labels, roles.no_inputs, rows, options.shape)
    return schema, notes + more + _texts_beside(learn, roles)
