"""From a configuration to the parts of a run."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from striate.data import registry
from striate.data.dataset import Dataset
from striate.data.splits import Splits
from striate.errors import UsageError
from striate.layers.arguments import integer
from striate.model import Model, load
from striate.models.registry import build
from striate.network import Network
from striate.training.callbacks import Callback, Checkpoint, EarlyStopping, ReduceOnPlateau
from striate.training.fine_tuning import replace_head
from striate.training.optimizers.registry import from_description
from striate.training.run.config import CheckpointConfig, ModelConfig, RunConfig
from striate.training.schedules import schedule
from striate.training.trainer import Trainer

MODEL_SUFFIX = ".safetensors"


def load_splits(config: RunConfig) -> Splits:
    """Return the data of a run."""
    data = config.data
    return registry.load(data.name, data.folder, config.training.seed, data.validation_fraction, data.options)


def network_or_model(config: ModelConfig, train: Dataset, seed: int, initial: str) -> Network | Model:
    """Return a new network for the data, or the saved model that a run goes on from.

    Raises
    ------
    UsageError
        If a saved model is given options.
    """
    outputs = len(train.classes) or math.prod(train.targets.shape[1:])
    if Path(config.name).suffix != MODEL_SUFFIX:
        if config.new_head:
            raise UsageError(f"model: a new head is for a saved model; got the network {config.name!r}.")
        return build(config.name, outputs, train.sample_shape, **config.options)
    if config.options:
        raise UsageError(f"model: a saved model has no options; got {', '.join(config.options)}. Leave them out.")
    model = load(config.name)
    return replace_head(model, train.classes or outputs, seed, initial) if config.new_head else model


def make_trainer(config: RunConfig, train: Dataset, network: Network | Model) -> Trainer:
    """Return the trainer of a run."""
    t = config.training
    rule = from_description(t.optimizer)
    size = len(train) if t.batch_size == "full" else integer(t.batch_size, "batch size")
    rate = rule.learning_rate if t.learning_rate is None else t.learning_rate
    arguments = dict(t.schedule)
    name = str(arguments.pop("name", "constant"))
    return Trainer(
        network,
        optimizer=rule,
        learning_rate=schedule(name, rate, -(-len(train) // size), integer(t.epochs, "epochs"), **arguments),
        loss=t.loss,
        batch_size=t.batch_size,
        seed=t.seed,
        threads=t.threads,
        winograd=t.winograd,
        initial=t.initial,
        regularisation=config.regularisation,
        class_weights=t.class_weights,
        sampling=t.sampling,
        freeze=t.freeze,
        rates=t.rates,
        augmentation=config.augmentation if config.augmentation.transforms else None,
    )


def make_callbacks(config: RunConfig, folder: Path) -> list[Callback]:
    """Return the callbacks that a configuration asks for."""
    found: list[Callback] = []
    for kind, arguments in ((EarlyStopping, config.early_stopping), (ReduceOnPlateau, config.reduce_on_plateau)):
        if arguments is not None:
            found.append(_callback(kind, arguments))
    return [*found, _checkpoint(config.checkpoint, folder)]


def _callback(kind: type[Callback], arguments: Mapping[str, Any]) -> Callback:
    try:
        return kind(**arguments)
    except TypeError as error:
        raise UsageError(f"configuration: {kind.__name__} does not take these arguments; {error}.") from None


def _checkpoint(config: CheckpointConfig, folder: Path) -> Checkpoint:
    c = config
    return Checkpoint(folder, c.every_epochs, c.every_steps, c.every_minutes, c.keep, c.monitor)
