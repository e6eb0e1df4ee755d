"""Samples of the data that a model was trained on, for a page that has no picture yet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from striate.data.dataset import Dataset
from striate.data.registry import load
from striate.errors import UsageError
from striate.model import Model
from striate.pages.packing import pack

COUNT = 20
MOST_VALUES = 150_000  # of all samples together


def samples_of(model: Model, path: str | Path | None = None) -> list[dict[str, Any]]:
    """Return some samples with their labels: of ``path``, or of the data set that the model names.

    Parameters
    ----------
    model : Model
    path : str or path, optional
        A data set by name or path.

    Raises
    ------
    UsageError
        If the data do not fit the model.
    DataError
        If ``path`` cannot be read.
    """
    if path is None:
        known = model.metadata.get("data")
        if known != "digits":  # the others may have to be downloaded
            return []
        path = known
    data = load(path)
    found = next(part for part in (data.test, data.validation, data.train) if part is not None and len(part))
    if found.inputs.shape[1:] != model.input_shape:
        raise UsageError(
            f"{path}: the model takes {' x '.join(map(str, model.input_shape))}; got samples of "
            f"{' x '.join(map(str, found.inputs.shape[1:]))}. Name the data that it was trained on."
        )
    return described(found, model.classes, COUNT)


def described(data: Dataset, classes: tuple[str, ...], count: int) -> list[dict[str, Any]]:
    """Return ``count`` samples, a few of each class, as JSON types."""
    count = max(1, min(count, MOST_VALUES // int(np.prod(data.inputs.shape[1:]))))
    found = []
    for number in _spread(np.asarray(data.targets), count):
        target = data.targets[number]
        label = classes[int(target)] if classes and np.ndim(target) == 0 else str(np.round(target, 4))
        found.append({"label": label, "raw": pack(np.asarray(data.inputs[number], np.float32).ravel())})
    return found


def _spread(targets: np.ndarray, count: int) -> list[int]:
    """Return numbers of samples: the first of each class in turn, then the second of each."""
    if targets.ndim != 1 or targets.dtype.kind not in "iu":
        return list(range(min(count, len(targets))))
    by_class = [np.flatnonzero(targets == k) for k in np.unique(targets)]
    turns = [int(found[turn]) for turn in range(count) for found in by_class if turn < len(found)]
    return turns[:count]
