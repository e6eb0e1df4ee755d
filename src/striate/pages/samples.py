"""Samples of the data that a model was trained on, for a page that has no picture yet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from striate.data.dataset import Dataset
from striate.data.options import Options
from striate.data.registry import NAMES
from striate.data.splits import Splits
from striate.errors import StriateError
from striate.machine import cache_folder
from striate.model import Model
from striate.model.reading import data_for_model
from striate.pages.packing import pack
from striate.training.run.config import DataConfig, RunConfig
from striate.training.run.folder import RunFolder

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
    return _held_out(data_for_model(model, path, folder, 0, options or Options()), model)


def samples_of_run(run: RunFolder, model: Model) -> list[dict[str, Any]]:
    """Return some samples of the data of a run as ``samples_of``; none if the data can no longer be read."""
    try:
        config = RunConfig.load(run.config)
        data = config.data
        if _must_be_downloaded(data):
            return []
        folder = None if data.folder is None else Path(data.folder)
        splits = data_for_model(
            model, data.name, folder, config.training.seed, data.options, data.validation_fraction
        )
        return _held_out(splits, model)
    except (StriateError, OSError):
        return []


def _held_out(splits: Splits, model: Model) -> list[dict[str, Any]]:
    """Return samples for testing; of data without any, for validation or training."""
    parts = (splits.test, splits.validation, splits.train)
    return described(next(part for part in parts if part is not None and len(part)), model.classes, COUNT)


def _must_be_downloaded(data: DataConfig) -> bool:
    known = data.name in NAMES and data.name != "digits" and data.folder is None
    return known and not (cache_folder() / "data" / data.name).is_dir()


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
    """Return a target as text: its class, the classes of a mask, or its first numbers."""
    numbers = np.ravel(target)
    if classes and numbers.dtype.kind in "iu":
        return ", ".join(classes[k] for k in np.unique(numbers).tolist() if 0 <= k < len(classes))
    return ", ".join(f"{number:.4g}" for number in numbers[:4]) + (", …" if len(numbers) > 4 else "")


def _spread(targets: np.ndarray, count: int) -> list[int]:
    """Return numbers of samples: the first of each class in turn, then the second of each."""
    if targets.ndim != 1 or targets.dtype.kind not in "iu":
        return list(range(min(count, len(targets))))
    by_class = [np.flatnonzero(targets == k) for k in np.unique(targets)]
    turns = [int(found[turn]) for turn in range(count) for found in by_class if turn < len(found)]
    return turns[:count]
