"""Build the parts of a run from its configuration."""

from __future__ import annotations

from striate.data import registry
from striate.data.dataset import Dataset
from striate.data.options import Options, Task
from striate.data.splits import Splits
from striate.errors import DataError
from striate.losses import NUMBERS, Loss
from striate.losses.choice import usual_loss
from striate.model import Model
from striate.model.reading import like_model
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
from striate.training.fine_tuning import with_outputs
from striate.training.run.config import RunConfig
from striate.training.run.folder import RunFolder
from striate.training.run.start import fitted
from striate.training.trainer import Trainer


def load_splits(config: RunConfig, start: Model | None = None) -> Splits:
    """Return the data of a run; ``start`` is the model that it starts from."""
    data = config.data
    options = data.options.changed(task=_task(config))
    if start is not None:
        options = _like_start(options, start, config)
    splits = registry.load(data.name, data.folder, config.training.seed, data.validation_fraction, options)
    classes = splits.train.classes
    if len(classes) == 1 and splits.train.targets.ndim == 1:
        raise DataError(f"{data.name}: at least 2 classes are needed; all labels are {classes[0]!r}. Add others.")
    return splits


def _task(config: RunConfig) -> Task | None:
    task, loss = config.data.options.task, config.training.loss
    return loss.task if task is None and loss is not None else task


def _like_start(options: Options, start: Model, config: RunConfig) -> Options:
    """Return how to read data for a saved model; one that gets a new head may learn another task."""
    if config.model.start is not None:
        rows = start.input_shape if len(start.input_shape) == 1 else None  # features stay a list
        return like_model(start, options).changed(task=options.task, shape=options.shape or rows)
    kind = "regression" if start.kind == NUMBERS else "classification"
    task = options.task or (None if config.model.new_head else kind)
    return options.changed(task=task, preparation=start.metadata.get("preparation") or {})


def loss_of(config: RunConfig, train: Dataset, start: Model | None = None) -> Loss:
    """Return the loss that a configuration names, that of the saved model, or the usual one for the data."""
    named = config.training.loss
    if named is not None:
        return named
    known = start.loss if start is not None and config.model.start is None else None
    return usual_loss(train, known)


def network_or_model(config: RunConfig, train: Dataset, start: Model | None = None) -> Network | Model:
    """Return a new network for data and loss, or the saved model that a run starts from."""
    wanted, loss, t = config.model, loss_of(config, train, start), config.training
    if start is not None:
        return fitted(start, wanted, train, loss, t.seed, t.initial or "he")
    outputs = loss.output_count(train)
    network = build(wanted.name, max(2, outputs), train.sample_shape, **wanted.options)
    network = network if outputs > 1 else with_outputs(network, outputs)
    return with_ending(network, train, loss)


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
