"""Labelled series from files like those of the UCR archive, such as ``NAME_TRAIN.ts`` and ``NAME_TEST.ts``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from striate.data.dataset import Dataset
from striate.data.division import divide
from striate.data.encoding import text_of
from striate.data.layout import without_gaps
from striate.data.options import Options, Task
from striate.data.problems import printable, why
from striate.data.splits import SPLITS, Splits
from striate.data.tables.dialect import MISSING, is_number
from striate.data.tables.files import open_lines
from striate.data.targets import align_classes, describe_targets, make_targets
from striate.errors import DataError
from striate.wording import counted

SUFFIX = ".ts"
LARGEST = float(np.finfo(np.float32).max)
PAIRED = re.compile(r"(?P<name>.+)_(?P<split>TRAIN|TEST)(?P<suffix>\.ts|\.tsv|\.arff|\.csv|\.txt)", re.IGNORECASE)
"""How the files of these archives are called."""


@dataclass(frozen=True, eq=False)
class Series:
    """Series as read: each float64[C, L], with its own length, NaN where a value is missing.

    Parameters
    ----------
    values : list of float64[C, L]
    labels : str[N] or float64[N] or None
    task : {"classification", "regression"} or None
        What the file says its labels are.
    """

    values: list[np.ndarray]
    labels: np.ndarray | None
    task: Task | None

    @property
    def shape(self) -> tuple[int, int]:
        """The number of channels, and the length of the longest series."""
        return len(self.values[0]), max(one.shape[1] for one in self.values)

    def inputs(self, shape: tuple[int, ...]) -> np.ndarray:
        """Return the series as float32[N, *shape], cut at their end or continued by their last value.

        Missing values lie on the line between their neighbours.
        """
        channels, length = shape
        room = np.empty((len(self.values), channels, length), np.float32)
        for place, one in enumerate(self.values):
            for channel, values in enumerate(one):
                whole = without_gaps(values)
                room[place, channel, : len(whole)] = whole[:length]
                room[place, channel, len(whole) :] = whole[-1]
        return room


def paired_files(path: Path) -> dict[str, Path]:
    """Return the files for training and test that belong to ``NAME_TRAIN``, or lie in a folder; empty for others.

    Raises
    ------
    DataError
        If a folder holds several names.
    """
    folder = path if path.is_dir() else path.parent
    matches = [match for entry in sorted(folder.iterdir()) if (match := PAIRED.fullmatch(entry.name))]
    if path.is_dir():
        names = sorted({match["name"] for match in matches})
        if len(names) > 1:
            raise DataError(f"{printable(path)}: holds several data sets ({', '.join(names[:5])}). Give one file.")
        suffixes = sorted({match["suffix"].lower() for match in matches}, key=[SUFFIX, ".tsv"].__contains__)
        wanted = (names[0], SUFFIX if SUFFIX in suffixes else suffixes[-1]) if names else None
    else:
        own = PAIRED.fullmatch(path.name)
        wanted = (own["name"], own["suffix"].lower()) if own and own["split"].upper() == "TRAIN" else None
    found = {
        match["split"].lower(): folder / match.string
        for match in matches
        if (match["name"], match["suffix"].lower()) == wanted
    }
    return found if "train" in found else {}


def series_splits(paths: Mapping[str, Path], options: Options, seed: int, validation_fraction: float) -> Splits:
    """Return the splits of ``.ts`` files: "all", or "train" and "test".

    Raises
    ------
    DataError
        If a file cannot be read or used.
    """
    path = paths["train"] if "train" in paths else paths["all"]
    learn = read_ts(path)
    targets, classes = _targets(learn, path, options.task)
    later = [name for name in paths if name in ("validation", "test")]
    name = path.name.partition("_TRAIN")[0].removesuffix(SUFFIX)
    share, fold = options.test_fraction, options.fold
    split = divide(targets, None, later, share, validation_fraction, seed, name, classes, fold)
    shape = options.shape or learn.shape
    _check_channels(learn, shape[0], path)
    everything = Dataset(learn.inputs(shape), targets, classes, name, files=_names(path, targets))
    found = {
        SPLITS[number]: everything.take(np.flatnonzero(split == number)) for number in np.unique(split).tolist()
    }
    for other in later:
        found[other] = _later(paths[other], everything)
    notes = [describe_targets((), targets, classes, learn.task), *_lengths(learn)]
    return Splits(found["train"], found.get("validation"), found.get("test"), notes=tuple(notes))


def read_ts(path: Path) -> Series:
    """Return the series of a ``.ts`` file: values separated by commas, channels by colons, the label last.

    Raises
    ------
    DataError
        If the file cannot be read, has time stamps, rows differ in channels, or a value is not a number.
    """
    where = printable(path)
    with open_lines(path) as lines:
        numbered = ((number, text_of(line).strip()) for number, line in enumerate(lines, 1))
        header = _header(numbered, where)
        task: Task | None = None
        if header.get("classlabel", "false").split()[0].lower() == "true":
            task = "classification"
        elif header.get("targetlabel", "false").split()[0].lower() == "true":
            task = "regression"
        rows = [_row(line, number, where, task) for number, line in numbered if line and line[0] not in "#%"]
    if not rows:
        raise DataError(f"{where}: a data set needs at least one series; got none. Use another file.")
    channels = len(rows[0][0])
    for values, _, number in rows:
        if len(values) != channels:
            raise DataError(
                f"{where}: line {number}: {channels} channels expected; got {len(values)}. Fix or remove this line."
            )
    labels = np.array([label for _, label, _ in rows]) if task else None
    return Series([values for values, _, _ in rows], labels, task)


def _header(lines: Iterator[tuple[int, str]], where: str) -> dict[str, str]:
    """Return the entries before ``@data``, by lower-case key."""
    found: dict[str, str] = {}
    for number, line in lines:
        if not line or line[0] in "#%":
            continue
        if line[0] != "@":
            raise DataError(f"{where}: line {number}: lines such as @data come first; got {line[:20]!r}.")
        key, _, value = line[1:].partition(" ")
        if key.lower() == "data":
            if found.get("timestamps", "false").lower() == "true":
                raise DataError(f"{where}: series with time stamps are not read. Write their values alone.")
            return found
        found[key.lower()] = value.strip() or "false"
    raise DataError(f"{where}: a .ts file needs a line @data; got none. Copy the file again.")


def _row(line: str, number: int, where: str, task: Task | None) -> tuple[np.ndarray, str, int]:
    parts = line.split(":")
    label = parts.pop().strip() if task else ""
    try:
        channels = [np.array([_value(cell) for cell in part.split(",")]) for part in parts]
    except ValueError as error:
        raise DataError(f"{where}: line {number}: numbers expected ({why(error)}). Correct or remove it.") from None
    if not channels:
        raise DataError(f"{where}: line {number}: values, a colon and a label expected; got {line[:20]!r}.")
    room = np.full((len(channels), max(map(len, channels))), np.nan)
    for row, values in zip(room, channels, strict=True):
        row[: len(values)] = values
    return room, label, number


def _value(cell: str) -> float:
    cell = cell.strip()
    if cell.lower() in MISSING:
        return float("nan")
    if not is_number(cell) or not abs(float(cell)) <= LARGEST:
        raise ValueError(f"got {printable(cell)[:20]!r}")
    return float(cell)


def _targets(series: Series, path: Path, task: Task | None) -> tuple[np.ndarray, tuple[str, ...]]:
    if series.labels is None:
        raise DataError(f"{printable(path)}: the series have no labels (@classLabel false). Use another file.")
    labels = series.labels
    if all(is_number(label) for label in labels.tolist()):
        labels = labels.astype(np.float64)
    return make_targets(labels, str(path), task=task or series.task)


def _later(path: Path, train: Dataset) -> Dataset:
    """Return another file in the shape, and with the classes, of the training series."""
    series = read_ts(path)
    _check_channels(series, train.sample_shape[0], path)
    targets, classes = _targets(series, path, "classification" if train.classes else "regression")
    inputs = series.inputs(train.sample_shape)
    found = Dataset(inputs, targets, classes, train.name, files=_names(path, targets))
    return align_classes(found, train.classes, str(path)) if train.classes else found


def _check_channels(series: Series, wanted: int, path: Path) -> None:
    if series.shape[0] != wanted:
        raise DataError(
            f"{printable(path)}: series of {counted(wanted, 'channel')} expected, as in training; "
            f"got {series.shape[0]}. Use series like those."
        )


def _names(path: Path, targets: np.ndarray) -> np.ndarray:
    """Return what each series of a file is called, by its number from 1."""
    return np.array([f"{printable(path)}:{number}" for number in range(1, len(targets) + 1)])


def _lengths(series: Series) -> list[str]:
    lengths = [one.shape[1] for one in series.values]
    if min(lengths) == max(lengths):
        return []
    return [f"series of {min(lengths)} to {max(lengths)} values; shorter ones are continued by their last value"]
