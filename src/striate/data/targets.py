"""Class indices and names, or regression targets, from labels as people write them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from striate.data.dataset import Dataset
from striate.errors import DataError

Targets = tuple[np.ndarray, tuple[str, ...]]


def make_targets(labels: np.ndarray, where: str, classes: tuple[str, ...] = ()) -> Targets:
    """Return (targets, classes): int64[N] with class names, or float32[N, T] without.

    Whole numbers and text are classes, in sorted order; rows of zeros with a single one are class
    indices; other numbers are regression targets.

    Parameters
    ----------
    labels : [N], [N, 1] or [N, T] of whole numbers, truth values, text or floating point numbers
    where : str
        What messages call the source.
    classes : tuple of str
        The names of the classes 0, 1, ... where the source has them.

    Raises
    ------
    DataError
        If a label is not finite, outside the given classes, or of another type.
    """
    labels = np.asarray(labels)
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim not in (1, 2) or labels.dtype.kind not in "buifUS":
        raise DataError(
            f"{where}: labels must be one number or text for each sample; "
            f"got {labels.dtype} of shape {list(labels.shape)}. Convert them."
        )
    if labels.dtype.kind == "f" and not np.isfinite(labels).all():
        row = int(np.argwhere(~np.isfinite(labels))[0, 0])
        raise DataError(f"{where}: labels must be finite; got {labels[row]} for sample {row}. Mend or remove it.")
    if _is_one_hot(labels):
        labels = labels.argmax(axis=1)
    if labels.ndim == 2 or (labels.dtype.kind == "f" and (labels != np.round(labels)).any()):
        return np.ascontiguousarray(labels, np.float32).reshape(len(labels), -1), ()
    return _classes_of(labels, where, classes)


def align_classes(dataset: Dataset, classes: tuple[str, ...], where: str) -> Dataset:
    """Return a data set with its targets counted among the classes of the training part.

    Raises
    ------
    DataError
        If it has a class that these are not, or is regression where they are classes (or the other way).
    """
    if dataset.classes == classes:
        return dataset
    unknown = [name for name in dataset.classes if name not in classes]
    if unknown or not dataset.classes:
        raise DataError(
            f"{where}: classes must be those of the training part ({', '.join(classes[:8]) or 'none'}); "
            f"got {unknown[0] if unknown else 'numbers'!r}. Use parts that belong together."
        )
    place = np.array([classes.index(name) for name in dataset.classes], np.int64)
    return replace(dataset, targets=place[dataset.targets], classes=classes)


def _is_one_hot(labels: np.ndarray) -> bool:
    if labels.ndim != 2 or labels.dtype.kind in "US":
        return False
    return bool(((labels == 0) | (labels == 1)).all() and (labels.sum(axis=1) == 1).all())


def _classes_of(labels: np.ndarray, where: str, classes: tuple[str, ...]) -> Targets:
    if labels.dtype.kind in "US":
        names, targets = np.unique(labels.astype(str), return_inverse=True)
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
