"""From a configuration to the parts of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from striate.data import registry
from striate.data.dataset import Dataset
from striate.data.splits import Splits
from striate.errors import UsageError
from striate.losses import NUMBERS, Loss
from striate.losses.choice import usual_loss
from striate.model import Model, load
from striate.models.registry import build
from striate.network import Network
from striate.training.callbacks import (
    Callback,
    Checkpoint,
    CSVLog,
    EarlyStopping,
    ReduceOnPlateau,
    TensorBoardLog,
)
from striate.training.ending import with_ending
from striate.training.fine_tuning import replace_head, with_outputs
from striate.training.run.config import RunConfig
from striate.training.run.folder import RunFolder
from striate.training.trainer import Trainer

MODEL_SUFFIX = ".safetensors"


def is_saved(name: str) -> bool:
    """Return whether a model is named by its file, or by the folder of a run."""
    return Path(name).suffix == MODEL_SUFFIX or Path(name).is_dir()


def load_splits(config: RunConfig) -> Splits:
    """Return the data of a run."""
    data = config.data
    options = data.options.changed(**_demands(config))
    return registry.load(data.name, data.folder, config.training.seed, data.validation_fraction, options)


def _demands(config: RunConfig) -> dict[str, Any]:
    """Return what the loss, or the saved model that a run starts from, says of the data."""
    path, task = Path(config.model.name), config.data.options.task
    known = load(path) if is_saved(config.model.name) and path.exists() else None
    if task is None and config.training.loss is not None:
        task = config.training.loss.task
    if known is None:
        return {"task": task}
    kind = "regression" if known.kind == NUMBERS else "classification"
    return {
        "task": task or (None if config.model.new_head else kind),
        "preparation": known.metadata.get("preparation") or {},
    }


def loss_of(config: RunConfig, train: Dataset) -> Loss:
    """Return the loss that a configuration names, that of the saved model, or the usual one for the data."""
    named, path = config.training.loss, Path(config.model.name)
    if named is not None:
        return named
    return usual_loss(train, load(path).loss if is_saved(config.model.name) and path.exists() else None)


def network_or_model(config: RunConfig, train: Dataset) -> Network | Model:
    """Return a new network for data and loss, or the saved model that a run goes on from.

    Raises
    ------
    UsageError
        If a saved model is given options.
    """
    wanted, loss = config.model, loss_of(config, train)
    outputs = loss.output_count(train)
    if not is_saved(wanted.name):
        if wanted.new_head:
            raise UsageError(f"model: a new head is for a saved model; got the network {wanted.name!r}.")
        network = build(wanted.name, max(2, outputs), train.sample_shape, **wanted.options)
        network = network if outputs > 1 else with_outputs(network, outputs)
        return with_ending(network, train, loss)
    if wanted.options:
        raise UsageError(f"model: a saved model has no options; got {', '.join(wanted.options)}. Leave them out.")
    model, t = load(wanted.name), config.training
    return replace_head(model, train.classes or outputs, t.seed, t.initial or "he") if wanted.new_head else model


def make_trainer(config: RunConfig, network: Network | Model) -> Trainer:
    """Return the trainer of a run whose configuration leaves nothing open; see `resolve`."""
    return Trainer(network, config.training)


def make_callbacks(config: RunConfig, place: RunFolder) -> list[Callback]:
    """Return the callbacks that a configuration asks for, writing where the run lies."""
    found: list[Callback] = []
    if config.early_stopping is not None:
        found.append(EarlyStopping(**config.early_stopping.values()))
    if config.reduce_on_plateau is not None:
        found.append(ReduceOnPlateau(**config.reduce_on_plateau.values()))
    if config.logs.csv:
        found.append(CSVLog(place.table))
    if config.logs.tensorboard:
        found.append(TensorBoardLog(place.tensorboard))
    return [*found, Checkpoint(place.checkpoints, **config.checkpoint.values())]
