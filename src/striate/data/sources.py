"""Data sets from a path: what kind of source it is, and its splits."""

from __future__ import annotations

from pathlib import Path

from striate.data.arrays import array_parts
from striate.data.cifar import cifar10, holds_cifar10
from striate.data.dataset import Dataset
from striate.data.folders import class_folders
from striate.data.mnist import read_idx_folder
from striate.data.options import TEST_SEED, Options
from striate.data.problems import printable
from striate.data.splits import Splits, split_validation, with_validation
from striate.data.tables import TABLE_SUFFIXES, csv_dataset
from striate.data.targets import align_classes
from striate.data.walk import PART_NAMES
from striate.errors import DataError


def load_path(
    path: str | Path, options: Options | None = None, seed: int = 0, validation_fraction: float = 0.1
) -> Splits:
    """Return the splits of a folder or file of the user's.

    =====================================================  ========================================
    path                                                   read as
    =====================================================  ========================================
    ``.csv``, ``.tsv``                                     a table, see `csv_dataset`
    ``.npz``                                               arrays, see `array_parts`
    folder with ``train-images-idx3-ubyte`` and the like   IDX, see `read_idx_folder`
    folder with ``train.csv`` (``val.csv``, ``test.csv``)  tables; a test table without labels is left
    folder with ``x_train.npy`` and the like               arrays
    folder with ``test_batch.bin``                         CIFAR-10
    folder with nothing but one ``.npz`` or ``.csv``       that file
    any other folder                                       a folder of images or WAV files per class
    =====================================================  ========================================

    Raises
    ------
    DataError
        If the path is missing or of no known kind, or its content cannot be used.
    """
    path = Path(path)
    options = options or Options()
    if path.is_dir():
        return _load_folder(path, options, seed, validation_fraction)
    if not path.is_file():
        raise DataError(f"{printable(path)}: no such file or folder. Check the path.")
    return _finish(_file_parts(path, options), options, seed, validation_fraction)


def _load_folder(folder: Path, options: Options, seed: int, validation_fraction: float) -> Splits:
    names = [entry.name for entry in folder.iterdir() if not entry.name.startswith(".")]
    if any("images-idx3-ubyte" in name or "images.idx3-ubyte" in name for name in names):
        return read_idx_folder(folder, None, printable(folder.name), seed, validation_fraction)
    if holds_cifar10(folder):
        return cifar10(folder, seed, validation_fraction)
    if "train.csv" in names:
        return _finish(_table_parts(folder, options), options, seed, validation_fraction)
    if any(name.lower().endswith(".npy") for name in names):
        return _finish(array_parts(folder, options.shape), options, seed, validation_fraction)
    if len(names) == 1 and names[0].endswith((".npz", *TABLE_SUFFIXES)):
        return load_path(folder / names[0], options, seed, validation_fraction)
    return class_folders(folder, options, seed, validation_fraction)


def _file_parts(path: Path, options: Options) -> dict[str, Dataset]:
    suffix = path.suffix.lower()
    if suffix in TABLE_SUFFIXES:
        return {"all": csv_dataset(path, options.label, options.shape, options.group)}
    if suffix == ".npz":
        return array_parts(path, options.shape)
    if suffix == ".npy":
        raise DataError(
            f"{path}: an NPY file holds no labels. Put x_train.npy and y_train.npy in a folder, or use one .npz."
        )
    raise DataError(
        f"{printable(path)}: not a kind of file that data sets are read from "
        f"({', '.join((*TABLE_SUFFIXES, '.npz'))}). Convert it, or give the folder it is in."
    )


def _table_parts(folder: Path, options: Options) -> dict[str, Dataset]:
    parts = {"train": csv_dataset(folder / "train.csv", options.label, options.shape, options.group)}
    for part, words in PART_NAMES.items():
        for word in words:
            path = folder / f"{word}.csv"
            if part not in parts and path.is_file():
                later = _labelled_like(path, parts["train"], options)
                if later is not None:
                    parts[part] = later
    return parts


def _labelled_like(path: Path, train: Dataset, options: Options) -> Dataset | None:
    """Return a further table with the classes of the training table, or None if it has no labels."""
    try:
        later = csv_dataset(path, options.label, options.shape or train.sample_shape, options.group)
    except DataError as error:
        if "no column" in str(error):
            return None
        raise
    return align_classes(later, train.classes, str(path))


def _finish(parts: dict[str, Dataset], options: Options, seed: int, validation_fraction: float) -> Splits:
    """Return the splits, cutting a fixed test part and a seeded validation part where there are none."""
    learn = parts["train"] if "train" in parts else parts["all"]
    validation, test = parts.get("validation"), parts.get("test")
    if test is None and validation is None and options.test_fraction:
        learn, test = split_validation(learn, options.test_fraction, TEST_SEED)
    if validation is not None:
        return Splits(learn, validation, test)
    return with_validation(learn, test, seed, validation_fraction)
