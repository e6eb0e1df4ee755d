"""Data sets from the arguments of ``fit``: a Dataset, or arrays of samples and targets."""

from __future__ import annotations

from typing import Any

import numpy as np

from striate.data.dataset import Dataset
from striate.data.objects import dataset_from, gives_samples
from striate.errors import UsageError

Data = Dataset | tuple[Any, Any]
"""A data set, or a pair of arrays: samples [N, *shape] and targets [N] or [N, T].

An object that gives samples with their targets, such as a PyTorch Dataset, is read by `dataset_from`.
"""


def datasets(train: Any, targets: Any, validation: Any, shape: tuple[int, ...]) -> tuple[Dataset, Dataset | None]:
    """Return the training and the validation data of a call of ``fit``.

    Parameters
    ----------
    train : Dataset, pair of arrays, or array of samples
    targets : array, optional
        Of the samples in ``train``; for a Dataset the validation data may stand here.
    validation : Dataset or pair of arrays, optional
    shape : tuple of int
        Of the network's input; samples without an axis for a single channel get one.

    Raises
    ------
    UsageError
        If something is neither, or targets are missing.
    """
    whole = isinstance(train, Dataset) or _is_pair(train)
    if whole and targets is not None:
        if validation is not None:
            raise UsageError("fit: the data set already has targets; got y as well. Leave it out.")
        targets, validation = None, targets
    found = dataset_of(train if whole else (train, targets), "data", (), shape)
    return found, None if validation is None else dataset_of(validation, "validation data", found.classes, shape)


def _is_pair(value: Any) -> bool:
    return isinstance(value, tuple) and len(value) == 2


def dataset_of(
    value: Any, name: str, classes: tuple[str, ...], shape: tuple[int, ...], caller: str = "fit"
) -> Dataset:
    """Return the data set of a pair of arrays, or of an object that gives samples; a Dataset as it is.

    Parameters
    ----------
    value : Dataset, pair of arrays, or object
    name : str
        Of the data set.
    classes : tuple of str
        That targets of text must belong to; those of the targets if it is empty.
    shape : tuple of int
        As in `datasets`.
    caller : str
        Whom error messages name.

    Raises
    ------
    UsageError
        If it is none of these, or a class is unknown.
    """
    if isinstance(value, Dataset):
        return value
    if isinstance(value, tuple) and len(value) == 2 and value[1] is None and gives_samples(value[0]):
        value = value[0]
    if not _is_pair(value) and gives_samples(value):
        return dataset_from(value, name, shape, classes)
    if not _is_pair(value) or value[1] is None:
        raise UsageError(
            f"{caller}: needs a Dataset, or arrays of samples and targets; got {type(value).__name__}."
        )
    inputs, targets = np.asarray(value[0]), np.asarray(value[1])
    if inputs.ndim == len(shape) and shape[0] == 1 and inputs.shape[1:] == shape[1:]:
        inputs = inputs[:, np.newaxis]
    if targets.dtype.kind in "USO":
        known = classes or tuple(map(str, np.unique(targets.astype(str))))
        numbers = {label: number for number, label in enumerate(known)}
        missing = sorted({str(label) for label in targets} - set(numbers))
        if missing:
            raise UsageError(f"{caller}: {name} has the class {missing[0]!r}, which the training data do not have.")
        return Dataset(inputs, np.array([numbers[str(label)] for label in targets], np.int64), known, name)
    if targets.dtype.kind in "iub" and targets.ndim == 2 and len(shape) != 2 and targets.shape[1] > 1:
        targets = targets.astype(np.float32)  # several labels or numbers of each sample, no class map of a series
    if targets.dtype.kind == "f" and targets.ndim == 1:
        targets = targets[:, np.newaxis]
    return Dataset(inputs, targets, classes, name)
