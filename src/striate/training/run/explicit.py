"""Write out what a configuration leaves to its defaults."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from striate.data.registry import NAMES
from striate.models.registry import MODELS
from striate.training.callbacks import EarlyStopping, ReduceOnPlateau
from striate.training.optimizers.registry import describe, from_description
from striate.training.schedules import schedule_arguments

if TYPE_CHECKING:
    from striate.training.run.config import RunConfig, TrainingConfig


def explicit(config: RunConfig) -> RunConfig:
    """Return ``config`` with every argument written out and every path absolute."""
    data, model = config.data, config.model
    training = _written_out(config.training)
    folder = None if data.folder is None else _absolute(data.folder)
    source = data.name if data.name in NAMES else _absolute(data.name)
    options = model.options
    if model.name in MODELS:
        options = {**_defaults(MODELS[model.name], skip=("classes", "input_shape")), **options}
    return dataclasses.replace(
        config,
        data=dataclasses.replace(data, name=source, folder=folder),
        model=dataclasses.replace(model, name=_absolute(model.name), options=options),
        training=training,
        early_stopping=_filled(EarlyStopping, config.early_stopping),
        reduce_on_plateau=_filled(ReduceOnPlateau, config.reduce_on_plateau),
    )


def _written_out(training: TrainingConfig) -> TrainingConfig:
    """Return ``training`` with every argument of optimizer and schedule, where it names them."""
    optimizer, schedule = training.optimizer, training.schedule
    if optimizer is not None:
        rule = from_description(optimizer)
        rate = rule.learning_rate if training.learning_rate is None else training.learning_rate
        training = dataclasses.replace(training, optimizer=describe(rule), learning_rate=rate)
    if schedule is not None and "name" in schedule:
        training = dataclasses.replace(training, schedule=schedule_arguments(schedule))
    return training


def _absolute(name: str) -> str:
    return str(Path(name).resolve()) if Path(name).exists() else name


def _filled(kind: Callable[..., Any], arguments: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return None if arguments is None else {**_defaults(kind), **arguments}


def _defaults(function: Callable[..., Any], skip: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return the arguments of a function that have a default."""
    found = inspect.signature(function).parameters.values()
    return {p.name: p.default for p in found if p.default is not p.empty and p.name not in skip}
