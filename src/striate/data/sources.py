"""Data sets from a path: what kind of source it is, and its splits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from striate.data.arrays import array_splits
from striate.data.cifar import cifar10, holds_cifar10
from striate.data.dataset import Dataset
from striate.data.folders import class_folders
from striate.data.folds import hold_out
from striate.data.layout import describe_channels
from striate.data.listed import listed_splits
from striate.data.masks import mask_folders, mask_parts
from striate.data.mnist import read_idx_folder
from striate.data.options import TEST_SEED, Options
from striate.data.problems import BadFile, printable
from striate.data.series import SUFFIX as SERIES_SUFFIX
from striate.data.series import paired_files, series_splits
from striate.data.splits import Splits, split_validation, with_validation
from striate.data.streaming import describe_streams
from striate.data.tables import TABLE_SUFFIXES, table_splits
from striate.data.tables.files import is_table
from striate.data.walk import SPLIT_NAMES
from striate.errors import DataError
from striate.settings.signature import takes


@takes(Options)
def load_path(
    path: str | Path,
    options: Options | None = None,
    seed: int = 0,
    validation_fraction: float = 0.1,
    **settings: Any,
) -> Splits:
    """Return the splits of a folder or file.

    Settings such as ``size`` or ``label`` are given by name, on top of ``options``; see `Options`.

    =====================================================  ========================================
    path                                                   read as
    =====================================================  ========================================
    table with a column ``file``                           the files that it lists, see `listed_splits`
    ``.csv``, ``.tsv``, ``.arff``                          a table, see `csv_dataset`
    ``.ts``, ``NAME_TRAIN.*`` (with ``NAME_TEST.*``)       series, see `series_splits`
    ``.npz``                                               arrays, see `array_splits`
    folder with ``train-images-idx3-ubyte`` and the like   IDX, see `read_idx_folder`
    folder with ``train.csv`` (``val.csv``, ``test.csv``)  tables; a test table without labels is left
    folder with ``x_train.npy`` and the like               arrays
    folder with ``test_batch.bin``                         CIFAR-10
    folder with nothing but one ``.npz`` or ``.csv``       that file
    folder with ``images`` and ``masks``                   segmentation, see `mask_parts`
    any other folder                                       a folder of images, recordings, logs or texts per class
    =====================================================  ========================================

    Raises
    ------
    DataError
        If the path is missing or of no known kind, or its content cannot be used.
    UsageError
        If a setting is not known, or its value cannot mean anything.

    Examples
    --------
    >>> load_path("photographs/", size=(64, 64), test_fraction=0.25)  # doctest: +SKIP
    >>> load_path("customers.csv", label="status", ignore=["name"])  # doctest: +SKIP
    """
    options = Options.of(options, settings)
    splits = _load(Path(path), options, seed, validation_fraction)
    inputs = [split.inputs for split in (splits.train, splits.validation, splits.test) if split is not None]
    layout = describe_channels(splits.train.sample_shape) if options.shape is None else ()
    return replace(splits, notes=(*splits.notes, *layout, *describe_streams(inputs, options.read)))


def _load(path: Path, options: Options, seed: int, validation_fraction: float) -> Splits:
    if path.is_dir():
        return _load_folder(path, options, seed, validation_fraction)
    if not path.is_file():
        raise DataError(f"{printable(path)}: no such file or folder. Check the path.")
    if is_table(path):
        listed = listed_splits(path, options, seed, validation_fraction)
        if listed is not None:
            return listed
    if is_table(path) or path.suffix.lower() == SERIES_SUFFIX:
        return _of_tables(paired_files(path) or {"all": path}, options, seed, validation_fraction)
    return _finish(_file_parts(path, options), options, seed, validation_fraction)


def _load_folder(folder: Path, options: Options, seed: int, validation_fraction: float) -> Splits:
    names = [entry.name for entry in folder.iterdir() if not entry.name.startswith(".")]
    if any("images-idx3-ubyte" in name or "images.idx3-ubyte" in name for name in names):
        read = partial(read_idx_folder, folder, None, printable(folder.name))
        return with_fold(read, options, seed, validation_fraction)
    if holds_cifar10(folder):
        return with_fold(partial(cifar10, folder), options, seed, validation_fraction)
    tables = _tables(folder, names) or paired_files(folder)
    if "train" in tables:
        return _of_tables(tables, options, seed, validation_fraction)
    parts, bad = _folder_parts(folder, names, options)
    if parts:
        return replace(_finish(parts, options, seed, validation_fraction), bad_files=bad)
    if len(names) == 1 and names[0].endswith((".npz", *TABLE_SUFFIXES)):
        return load_path(folder / names[0], options, seed, validation_fraction)
    return class_folders(folder, options, seed, validation_fraction)


def _folder_parts(
    folder: Path, names: list[str], options: Options
) -> tuple[dict[str, Dataset], tuple[BadFile, ...]]:
    """Return the data sets of a folder of arrays, or of images with masks, and the files left out."""
    if any(name.lower().endswith(".npy") for name in names):
        return array_splits(folder, options.shape, options.task, options.read), ()
    return mask_parts(folder, options) if mask_folders(folder) else ({}, ())


def _file_parts(path: Path, options: Options) -> dict[str, Dataset]:
    suffix = path.suffix.lower()
    if suffix == ".npz":
        return array_splits(path, options.shape, options.task, options.read)
    if suffix == ".npy":
        raise DataError(
            f"{path}: an NPY file has no labels. Put x_train.npy and y_train.npy in a folder, or use one .npz."
        )
    if suffix == ".zip":
        raise DataError(f"{printable(path)}: archives are not read for training. Unpack it, and give the folder.")
    raise DataError(
        f"{printable(path)}: not a supported kind of file; data sets are read from "
        f"{', '.join((*TABLE_SUFFIXES, SERIES_SUFFIX, '.npz'))}. Convert it, or give the folder it is in."
    )


def _of_tables(paths: dict[str, Path], options: Options, seed: int, validation_fraction: float) -> Splits:
    """Return the splits of one file, or of one file for each split, of a table or of series."""
    first = next(iter(paths.values()))
    read = series_splits if first.suffix.lower() == SERIES_SUFFIX else table_splits
    if options.fold is not None:
        paths = {split: path for split, path in paths.items() if split != "test"}
    return read(paths, options, seed, validation_fraction)


def with_fold(
    read: Callable[[int, float], Splits], options: Options, seed: int, validation_fraction: float
) -> Splits:
    """Return the splits that ``read`` makes with a seed and a fraction, or those with a fold held out."""
    if options.fold is None:
        return read(seed, validation_fraction)
    return hold_out(read(seed, 0.0), options.fold, seed, validation_fraction)


def _tables(folder: Path, names: list[str]) -> dict[str, Path]:
    """Return the tables of a folder by the split that they hold."""
    lower = {name.lower(): name for name in names}
    return {
        split: folder / lower[f"{word}{suffix}"]
        for split, words in SPLIT_NAMES.items()
        for word in words[::-1]
        for suffix in TABLE_SUFFIXES[::-1]
        if f"{word}{suffix}" in lower
    }


def _finish(splits: dict[str, Dataset], options: Options, seed: int, validation_fraction: float) -> Splits:
    """Return the splits, cutting a fixed test split and a seeded validation split where there are none."""
    learn = splits["train"] if "train" in splits else splits["all"]
    if options.fold is not None:
        return hold_out(Splits(learn, splits.get("validation")), options.fold, seed, validation_fraction)
    validation, test = splits.get("validation"), splits.get("test")
    if test is None and validation is None and options.test_fraction:
        learn, test = split_validation(learn, options.test_fraction, TEST_SEED)
    if validation is not None:
        return Splits(learn, validation, test)
    return with_validation(learn, test, seed, validation_fraction)
