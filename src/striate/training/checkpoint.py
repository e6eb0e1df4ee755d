"""A training in one file: the model, with everything needed to continue bit for bit."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from striate.errors import ModelFileError, UsageError
from striate.storage import model_file
from striate.storage.container import reading, write
from striate.storage.model_file import EXTRA
from striate.training.history import EpochRecord
from striate.training.optimizers.registry import OPTIMIZERS, describe, from_description
from striate.training.settings.training import TrainingSettings
from striate.training.state import TrainingState

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
Written = tuple[dict[str, Any], dict[str, np.ndarray]]
"""The JSON object and the tensors of a checkpoint."""


def save(state: TrainingState, path: str | Path) -> Path:
    """Write the state of a training, atomically; return the path."""
    return write(path, *_compose(state))


def copy_of(state: TrainingState) -> Written:
    """Return the contents of a checkpoint of the current state, for ``write``."""
    content, tensors = _compose(state)
    return content, {name: tensor.copy() for name, tensor in tensors.items()}


def _compose(state: TrainingState) -> Written:
    """Return the contents of a checkpoint; the tensors are views."""
    state.synchronise()
    contents = state.model.contents()
    callbacks, arrays = _callback_states(state)
    training = {
        "settings": exact_settings(state),
        "progress": {key: getattr(state.progress, key) for key in _POSITION},
        "seconds": state.progress.seconds if state.progress.batch else 0.0,
        "stop_reason": None if state.history.interrupted else state.stop_reason,
        "learning_rate_factor": state.learning_rate_factor,
        "history": [record.to_dict() for record in state.history.records],
        "callbacks": callbacks,
        "data": state.fingerprint,
    }
    vectors = {**vars(state.optimizer), **arrays}
    tensors = {**model_file.named_tensors(contents), **{EXTRA + name: array for name, array in vectors.items()}}
    return {"kind": "checkpoint", **model_file.describe(contents), "training": training}, tensors


def restore(state: TrainingState, path: str | Path) -> None:
    """Restore a state from a checkpoint.

    Raises
    ------
    ModelFileError
        If the file is not a usable checkpoint.
    UsageError
        If it belongs to a training with another network or other settings.
    """
    with reading(path) as container:
        if container.content.get("kind") != "checkpoint":
            raise ModelFileError(f"{path}: this is a model, not a checkpoint; start a new run from it.")
        network = model_file.check_description(container)
        training = _check_settings(path, state, network.describe(), container.content.get("training"))
        tensors = container.tensors()
    try:
        _take(state, training, tensors)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ModelFileError(
            f"{path}: the training state is damaged ({error!r}). Use an earlier checkpoint."
        ) from error
    contents = model_file.contents_from(container.content, network, tensors)
    model = state.model
    model.theta[:], model.states[:] = contents.theta, contents.states
    model.classes, model.normalisation = contents.classes, contents.normalisation
    model.target_normalisation = contents.target_normalisation
    state.publish()


def exact_settings(state: TrainingState) -> dict[str, Any]:
    """Return what must not change for a training to continue bit for bit, as JSON types."""
    settings = state.settings
    exact = settings.exact()
    if callable(settings.learning_rate):
        exact["schedule"] = None
    return {**exact, "rates": {name: factor for name, factor in state.factors.items() if factor != 1}}


def _check_settings(
    path: str | Path, state: TrainingState, network: dict[str, Any], training: Any
) -> dict[str, Any]:
    if not isinstance(training, dict) or not isinstance(training.get("settings"), dict):
        raise ModelFileError(f"{path}: the training state is missing. Use an earlier checkpoint.")
    if network != state.network.describe():
        raise UsageError(
            f"{path}: training must continue with the network it began with, {network['name']!r}; "
            f"got another, {state.network.name!r}. Build the same."
        )
    saved, unsaid = _migrated(training["settings"]), TrainingSettings().exact()
    for key, value in exact_settings(state).items():
        before = saved.get(key, unsaid.get(key))
        if before != value:
            raise UsageError(
                f"{path}: training must continue with the settings it began with; {key} was {before!r}, got "
                f"{value!r}. Use the same, or start a new run from the model."
            )
    return training


def _migrated(saved: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a checkpoint as this version writes them."""
    found = dict(saved)
    if "optimizer_arguments" in found:  # version 0.1
        kind = str(found.get("optimizer"))
        names = [name for name, cls in OPTIMIZERS.items() if cls.__name__ == kind]
        found["optimizer"] = {"name": names[0] if names else kind, **found.pop("optimizer_arguments")}
        if found.get("augmentation") is None:
            found["augmentation"] = {"transforms": [], "border": "constant", "fill": 0.0}
    rule = found.get("optimizer")
    if isinstance(rule, dict) and str(rule.get("name")) in OPTIMIZERS:  # with the arguments added since
        found["optimizer"] = describe(from_description(rule))
    return found


def _take(state: TrainingState, training: dict[str, Any], tensors: dict[str, np.ndarray]) -> None:
    records = [EpochRecord.from_dict(record) for record in training["history"]]
    position = {key: training["progress"][key] for key in _POSITION}
    vectors = {name: tensors[EXTRA + name] for name in vars(state.optimizer)}
    states = {name: dict(kept) for name, kept in training["callbacks"].items()}
    for name, array in tensors.items():
        if name.startswith(f"{EXTRA}callbacks/"):
            _, _, callback, key = name.split("/", 3)
            states[callback][key] = array
    for name, vector in vectors.items():
        getattr(state.optimizer, name)[:] = vector
    vars(state.progress).update(position, seconds_before=float(training["seconds"]))
    state.learning_rate_factor = float(training["learning_rate_factor"])
    state.history.records[:] = records
    state.restored = states
    state.stop_reason = training["stop_reason"]
    state.fingerprint = training["data"]


def _callback_states(state: TrainingState) -> tuple[dict[str, dict[str, Any]], dict[str, np.ndarray]]:
    """Return the callbacks' states without arrays, and the arrays by name."""
    states: dict[str, dict[str, Any]] = {**state.restored}
    states |= {callback.name: callback.state() for callback in state.callbacks}
    arrays = {
        f"callbacks/{name}/{key}": value
        for name, kept in states.items()
        for key, value in kept.items()
        if isinstance(value, np.ndarray)
    }
    plain = {
        name: {key: value for key, value in kept.items() if not isinstance(value, np.ndarray)}
        for name, kept in states.items()
    }
    return plain, arrays
