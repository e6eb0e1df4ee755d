"""A training in one file: the model's, with everything that is needed to go on bit for bit."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from striate.errors import ModelFileError, UsageError
from striate.storage import model_file
from striate.storage.container import reading, write
from striate.storage.model_file import EXTRA
from striate.training.history import EpochRecord

if TYPE_CHECKING:
    from striate.training.trainer import Trainer

_POSITION = (
    "epoch",
    "epochs",
    "first_epoch",
    "first_step",
    "batch",
    "step",
    "samples",
    "loss_sum",
    "correct_sum",
    "learning_rate",
)


State = tuple[dict[str, Any], dict[str, np.ndarray]]


def save_checkpoint(trainer: Trainer, path: str | Path) -> Path:
    """Write the state of ``trainer``, atomically; return the path."""
    return write(path, *_compose(trainer))


def copy_state(trainer: Trainer) -> State:
    """Return what a checkpoint would hold now, for ``write`` later."""
    content, tensors = _compose(trainer)
    return content, {name: tensor.copy() for name, tensor in tensors.items()}


def _compose(trainer: Trainer) -> State:
    """Return the JSON object and the tensors of a checkpoint; the tensors are views."""
    trainer.synchronise()
    contents = trainer.model.contents()
    callbacks, arrays = _callback_states(trainer)
    training = {
        "settings": settings(trainer),
        "progress": {key: getattr(trainer.progress, key) for key in _POSITION},
        "seconds": trainer.progress.seconds if trainer.progress.batch else 0.0,
        "stop_reason": None if trainer.history.interrupted else trainer.stop_reason,
        "learning_rate_factor": trainer.learning_rate_factor,
        "history": [record.to_dict() for record in trainer.history.records],
        "callbacks": callbacks,
        "data": trainer.data_mark,
    }
    vectors = {"first": trainer.moments.first, "second": trainer.moments.second, **arrays}
    tensors = {**model_file.named_tensors(contents), **{EXTRA + name: array for name, array in vectors.items()}}
    return {"kind": "checkpoint", **model_file.describe(contents), "training": training}, tensors


def restore(trainer: Trainer, path: str | Path) -> None:
    """Bring ``trainer`` to where the training of a checkpoint stood."""
    with reading(path) as container:
        if container.content.get("kind") != "checkpoint":
            raise ModelFileError(f"{path}: this is a model, not a checkpoint; start a new run from it.")
        network = model_file.check_description(container)
        training = _check_settings(path, trainer, network.describe(), container.content.get("training"))
        tensors = container.tensors()
    try:
        _take(trainer, training, tensors)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ModelFileError(f"{path}: the state of its training is damaged ({error!r}). Take an older.") from error
    contents = model_file.contents_from(container.content, network, tensors)
    trainer.model.theta[:], trainer.model.states[:] = contents.theta, contents.states
    trainer.model.classes, trainer.model.normalisation = contents.classes, contents.normalisation
    trainer.model.target_normalisation = contents.target_normalisation
    trainer.publish()


def settings(trainer: Trainer) -> dict[str, Any]:
    """Return what must be the same for a training to go on bit for bit, as JSON types."""
    weights = trainer.class_weights
    return {
        "optimizer": type(trainer.optimizer).__name__,
        "optimizer_arguments": trainer.optimizer.config(),
        "learning_rate": None if callable(trainer.learning_rate) else trainer.learning_rate,
        "schedule": None if callable(trainer.learning_rate) else trainer.schedule_arguments,
        "batch_size": trainer.batch_size,
        "seed": trainer.seed,
        "winograd": trainer.model.winograd,
        "loss": None if trainer.loss is None else trainer.loss.describe(),
        "auxiliary_weight": trainer.auxiliary_weight,
        "regularisation": dataclasses.asdict(trainer.regularisation),
        "class_weights": weights if weights is None or isinstance(weights, str) else _plain(weights),
        "sampling": trainer.sampling,
        "augmentation": None if trainer.augmentation is None else trainer.augmentation.to_dict(),
        "rates": {name: factor for name, factor in trainer.factors.items() if factor != 1},
    }


def _plain(weights: Any) -> Any:
    return dict(weights) if hasattr(weights, "keys") else [float(weight) for weight in weights]


def _check_settings(path: str | Path, trainer: Trainer, network: dict[str, Any], training: Any) -> dict[str, Any]:
    if not isinstance(training, dict) or not isinstance(training.get("settings"), dict):
        raise ModelFileError(f"{path}: the state of its training is missing. Use an earlier checkpoint.")
    if network != trainer.network.describe():
        raise UsageError(
            f"{path}: a run goes on with the network it began with, {network['name']!r}; "
            f"got another, {trainer.network.name!r}. Build the same."
        )
    for key, value in settings(trainer).items():
        saved = training["settings"].get(key)
        if saved != value:
            raise UsageError(
                f"{path}: a run goes on with the settings it began with; {key} was {saved!r}, got {value!r}. "
                "Use the same, or begin a new run from the model."
            )
    return training


def _take(trainer: Trainer, training: dict[str, Any], tensors: dict[str, np.ndarray]) -> None:
    records = [EpochRecord(**record) for record in training["history"]]
    position = {key: training["progress"][key] for key in _POSITION}
    first, second = tensors[EXTRA + "first"], tensors[EXTRA + "second"]
    states = {name: dict(state) for name, state in training["callbacks"].items()}
    for name, array in tensors.items():
        if name.startswith(f"{EXTRA}callbacks/"):
            _, _, callback, key = name.split("/", 3)
            states[callback][key] = array
    trainer.moments.first[:], trainer.moments.second[:] = first, second
    vars(trainer.progress).update(position, seconds_before=float(training["seconds"]))
    trainer.learning_rate_factor = float(training["learning_rate_factor"])
    trainer.history.records[:] = records
    trainer.restored = states
    trainer.stop_reason = training["stop_reason"]
    trainer.data_mark = training["data"]


def _callback_states(trainer: Trainer) -> tuple[dict[str, dict[str, Any]], dict[str, np.ndarray]]:
    """Return the callbacks' states without arrays, and the arrays by name."""
    states: dict[str, dict[str, Any]] = {**trainer.restored}
    states |= {callback.name: callback.state() for callback in trainer.callbacks}
    arrays = {
        f"callbacks/{name}/{key}": value
        for name, state in states.items()
        for key, value in state.items()
        if isinstance(value, np.ndarray)
    }
    plain = {
        name: {key: value for key, value in state.items() if not isinstance(value, np.ndarray)}
        for name, state in states.items()
    }
    return plain, arrays
