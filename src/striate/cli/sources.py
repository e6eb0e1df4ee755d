"""Data sets, networks and models from what was typed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from striate.errors import ShapeError, UsageError

if TYPE_CHECKING:
    from striate.data.dataset import Dataset
    from striate.data.splits import Splits
    from striate.model import Model
    from striate.network import Network

MODEL_SUFFIX = ".safetensors"
PARTS: dict[str, Callable[[Splits], Dataset | None]] = {
    "train": lambda splits: splits.train,
    "validation": lambda splits: splits.validation,
    "test": lambda splits: splits.test,
}


def load_data(name: str, folder: Path | None, seed: int = 0, validation: float = 0.1, **options: Any) -> Splits:
    """Return the splits of a data set; ``options`` say how a path is read."""
    from striate.data import registry
    from striate.data.options import Options

    if not 0 <= validation < 1:
        raise UsageError(f"validation: must be from 0 to below 1; got {validation}. Use for example 0.1.")
    given = {key: value for key, value in options.items() if value is not None}
    return registry.load(name, folder, seed, validation, Options(**given))


def names_a_file(model: str) -> bool:
    """Return whether ``model`` is meant as a file rather than as the name of a network."""
    return Path(model).suffix == MODEL_SUFFIX or Path(model).is_file()


def network_or_model(name: str, dataset: Dataset) -> Network | Model:
    """Return a new network called ``name`` for a data set, or the model of a file to go on from."""
    import striate
    from striate.models.registry import build

    if names_a_file(name):
        return striate.load(name)
    outputs = len(dataset.classes) or dataset.targets[0].size
    return build(name, outputs, dataset.sample_shape)


def data_for_model(model: Model, name: str, folder: Path | None, seed: int, validation: float = 0.1) -> Splits:
    """Return the splits of a data set in the shape and with the classes of ``model``."""
    import dataclasses

    from striate.data.targets import align_classes
    from striate.layers.base import format_shape

    shape = model.input_shape
    size = shape[1:] if len(shape) in (2, 3) else None
    channels = shape[0] if len(shape) == 3 and shape[0] in (1, 3) else None
    splits = load_data(name, folder, seed, validation, size=size, channels=channels)
    if splits.train.sample_shape != shape:
        raise ShapeError(
            f"{name}: samples must be {format_shape(shape)}, as {model.network.name} takes them; "
            f"got {format_shape(splits.train.sample_shape)}. Use the data set it was trained on, or one like it."
        )
    if not model.classes:
        return splits
    parts: dict[str, Any] = {part: take(splits) for part, take in PARTS.items()}
    aligned: dict[str, Any] = {
        part: data and align_classes(data, model.classes, name) for part, data in parts.items()
    }
    return dataclasses.replace(splits, **aligned)
