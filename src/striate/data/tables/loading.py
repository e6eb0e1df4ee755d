"""Data sets from tables: which rows belong to which split; later tables are read as the first was."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from striate.data.dataset import Dataset
from striate.data.division import divide
from striate.data.options import Options, Task
from striate.data.splits import SPLITS, Splits
from striate.data.tables.encoders import Encoder, encoder_for
from striate.data.tables.labels import labelled, targets_of
from striate.data.tables.reading import read_header, read_table
from striate.data.tables.roles import Roles, check_names, find_column, roles_of
from striate.data.tables.stream import inputs_of
from striate.data.tables.table import Table
from striate.data.targets import align_classes, describe_targets

MOST_NAMED = 100_000
"""Rows of a table up to which each has a name."""


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
    path = paths["train"] if "train" in paths else paths["all"]
    check_names(read_header(path), options)
    learn = read_table(path, options.read)
    roles = roles_of(learn, options)
    whole = learn
    learn, notes = labelled(whole, roles)
    targets, classes, names = targets_of(learn, roles, options.task)
    notes.append(describe_targets(names if learn.has_names else (), targets, classes, options.task))
    groups = None if roles.group is None else np.unique(learn.column(roles.group), return_inverse=True)[1]
    later = _later_tables(paths, names, options.read)
    share, name = options.test_fraction, learn.path.name
    split = divide(targets, groups, later, share, validation_fraction, seed, name, classes, options.fold)
    encoder, more = encoder_for(learn, roles, split == 0, options)
    inputs = inputs_of(learn, encoder, options.missing)
    everything = Dataset(
        inputs,
        targets,
        classes,
        learn.path.stem,
        groups,
        _row_names(whole, learn),
        symbols=encoder.symbols,
        target_names=() if classes else names,
    )
    splits: dict[str, Any] = {
        name: everything.take(np.flatnonzero(split == number))
        for number, name in enumerate(SPLITS)
        if (split == number).any()
    }
    splits |= {name: _later(table, names, encoder, everything, options) for name, table in later.items()}
    for table in (learn, *later.values()) if options.preparation else later.values():
        more += encoder.notes(table)
    preparation = encoder.preparation | ({} if "table" in encoder.preparation else {"labels": list(names)})
    return Splits(**splits, preparation=preparation, notes=tuple(notes + more))


def _row_names(whole: Table, part: Table) -> np.ndarray | None:
    """Return the names of those rows of a table that are in ``part`` of it; None for large tables."""
    return None if len(whole) > MOST_NAMED else whole.row_names(np.searchsorted(whole.lines, part.lines))


def _later_tables(paths: Mapping[str, Path], labels: tuple[str, ...], read: str) -> dict[str, Table]:
    """Return the tables for validation and test that have labels."""
    tables = {name: read_table(path, read) for name, path in paths.items() if name not in ("train", "all")}
    return {
        name: table
        for name, table in tables.items()
        if not table.has_names or all(table.find(label) is not None for label in labels)
    }


def _later(table: Table, labels: tuple[str, ...], encoder: Encoder, train: Dataset, options: Options) -> Dataset:
    """Return the data set of another table, read as the training table was."""
    places = tuple(find_column(label, table) if table.has_names else int(label) for label in labels)
    roles = Roles(places, None, ())
    whole = table
    table, _ = labelled(whole, roles)
    task: Task = "classification" if train.classes else "regression"
    targets, classes, _ = targets_of(table, roles, task)
    inputs = inputs_of(table, encoder, options.missing)
    found = Dataset(
        inputs,
        targets,
        classes,
        table.path.stem,
        files=_row_names(whole, table),
        symbols=encoder.symbols,
        target_names=train.target_names,
    )
    return align_classes(found, train.classes, str(table.path)) if train.classes else found
