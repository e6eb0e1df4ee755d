"""How a table becomes inputs: its columns, checked and in order; saved with the model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from striate.data.layout import make_inputs, without_gaps
from striate.data.problems import printable
from striate.data.tables.columns import Column, encoded, filled, unknown_categories
from striate.data.tables.dates import ORDERS
from striate.data.tables.table import Table
from striate.errors import DataError, ModelFileError


@dataclass(frozen=True)
class Schema:
    """How a table becomes inputs.

    Parameters
    ----------
    columns : tuple of Column
        Those that are inputs, in the order in which the model takes them.
    labels : tuple of str
        The columns of the labels.
    ignored : tuple of str
        Columns that are left out.
    named : bool
        Whether the columns have names; else they are known by their order.
    shape : tuple of int
        (C, *space) of a sample.
    """

    columns: tuple[Column, ...]
    labels: tuple[str, ...]
    ignored: tuple[str, ...]
    named: bool
    shape: tuple[int, ...] = field(default=())

    @property
    def features(self) -> list[str]:
        """The name of every input, in order."""
        return [name for column in self.columns for name in column.features]

    @property
    def is_series(self) -> bool:
        """Whether a row is a series of one channel."""
        length = len(self.columns)
        return (
            self.shape == (1, length) and length > 1 and self.features == [column.name for column in self.columns]
        )

    @property
    def symbols(self) -> int:
        """0: the inputs are numbers."""
        return 0

    @property
    def preparation(self) -> dict[str, Any]:
        """Return the description that is saved with a model."""
        return {"table": self.to_dict()}

    def inputs(self, table: Table, missing: str = "impute") -> np.ndarray:
        """Return the inputs of a table (uint8 or float32 [N, *shape]), its columns in any order.

        Raises
        ------
        DataError
            If the table lacks a column, has another one, or a cell cannot be used.
        """
        numbers = self.numbers(table, missing)
        return make_inputs(numbers, str(table.path), self.shape or None)

    def numbers(self, table: Table, missing: str = "impute") -> np.ndarray:
        """Return the inputs of a table without the shape of a sample ([N, F])."""
        places = self._places(table)
        if not any(column.categories for column in self.columns) and table.texts.keys().isdisjoint(places):
            numbers = np.asarray(table.numbers)[:, [table.places[place] for place in places]]
            if self.is_series and missing == "impute" and np.isnan(numbers).any():
                numbers = np.array([row if np.isnan(row).all() else without_gaps(row) for row in numbers])
            quick = numbers if numbers.dtype == np.uint8 else filled(numbers, self.columns, missing)
            if quick is not None:
                return quick
        pieces = [
            encoded(table, place, column, missing) for place, column in zip(places, self.columns, strict=True)
        ]
        return np.concatenate(pieces, axis=1)

    def check(self, table: Table, missing: str) -> None:
        """Read the columns one after the other; raises DataError if `inputs` would."""
        for place, column in zip(self._places(table), self.columns, strict=True):
            if table.numbers.dtype != np.uint8 or column.categories or place in table.texts:
                encoded(table, place, column, missing)

    def notes(self, table: Table) -> list[str]:
        """Return what to know about the cells of a table that the columns fit."""
        pairs = zip(self._places(table), self.columns, strict=True)
        return [note for place, column in pairs if (note := unknown_categories(table, place, column))]

    def to_dict(self) -> dict[str, Any]:
        """Return the schema in values that JSON can hold."""
        return asdict(self)

    @classmethod
    def from_dict(cls, description: Mapping[str, Any]) -> Schema:
        """Return the schema that ``to_dict`` described; raises ModelFileError for anything else."""
        try:
            columns = tuple(
                Column(str(item["name"]), tuple(map(str, item["categories"])), item["fill"], item.get("date"))
                for item in description["columns"]
            )
            label = description.get("label")  # of earlier versions, which knew one
            labels = description.get("labels", () if label is None else (label,))
            if not all(column.fill is None or isinstance(column.fill, int | float) for column in columns):
                raise TypeError("fill must be a number")
            if not all(
                column.date is None or (column.date in ORDERS and column.fill is not None) for column in columns
            ):
                raise TypeError("date must be an order of day, month and year")
            if not all(isinstance(label, str) for label in labels):
                raise TypeError("labels must be names")
            ignored, shape = tuple(map(str, description["ignored"])), tuple(map(int, description["shape"]))
            return cls(columns, tuple(labels), ignored, bool(description["named"]), shape)
        except (KeyError, TypeError, ValueError) as error:
            raise ModelFileError(f"table: the record of its columns is damaged ({error!r}). Train again.") from None

    def _places(self, table: Table) -> list[int]:
        """Return the number of the table's column for each of these, checked."""
        if not self.named:
            return self._places_by_order(table)
        where = printable(table.path)
        if not table.has_names:
            raise DataError(
                f"{where}: its first line must name the columns, as in the table the model was trained on "
                f"({_listed([column.name for column in self.columns])})."
            )
        found = {column.name: table.find(column.name) for column in self.columns}
        absent = [name for name, place in found.items() if place is None]
        if absent:
            raise DataError(
                f"{where}: must have the columns that the model was trained on; {_listed(absent)} "
                f"{'is' if len(absent) == 1 else 'are'} missing. Add or rename."
            )
        known = {name.casefold() for name in (*found, *self.ignored, *self.labels)}
        others = [name for name in table.names if name.casefold() not in known]
        if others:
            raise DataError(
                f"{where}: must have the columns that the model was trained on; got {_listed(others)} too. "
                f"Remove {'it' if len(others) == 1 else 'them'}."
            )
        return [place for place in found.values() if place is not None]

    def _places_by_order(self, table: Table) -> list[int]:
        """Return the places in a table whose columns have no names; the labels may be left out of it."""
        places, count = [int(column.name) for column in self.columns], len(table.names)
        if self.labels and count == len(places) + len(self.ignored):
            places = [place - sum(place > int(label) for label in self.labels) for place in places]
        elif count != len(places) + len(self.ignored) + len(self.labels):
            raise DataError(
                f"{printable(table.path)}: must have the {len(places)} columns that the model was trained on, with "
                f"or without the label; got {count}."
            )
        return places


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names[:5])) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
