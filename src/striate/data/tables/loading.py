"""Data sets from tables: which column is the label, which rows belong to which split."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from striate.data.dataset import Dataset
from striate.data.division import divide
from striate.data.options import Options, Task
from striate.data.problems import printable
from striate.data.splits import SPLITS, Splits
from striate.data.tables.fitting import fit_schema
from striate.data.tables.reading import Table, missing_text, read_table
from striate.data.tables.schema import Schema
from striate.data.targets import align_classes, describe_targets, make_targets
from striate.data.text import Vocabulary, split_words
from striate.errors import DataError, suggestion

LABEL_NAMES = ("label", "labels", "class", "target", "y")
ROW_NAMES = ("id", "imageid", "index", "row_id", "rowid", "rownames", "unnamed: 0", "uuid", "")
"""Names of columns that number the rows; they are left out."""
LEAST_WORDS = 2
"""On average, in a column of texts."""


@dataclass(frozen=True)
class Roles:
    """Columns by what they are for."""

    labels: tuple[int, ...]
    group: int | None
    ignored: tuple[int, ...]

    @property
    def no_inputs(self) -> tuple[int, ...]:
        """The columns that are neither inputs nor labels."""
        return self.ignored if self.group is None else tuple(sorted({*self.ignored, self.group}))


def csv_dataset(
    path: str | Path,
    label: str | None = None,
    shape: tuple[int, ...] | None = None,
    group: str | None = None,
) -> Dataset:
    """Return the data set of a CSV file with a column of labels.

    Columns of numbers are inputs as they are; of text, one input for each category. Missing numbers become the
    median of their column.

    Parameters
    ----------
    path : path
    label : str, optional
        The name of the column, or its number from 0; several with commas between. By default the column called
        label, class, target or y; in a table without names the only one of text, or the first.
    shape : (channels, *space), optional
        What the numbers of a row stand for; see `make_inputs` for the default.
    group : str, optional
        A column; samples with the same value stay together in a split.

    Raises
    ------
    DataError
        If the file cannot be read or used; see `read_table`.
    """
    options = Options(label=label, shape=shape, group=group, test_fraction=0)
    return table_splits({"all": Path(path)}, options, 0, 0).train


def table_splits(paths: Mapping[str, Path], options: Options, seed: int, validation_fraction: float) -> Splits:
    """Return the splits of one table ("all"), or of one for each split ("train", "validation", "test").

    What the columns mean is learnt from the training rows alone. A later table without labels is left out.

    Raises
    ------
    DataError
        If a file cannot be read or used.
    """
    learn = read_table(paths["train"] if "train" in paths else paths["all"])
    roles = _roles(learn, options)
    learn, notes = _labelled(learn, roles)
    targets, classes, names = _targets(learn, roles, options.task)
    notes.append(describe_targets(names, targets, classes, options.task))
    groups = None if roles.group is None else np.unique(learn.column(roles.group), return_inverse=True)[1]
    later = _later_tables(paths, names)
    share, name = options.test_fraction, learn.path.name
    part = divide(targets, groups, later, share, validation_fraction, seed, name, classes, options.fold)
    encoder, more = _encoder(learn, roles, part == 0, options)
    inputs = encoder.inputs(learn, options.missing)
    everything = Dataset(
        inputs,
        targets,
        classes,
        learn.path.stem,
        groups,
        symbols=encoder.symbols,
        target_names=() if classes else names,
    )
    splits: dict[str, Any] = {
        name: everything.take(np.flatnonzero(part == number))
        for number, name in enumerate(SPLITS)
        if (part == number).any()
    }
    splits |= {name: _later(table, names, encoder, everything, options) for name, table in later.items()}
    return Splits(**splits, preparation=encoder.preparation, notes=tuple(notes + more))


class Encoder(Protocol):
    """Makes inputs of a table."""

    @property
    def symbols(self) -> int:
        """How many symbols the inputs have; 0 for numbers."""

    @property
    def preparation(self) -> dict[str, Any]:
        """What is kept with a model."""

    def inputs(self, table: Table, missing: str) -> np.ndarray:
        """Return the inputs of every row."""


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


def texts_of(table: Table, column: str | None) -> list[str]:
    """Return the texts of a table: those of ``column``, by default of the only column that is no number.

    Raises
    ------
    DataError
        If there is no such column.
    """
    place = table.find(column) if column is not None else None
    if place is None and len(table.texts) == 1:
        place = next(iter(table.texts))
    if place is None or place not in table.texts:
        raise DataError(f"{printable(table.path)}: a column of texts is needed, {column or 'text'!r}; got none.")
    return [str(cell) for cell in table.texts[place]]


def _encoder(learn: Table, roles: Roles, rows: np.ndarray, options: Options) -> tuple[Encoder, list[str]]:
    """Return what makes inputs of the columns: that of a model, or one learnt from the training rows."""
    known = options.preparation.get("text")
    if known is not None:
        return TextColumn(str(known.get("column")), Vocabulary.from_dict(known)), []
    column = None if "table" in options.preparation else _only_texts(learn, roles)
    if column is None:
        return _schema(learn, roles, rows, options)
    length = options.size[0] if options.size else None
    vocabulary = Vocabulary.fit(texts_of(learn.take(rows), learn.names[column]), length)
    note = f"column {learn.names[column]!r}: texts, of which {len(vocabulary.words):,} words are known"
    return TextColumn(learn.names[column], vocabulary), [note]


def _only_texts(table: Table, roles: Roles) -> int | None:
    """Return the column of texts, if no other column is an input."""
    inputs = [i for i in range(len(table.names)) if i not in roles.labels and i not in roles.no_inputs]
    if len(inputs) != 1 or inputs[0] not in table.texts:
        return None
    cells = table.texts[inputs[0]]
    words = sum(len(split_words(cell)) for cell in cells) / len(cells)
    return inputs[0] if words >= LEAST_WORDS and len(np.unique(cells)) > len(cells) / 2 else None


def _schema(learn: Table, roles: Roles, rows: np.ndarray, options: Options) -> tuple[Schema, list[str]]:
    """Return the schema that a model brings along, or that of the training rows."""
    known = options.preparation.get("table")
    if known is not None:
        return Schema.from_dict(known), []
    notes = [f"left out: {', '.join(repr(learn.names[i]) for i in roles.ignored)}"] if roles.ignored else []
    schema, more = fit_schema(learn, roles.labels, roles.no_inputs, rows, options.shape)
    return schema, notes + more


def label_places(table: Table, options: Options) -> tuple[int, ...]:
    """Return the columns to predict: those asked for, those the model knows, or one with a usual name."""
    known = options.preparation.get("table")
    if options.label is not None:
        return _find_labels(options.label, table)
    if known is not None:
        return tuple(place for place in map(table.find, Schema.from_dict(known).labels) if place is not None)
    return _usual_label(table)


def _roles(table: Table, options: Options) -> Roles:
    labels = label_places(table, options)
    group = None if options.group is None else _find(options.group, table)
    ignored = {_find(name, table) for name in options.ignore}
    if table.has_names:
        ignored |= {i for i, name in enumerate(table.names) if name.lower() in ROW_NAMES and i not in labels}
    return Roles(labels, group, tuple(sorted(ignored - {group})))


def _find_labels(text: str, table: Table) -> tuple[int, ...]:
    """Return the column of that name, or those whose names stand between commas."""
    place = table.find(text)
    if place is not None or "," not in text:
        return (_find(text, table) if place is None else place,)
    return tuple(dict.fromkeys(_find(name.strip(), table) for name in text.split(",")))


def _usual_label(table: Table) -> tuple[int, ...]:
    if not table.has_names:
        return (next(iter(table.texts)) if len(table.texts) == 1 else 0,)
    places = [place for place in map(table.find, LABEL_NAMES) if place is not None]
    return tuple(places[:1])


def _find(name: str, table: Table) -> int:
    place = table.find(name)
    if place is None:
        known = ", ".join(table.names[:8]) + (", ..." if len(table.names) > 8 else "")
        fix = suggestion(name, table.names).replace("did", "Did", 1) or "Use one of these."
        raise DataError(f"{printable(table.path)}: no column {name!r}; the columns are {known}. {fix}")
    return place


def _targets(table: Table, roles: Roles, task: Task | None) -> tuple[np.ndarray, tuple[str, ...], tuple[str, ...]]:
    """Return targets, classes, and the names of the columns that they come from."""
    names = tuple(table.names[place] for place in roles.labels)
    columns = [label_column(table, place) for place in roles.labels]
    if len(columns) == 1:
        return *make_targets(columns[0], str(table.path), task=task), names
    for name, column in zip(names, columns, strict=True):
        if column.dtype.kind == "U":
            raise DataError(
                f"{printable(table.path)}: several labels must be numbers, or 0 and 1; column {name!r} holds "
                f"{str(column[0])!r}. Choose one column, or write numbers."
            )
    return *make_targets(np.stack(columns, axis=1), str(table.path), names, task), names


def label_column(table: Table, place: int) -> np.ndarray:
    """Return the cells of a column of labels, str[N] or float64[N]."""
    labels = table.column(place)
    return labels if labels.dtype.kind in "US" else labels.astype(np.float64)


def _labelled(table: Table, roles: Roles) -> tuple[Table, list[str]]:
    """Return the rows that have every label, and what to say of the others."""
    if not roles.labels:
        known = ", ".join(table.names[:8]) + (", ..." if len(table.names) > 8 else "")
        raise DataError(
            f"{printable(table.path)}: no column with labels ({', '.join(LABEL_NAMES)}); the columns are {known}. "
            "Name the one to predict (--label)."
        )
    absent = np.zeros(len(table), bool)
    for place in roles.labels:
        labels = label_column(table, place)
        absent |= missing_text(labels) if labels.dtype.kind == "U" else np.isnan(labels)
    if not absent.any():
        return table, []
    if absent.all():
        names = ", ".join(repr(table.names[place]) for place in roles.labels)
        raise DataError(f"{printable(table.path)}: no row has a label in column {names}.")
    return table.take(~absent), [f"{int(absent.sum()):,} rows without a label; left out"]


def _later_tables(paths: Mapping[str, Path], labels: tuple[str, ...]) -> dict[str, Table]:
    """Return the tables for validation and test that have labels."""
    tables = {name: read_table(path) for name, path in paths.items() if name not in ("train", "all")}
    return {
        name: table
        for name, table in tables.items()
        if not table.has_names or all(table.find(label) is not None for label in labels)
    }


def _later(table: Table, labels: tuple[str, ...], encoder: Encoder, train: Dataset, options: Options) -> Dataset:
    """Return the data set of a further table, read as the training table was."""
    places = tuple(_find(label, table) if table.has_names else int(label) for label in labels)
    roles = Roles(places, None, ())
    table, _ = _labelled(table, roles)
    task: Task = "classification" if train.classes else "regression"
    targets, classes, _ = _targets(table, roles, task)
    inputs = encoder.inputs(table, options.missing)
    found = Dataset(
        inputs, targets, classes, table.path.stem, symbols=encoder.symbols, target_names=train.target_names
    )
    return align_classes(found, train.classes, str(table.path)) if train.classes else found


def inputs_without_schema(table: Table, count: int) -> np.ndarray:
    """Return the columns of numbers but labels and row numbers ([N, D]), for a model trained on something else.

    Without names, a column more than the ``count`` inputs is a label in front of them.
    """
    skipped = {*LABEL_NAMES, *ROW_NAMES} if table.has_names else set()
    kept = [place for number, place in table.places.items() if table.names[number].lower() not in skipped]
    numbers = table.numbers[:, kept]
    return numbers[:, 1:] if numbers.shape[1] == count + 1 else numbers
