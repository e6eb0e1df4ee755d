"""Fill in everything that a configuration leaves open, so that a run can be repeated and resumed anywhere."""

from __future__ import annotations

import inspect
import os
from pathlib import Path
from typing import Any

from striate.data.dataset import Dataset
from striate.data.registry import NAMES
from striate.model import Model
from striate.models.registry import MODELS
from striate.training.optimizers.registry import describe, from_description
from striate.training.run.build import loss_of
from striate.training.run.config import AUTO, ModelConfig, RunConfig
from striate.training.run.recipes import Recipe, fine_tuning, recipe
from striate.training.settings.training import TrainingSettings


def with_absolute_paths(config: RunConfig) -> RunConfig:
    """Return the same run with absolute paths of data and model, so that it can continue from any folder."""
    data, model = config.data, config.model
    folder = None if data.folder is None else _absolute(data.folder)
    source = data.name if data.name in NAMES else _absolute(data.name)
    name = model.name if model.name in MODELS else _absolute(model.name)
    start = model.start if model.start is None else _absolute(model.start)
    return config.changed(
        data=data.changed(name=source, folder=folder), model=model.changed(name=name, start=start)
    )


def resolve(config: RunConfig, data: Dataset, start: Model | None = None) -> RunConfig:
    """Return the same run with every setting filled in, from the training data where it is not set.

    The recipe of the data chooses network, training and augmentation. Its learning rate belongs to its network
    and optimizer: with others, the optimizer's usual rate is taken.

    Parameters
    ----------
    config : RunConfig
    data : Dataset
        The training split.
    start : Model, optional
        What the run starts from.
    """
    config = with_absolute_paths(config)
    if config.model.start is not None and start is not None:
        training = _filled(config.training, fine_tuning(data), own_model=True)
        return config.changed(training=training.changed(loss=loss_of(config, data, start)))
    found = recipe(data, config.data.name, config.model.name)
    model = config.model if config.model.name != AUTO else config.model.changed(name=found.model)
    if model.name == found.model:
        model = model.changed(options={**found.options, **model.options})
    training = _filled(config.training, found, own_model=model.name == found.model)
    config = config.changed(model=_with_options(model), training=training)
    return config.changed(training=training.changed(loss=loss_of(config, data, start)))


def _filled(training: TrainingSettings, found: Recipe, own_model: bool) -> TrainingSettings:
    own_optimizer = training.optimizer is None
    schedule = training.schedule or {}
    if "name" not in schedule:
        training = training.changed(schedule={**found.schedule, **schedule})
    training = training.filled(
        TrainingSettings(
            epochs=found.epochs,
            batch_size=found.batch_size,
            optimizer=from_description(found.optimizer),
            initial=found.initial,
            augmentation=found.augmentation,
        )
    )
    assert training.optimizer is not None
    describe(training.optimizer)  # refuses one that the configuration could not name
    if training.learning_rate is None:
        rate = found.learning_rate if own_model and own_optimizer else None
        training = training.changed(learning_rate=training.optimizer.learning_rate if rate is None else rate)
    return training


def _with_options(model: ModelConfig) -> ModelConfig:
    """Return the model with every option of a named network."""
    if model.name not in MODELS:
        return model
    known = inspect.signature(MODELS[model.name]).parameters.values()
    defaults: dict[str, Any] = {
        p.name: p.default for p in known if p.default is not p.empty and p.name not in ("classes", "input_shape")
    }
    return model.changed(options={**defaults, **model.options})


def _absolute(name: str) -> str:
    return str(Path(name).resolve()) if os.path.exists(name) else name
