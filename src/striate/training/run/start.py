"""The model that a run starts from, made to fit the data."""

from __future__ import annotations

import os
from pathlib import Path

from striate.data.dataset import Dataset
from striate.errors import ShapeError, UsageError
from striate.losses import Loss
from striate.model import Model, load
from striate.training.fine_tuning import for_samples, replace_head
from striate.training.run.config import AUTO, ModelConfig

MODEL_SUFFIX = ".safetensors"
NETWORK_SUFFIX = ".toml"


def is_saved(name: str) -> bool:
    """Return whether ``name`` is a file or the folder of a run; names of networks contain no slash."""
    path = Path(name)
    elsewhere = len(path.parts) > 1 and path.suffix != NETWORK_SUFFIX
    return path.suffix == MODEL_SUFFIX or elsewhere or os.path.isdir(name)


def starting_model(wanted: ModelConfig) -> Model | None:
    """Return the model that a run starts or continues from; None for a new network.

    Raises
    ------
    UsageError
        If the settings of the model contradict each other, or no pretrained network has this name.
    DataError
        If its file cannot be downloaded or read.
    ModelFileError
        If its file is damaged.
    """
    if wanted.start is not None:
        from striate import pretrained

        if wanted.options or is_saved(wanted.name):
            raise UsageError("model: --start also sets the network. Leave out --model and its options.")
        return pretrained.open_model(wanted.start, None if wanted.name == AUTO else wanted.name)
    if is_saved(wanted.name):
        if wanted.options:
            raise UsageError(
                f"model: a saved model has no options; got {', '.join(wanted.options)}. Leave them out."
            )
        return load(wanted.name)
    if wanted.new_head:
        raise UsageError(f"model: a new head is for a saved model; got the network {wanted.name!r}.")
    return None


def fitted(model: Model, wanted: ModelConfig, train: Dataset, loss: Loss, seed: int, initial: str) -> Model:
    """Return the model with a head for the data where its own is for others.

    With ``start`` the head is new unless the classes are the same, and the network takes samples of another size if
    its parameters allow it.
    """
    outputs = train.classes or loss.output_count(train)
    if wanted.start is None:
        return replace_head(model, outputs, seed, initial) if wanted.new_head else model
    if train.sample_shape != model.input_shape:
        try:
            model = for_samples(model, train.sample_shape)
        except ShapeError as error:
            raise UsageError(f"{wanted.start}: {error}") from None
    same = model.classes == train.classes if train.classes else model.network.output_shape == (outputs,)
    return model if same and not wanted.new_head else replace_head(model, outputs, seed, initial)
