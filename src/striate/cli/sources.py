"""Data sets and models from what was typed."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from striate.errors import DataError, ShapeError, unknown_name

if TYPE_CHECKING:
    from striate.data.dataset import Dataset
    from striate.data.options import Options
    from striate.data.splits import Splits
    from striate.model import Model

MODEL_SUFFIX = ".safetensors"
VALIDATION = 0.1
WHOLE = "all"
SPLITS: dict[str, Callable[[Splits], Dataset | None]] = {
    "train": lambda splits: splits.train,
    "validation": lambda splits: splits.validation,
    "test": lambda splits: splits.test,
}


def names_a_file(model: str) -> bool:
    """Return whether ``model`` is meant as a file or the folder of a run rather than as a network."""
    path = Path(model)
    return path.suffix == MODEL_SUFFIX or (path.exists() and path.suffix != ".toml")


def held_out(
    model: Model, name: str, folder: Path | None, seed: int, options: Options, split: str | None
) -> tuple[str, Dataset]:
    """Return what a model is tested on, and which split that is.

    Without ``split`` it is the test or validation split that the source has of its own, else all of the source:
    what is cut from a source for testing depends on the training, of which a folder of new samples knows nothing.

    Raises
    ------
    DataError, UsageError
        If the data set cannot be had, has no such split, or has other samples or classes.
    """
    if split not in (None, WHOLE, *SPLITS):
        raise unknown_name("split", str(split), [*SPLITS, WHOLE])
    if split in SPLITS:
        found = SPLITS[split](data_for_model(model, name, folder, seed, options))
        if found is None:
            raise DataError(f"{name}: has no {split} split. Choose another with --split.")
        return split, found
    from striate.data.dataset import joined

    whole = data_for_model(model, name, folder, seed, dataclasses.replace(options, test_fraction=0.0), 0.0)
    for name_of_split in ("test", "validation") if split is None else ():
        data = SPLITS[name_of_split](whole)
        if data is not None:
            return name_of_split, data
    return WHOLE, joined([data for data in (take(whole) for take in SPLITS.values()) if data is not None])


def data_for_model(
    model: Model, name: str, folder: Path | None, seed: int, options: Options, validation: float | None = None
) -> Splits:
    """Return the splits of a data set in the shape and with the classes of ``model``.

    Raises
    ------
    DataError, UsageError
        If the data set cannot be had, or has other samples or classes.
    """
    from striate.data import registry
    from striate.data.targets import align_classes
    from striate.layers.base import format_shape
    from striate.model.reading import like_model

    splits = registry.load(
        name, folder, seed, VALIDATION if validation is None else validation, like_model(model, options)
    )
    if splits.train.sample_shape != model.input_shape:
        raise ShapeError(
            f"{name}: samples must be {format_shape(model.input_shape)}, as {model.network.name} takes them; "
            f"got {format_shape(splits.train.sample_shape)}. Use the data set it was trained on, or one like it."
        )
    if not model.classes:
        return splits
    aligned: dict[str, Any] = {}
    for each, take in SPLITS.items():
        data = take(splits)
        aligned[each] = data and align_classes(data, model.classes, name)
    return dataclasses.replace(splits, **aligned)
