"""Samples of the data that a model was trained on, for a page that has no picture yet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from striate.data.dataset import Dataset
from striate.data.options import Options
from striate.errors import StriateError
from striate.model import Model
from striate.model.reading import data_for_model
from striate.pages.packing import pack

COUNT = 20
MOST_VALUES = 150_000  # of all samples together


def samples_of(
    model: Model, path: str | Path | None = None, folder: Path | None = None, options: Options | None = None
) -> list[dict[str, Any]]:
    """Return some samples with their labels: of ``path``, or of the data set that the model names.

    Parameters
    ----------
    model : Model
    path : str or path, optional
        A data set by name or path.
    folder : path, optional
        Where the files of a named data set are.
    options : Options, optional
        How a path is read, where it differs from the training.

    Raises
    ------
    UsageError, ShapeError
        If the data do not fit the model.
    DataError
        If ``path`` cannot be read.
    """
    if path is None:
        return _built_in(model)
    data = data_for_model(model, path, folder, 0, options or Options())
    found = next(part for part in (data.test, data.validation, data.train) if part is not None and len(part))
    return described(found, model.classes, COUNT)


def built_in(model: Model) -> bool:
    """Return whether a model was trained on the digits that come with striate."""
    return bool(model.metadata.get("data") == "digits")


def _built_in(model: Model) -> list[dict[str, Any]]:
    """Return samples of the digits that come with striate, if the model was trained on them."""
    if not built_in(model):
        return []
    try:
        return samples_of(model, "digits")
    except StriateError:  # the user's own data have the same name
        return []


def described(data: Dataset, classes: tuple[str, ...], count: int) -> list[dict[str, Any]]:
    """Return ``count`` samples, a few of each class, as JSON types."""
    count = max(1, min(count, MOST_VALUES // int(np.prod(data.inputs.shape[1:]))))
    found = []
    for number in _spread(np.asarray(data.targets), count):
        target = data.targets[number]
        found.append(
            {"label": _label(target, classes), "raw": pack(np.asarray(data.inputs[number], np.float32).ravel())}
        )
    return found


def _label(target: np.ndarray, classes: tuple[str, ...]) -> str:
    """Return a target as text: its class, or its first numbers."""
    if classes and np.ndim(target) == 0:
        return classes[int(target)]
    numbers = np.ravel(target)
    return ", ".join(f"{number:.4g}" for number in numbers[:4]) + (", …" if len(numbers) > 4 else "")


def _spread(targets: np.ndarray, count: int) -> list[int]:
    """Return numbers of samples: the first of each class in turn, then the second of each."""
    if targets.ndim != 1 or targets.dtype.kind not in "iu":
        return list(range(min(count, len(targets))))
    by_class = [np.flatnonzero(targets == k) for k in np.unique(targets)]
    turns = [int(found[turn]) for turn in range(count) for found in by_class if turn < len(found)]
    return turns[:count]
