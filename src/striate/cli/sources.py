"""Data sets and models from what was typed."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from striate.errors import DataError, unknown_name

if TYPE_CHECKING:
    from striate.data.dataset import Dataset
    from striate.data.options import Options
    from striate.data.splits import Splits
    from striate.model import Model

MODEL_SUFFIX = ".safetensors"
WHOLE = "all"
SPLITS: dict[str, Callable[[Splits], Dataset | None]] = {
    "train": lambda splits: splits.train,
    "validation": lambda splits: splits.validation,
    "test": lambda splits: splits.test,
}


def names_a_file(model: str) -> bool:
    """Return whether ``model`` names a file or the folder of a run rather than a network."""
    path = Path(model)
    if path.suffix in (MODEL_SUFFIX, ".toml"):
        return path.suffix == MODEL_SUFFIX
    return path.exists() or len(path.parts) > 1


def held_out(
    model: Model, name: str, folder: Path | None, seed: int, options: Options, split: str | None
) -> tuple[str, Dataset, Splits]:
    """Return which split a model is tested on, the split, and all splits of the source.

    Without ``split`` it is the test or validation split that the source has of its own, else all of the source:
    what is cut from a source for testing depends on the training, of which a folder of new samples knows nothing.

    Raises
    ------
    DataError, UsageError
        If the data set cannot be had, has no such split, or has other samples or classes.
    """
    from striate.model.reading import data_for_model

    if split not in (None, WHOLE, *SPLITS):
        raise unknown_name("split", str(split), [*SPLITS, WHOLE])
    if split in SPLITS:
        splits = data_for_model(model, name, folder, seed, options)
        found = SPLITS[split](splits)
        if found is None:
            raise DataError(f"{name}: has no {split} split. Choose another with --split.")
        return split, found, splits
    from striate.data.dataset import joined

    whole = data_for_model(model, name, folder, seed, dataclasses.replace(options, test_fraction=0.0), 0.0)
    for name_of_split in ("test", "validation") if split is None else ():
        data = SPLITS[name_of_split](whole)
        if data is not None:
            return name_of_split, data, whole
    parts = [data for data in (take(whole) for take in SPLITS.values()) if data is not None]
    return WHOLE, joined(parts), whole
