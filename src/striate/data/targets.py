"""Class indices and names, or regression targets, from labels in any common form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from striate.data.dataset import Dataset
from striate.data.layout import to_float32
from striate.data.options import Task
from striate.errors import DataError
from striate.wording import plain

FEW_VALUES = 20
"""Whole numbers with at most so many distinct values are classes, ..."""
WIDE_RANGE = 100
"""... unless their range is so many times as wide as their number: ten prices are no classes."""
SAMPLES_PER_CLASS = 4
"""More values are classes if they are 0 (or 1) to K without a gap and each has so many samples on average."""
MOST_MAP_CLASSES = 1024
Targets = tuple[np.ndarray, tuple[str, ...]]


def make_targets(
    labels: np.ndarray, where: str, classes: tuple[str, ...] = (), task: Task | None = None
) -> Targets:
    """Return (targets, classes): int64[N] with class names, or float32[N, T] without.

    Text is classes, in sorted order; rows of zeros with a single one are class indices. Whole numbers are classes
    if they have two distinct values, or few within a narrow range, or fill 0 (or 1) to K. Other numbers are
    regression targets. Whole numbers with axes of space are a class at each position, int64[N, *space].

    Parameters
    ----------
    labels : [N], [N, 1], [N, T] or [N, *space] of whole numbers, truth values, text or floating point numbers
    where : str
        What messages call the source.
    classes : tuple of str
        The names of the classes 0, 1, ... where the source has them; of the labels, where each is on or off.
    task : {"classification", "regression"}, optional
        What numbers are, where the user or the loss says so.

    Raises
    ------
    DataError
        If a label is not finite, outside the given classes, or of another type.
    """
    labels = np.asarray(labels)
    if labels.dtype.kind == "S":
        labels = np.char.decode(labels, "utf-8", "backslashreplace")
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim > 2 and labels.dtype.kind in "bui" and task != "regression":
        return _class_map(labels, where, classes)
    if labels.ndim not in (1, 2) or labels.dtype.kind not in "buifU":
        raise DataError(
            f"{where}: labels must be one number or text for each sample; "
            f"got {labels.dtype} of shape {list(labels.shape)}. Convert them."
        )
    if labels.dtype.kind == "f" and not np.isfinite(to_float32(labels)).all():
        row = int(np.argwhere(~np.isfinite(to_float32(labels)))[0, 0])
        raise DataError(
            f"{where}: labels must be finite, and below 3.4e38; "
            f"got {labels[row]} for sample {row}. Correct or remove it."
        )
    if labels.ndim == 2 and labels.dtype.kind == "U":
        raise DataError(f"{where}: needs one text label for each sample; got {labels.shape[1]}. Keep one column.")
    if _is_one_hot(labels) and task != "regression":
        labels = labels.argmax(axis=1)
    if _are_numbers(labels, where, classes, task):
        numbers = np.ascontiguousarray(labels, np.float32).reshape(len(labels), -1)
        return numbers, classes if _are_switches(numbers, classes) else ()
    return _classes_of(labels, where, classes)


def _class_map(labels: np.ndarray, where: str, classes: tuple[str, ...]) -> Targets:
    """Return a class for each position, int64[N, *space], and the names of the classes."""
    maps = np.ascontiguousarray(labels[:, 0] if labels.ndim > 3 and labels.shape[1] == 1 else labels, np.int64)
    if not maps.size:
        raise DataError(f"{where}: class maps must not be empty; got shape {list(labels.shape)}. Use another file.")
    least, largest = int(maps.min()), int(maps.max())
    count = len(classes) or largest + 1
    if least < 0 or largest >= count or count > MOST_MAP_CLASSES:
        raise DataError(
            f"{where}: class maps must hold numbers from 0 to {min(count, MOST_MAP_CLASSES) - 1}; "
            f"got {least} to {largest}. Renumber the classes, or use floating point numbers for a regression."
        )
    return maps, classes or tuple(map(str, range(count)))


def align_classes(dataset: Dataset, classes: tuple[str, ...], where: str) -> Dataset:
    """Return a data set with its targets counted among the classes of the training split.

    Labels that are on or off are put into the order of ``classes``; those that the data set lacks are off.

    Raises
    ------
    DataError
        If it has a class that these are not, or is regression where they are classes (or the other way).
    """
    if dataset.classes == classes:
        return dataset
    unknown = [name for name in dataset.classes if name not in classes]
    if unknown or not dataset.classes:
        numbered = unknown and unknown[0].isdecimal()
        fix = "Name them in an array classes" if numbered else "Use splits that belong together"
        raise DataError(
            f"{where}: classes must be those of the training split ({', '.join(classes[:8]) or 'none'}); "
            f"got {unknown[0] if unknown else 'numbers'!r}. {fix}."
        )
    place = np.array([classes.index(name) for name in dataset.classes], np.int64)
    if dataset.targets.dtype.kind != "f":
        return replace(dataset, targets=place[dataset.targets], classes=classes)
    targets = np.zeros((len(dataset), len(classes)), dataset.targets.dtype)
    targets[:, place] = dataset.targets
    return replace(dataset, targets=targets, classes=classes)


def describe_targets(
    names: Sequence[str], targets: np.ndarray, classes: tuple[str, ...], task: Task | None = None
) -> str:
    """Return a line saying how columns of labels were interpreted, and how to change that."""
    label = " ".join(["labels" if len(names) > 1 else "label", ", ".join(map(repr, names))]).strip()
    if targets.ndim > 1 and targets.shape[1] > 1:
        if classes:
            return f"{label}: each on (1) or off (0)"
        return f"{label}: {targets.shape[1]} numbers, predicted by regression"
    if classes:
        found = f"{label}: {len(classes)} classes"
        numeric = all(value.lstrip("-").isdecimal() for value in classes)
        return f"{found} (--task regression predicts a number instead)" if numeric and task is None else found
    hint = " (--task classification tells classes apart instead)" if task is None else ""
    least, largest = plain(targets.min(), 6), plain(targets.max(), 6)
    return f"{label}: a number from {least} to {largest}, predicted by regression{hint}"


def _are_numbers(labels: np.ndarray, where: str, classes: tuple[str, ...], task: Task | None) -> bool:
    """Return whether labels are regression targets (or several labels, each on or off)."""
    if labels.dtype.kind == "U":
        if task == "regression":
            raise DataError(
                f"{where}: a regression needs labels that are numbers; got {str(labels[0])!r}. Choose another "
                "column, or a loss for classes."
            )
        return False
    if labels.ndim == 2 or task == "regression":
        return True
    fractions = labels.dtype.kind == "f" and bool((labels != np.round(labels)).any())
    if task == "classification" and fractions:
        value = labels[labels != np.round(labels)][0]
        raise DataError(f"{where}: classes must be text or whole numbers; got {value:g}. Use a loss for numbers.")
    return fractions or (task is None and not classes and not _look_like_classes(labels))


def _look_like_classes(labels: np.ndarray) -> bool:
    values = np.unique(labels)
    span = float(values[-1]) - float(values[0]) + 1 if len(values) else 0.0
    if len(values) <= FEW_VALUES:
        return len(values) <= 2 or span <= WIDE_RANGE * len(values)
    return float(values[0]) in (0.0, 1.0) and span == len(values) and len(labels) >= SAMPLES_PER_CLASS * len(values)


def _are_switches(numbers: np.ndarray, classes: tuple[str, ...]) -> bool:
    """Return whether targets are labels, each on or off, whose names the source gives."""
    return len(classes) == numbers.shape[1] and bool(((numbers == 0) | (numbers == 1)).all())


def _is_one_hot(labels: np.ndarray) -> bool:
    if labels.ndim != 2 or labels.dtype.kind in "US":
        return False
    return bool(((labels == 0) | (labels == 1)).all() and (labels.sum(axis=1) == 1).all())


def _classes_of(labels: np.ndarray, where: str, classes: tuple[str, ...]) -> Targets:
    if labels.dtype.kind == "U":
        names, targets = np.unique(labels, return_inverse=True)
        return targets.astype(np.int64), tuple(names.tolist())
    whole = labels.astype(np.int64)
    if classes:
        if len(whole) and not 0 <= whole.min() <= whole.max() < len(classes):
            raise DataError(
                f"{where}: labels must be 0 to {len(classes) - 1} for {len(classes)} class names; "
                f"got {whole.min()} to {whole.max()}. Give a name for every class."
            )
        return whole, classes
    values, targets = np.unique(whole, return_inverse=True)
    return targets.astype(np.int64), tuple(map(str, values.tolist()))
