"""What the numbers of a row of a table are, for programs that give them one by one."""

from __future__ import annotations

import math

from striate.data.tables import Schema
from striate.data.tables.columns import Column
from striate.model import Model
from striate.wording import plain


def columns_of(model: Model) -> tuple[Column, ...]:
    """Return the columns that a model of tables reads, in order; none of other models, such as rows of pixels."""
    table = (model.metadata.get("preparation") or {}).get("table")
    return tuple(Schema.from_dict(table).columns) if table and math.prod(model.input_shape[1:]) == 1 else ()


def input_names(model: Model) -> list[str]:
    """Return the names of the inputs of a model of tables, such as ``age`` or ``town=Bern``; none of others."""
    return [name for column in columns_of(model) for name in column.features]


def input_lines(model: Model) -> list[str]:
    """Return a line for each input of a model of tables: its number, its name, and what it is."""
    meanings = [(name, _meaning(column)) for column in columns_of(model) for name in column.features]
    return [f"x[{number}]  {name}: {meaning}" for number, (name, meaning) in enumerate(meanings)]


def _meaning(column: Column) -> str:
    if column.categories:
        return "1 if so, else 0"
    kind = "a number" if column.date is None else "a date, in days since 1970"
    return kind if column.fill is None else f"{kind}; {plain(column.fill, 6)} where it is missing"
