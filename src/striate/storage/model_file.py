"""One model in one file: its tensors by name, and all else as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from textwrap import shorten
from typing import Any

import numpy as np

from striate.data.normalisation import Normalisation
from striate.errors import ModelFileError
from striate.layers.quantised_sums import LARGEST_BIAS, LARGEST_WEIGHT
from striate.network import Network, Slot
from striate.network_description import from_description
from striate.storage.container import Container, reading, write
from striate.storage.header import DTYPES
from striate.wording import shell_command

_LIMITS = {"int8": LARGEST_WEIGHT, "int32": LARGEST_BIAS}
_CODES = {dtype.name: code for code, dtype in DTYPES.items()}
MESSAGE = 400  # characters of a hostile description that are shown in one line
MODEL_NAME = "model.safetensors"
"""The name of the model in the folder of a run."""
EXTRA = "training/"
"""Prefixes of the tensors that a checkpoint has in addition to the model's."""


@dataclass(frozen=True, eq=False)
class Contents:
    """What a model file holds.

    Parameters
    ----------
    network : Network
    theta : float32[parameter_count]
    states : float32[state_count]
    classes : tuple of str
    normalisation : Normalisation or None
    metadata : mapping
        JSON types.
    target_normalisation : Normalisation or None
        Of the targets of a regression: the network predicts normalised ones.
    """

    network: Network
    theta: np.ndarray
    states: np.ndarray
    classes: tuple[str, ...]
    normalisation: Normalisation | None
    metadata: Mapping[str, Any]
    target_normalisation: Normalisation | None = None


def save(path: str | Path, contents: Contents) -> Path:
    """Write a model as one ``.safetensors`` file, atomically; return where it is.

    Raises
    ------
    ModelFileError
        If the file cannot be written; what was there before stays as it was.
    """
    return write(path, {"kind": "model", **describe(contents)}, named_tensors(contents))


def load(path: str | Path) -> Contents:
    """Return what the file of a model or a checkpoint, or the folder of a run, holds of a model.

    Raises
    ------
    ModelFileError
        If the file is missing, truncated, damaged, of another kind, or disagrees with itself.
    """
    with reading(model_file_of(path)) as container:
        network = check_description(container)
        return contents_from(container.content, network, container.tensors())


def model_file_of(path: str | Path) -> Path:
    """Return the file of a model: ``path`` itself, or for the folder of a run the model in it.

    Raises
    ------
    ModelFileError
        If it is a folder without a model.
    """
    folder = Path(path)
    if not folder.is_dir():
        return folder
    if (folder / MODEL_NAME).is_file():
        return folder / MODEL_NAME
    if (folder / "config.toml").is_file():
        raise ModelFileError(
            f"{folder}: this run has no model yet. Finish it with: {shell_command('resume', folder)}; "
            "or use a checkpoint."
        )
    raise ModelFileError(f"{folder}: must be a model file or the folder of a run; there is no {MODEL_NAME} in it.")


def describe(contents: Contents) -> dict[str, Any]:
    """Return everything of a model that is not a tensor, as JSON types."""
    return {
        "network": contents.network.describe(),
        "input_shape": list(contents.network.input_shape),
        "classes": list(contents.classes),
        "normalisation": _described(contents.normalisation),
        "target_normalisation": _described(contents.target_normalisation),
        "metadata": dict(contents.metadata),
    }


def _described(normalisation: Normalisation | None) -> dict[str, list[float]] | None:
    return None if normalisation is None else normalisation.to_dict()


def _normalisation(description: Any) -> Normalisation | None:
    return None if description is None else Normalisation.from_dict(description)


def _metadata(content: Mapping[str, Any]) -> Any:
    """Return the metadata of the model's training; files of version 0.1 call it "facts"."""
    return content["metadata"] if "metadata" in content else content["facts"]


def named_tensors(contents: Contents) -> dict[str, np.ndarray]:
    """Return parameters and states by name, each of the type in which a file stores it."""
    states = {slot.name: slot.view(contents.states) for slot in contents.network.states}
    return {slot.name: _stored(slot, contents.theta) for slot in contents.network.parameters} | states


def _stored(slot: Slot, vector: np.ndarray) -> np.ndarray:
    values, most = slot.view(vector), _LIMITS.get(slot.spec.stored)
    return values if most is None else np.clip(np.rint(values), -most, most).astype(slot.spec.stored)


def check_description(container: Container) -> Network:
    """Return the network that a file describes, once everything in its header agrees with it.

    Raises
    ------
    ModelFileError
        If it does not.
    """
    content, path = container.content, container.path
    try:
        network = from_description(content["network"])
        normalisation = _normalisation(content["normalisation"])
        units = _normalisation(content.get("target_normalisation"))
        channels = None if normalisation is None else len(normalisation.mean)
        classes, shape = content["classes"], content["input_shape"]
        known = isinstance(classes, list) and all(isinstance(name, str) for name in classes)
        known = known and isinstance(_metadata(content), dict)
    except (KeyError, TypeError, ModelFileError) as error:
        reason = str(error) if isinstance(error, ModelFileError) else "a part is missing"
        raise ModelFileError(f"{path}: must describe a model; {shorten(reason, MESSAGE)}") from None
    agreed = shape == list(network.input_shape) and channels in (None, network.input_shape[0])
    outputs = network.output_shape[0]
    agreed = agreed and (units is None or len(units.mean) in (outputs, outputs / 2))
    if not known or not agreed or not fits(len(classes), network.output_shape[0]):
        raise ModelFileError(f"{path}: its classes, input or normalisation do not fit its network. Train again.")
    _check_tensors(container, network)
    return network


def fits(classes: int, outputs: int) -> bool:
    """Return whether a number of outputs suits a number of classes; one output suits two."""
    return classes in (0, outputs) or (classes, outputs) == (2, 1)


def _check_tensors(container: Container, network: Network) -> None:
    slots: dict[str, Slot] = {slot.name: slot for slot in (*network.parameters, *network.states)}
    present = {name for name in container.entries if not name.startswith(EXTRA)}
    if present != set(slots):
        odd = sorted(present ^ set(slots))[0]
        state = "describes no" if odd in present else "lacks the"
        raise ModelFileError(f"{container.path}: its description and tensors disagree; it {state} tensor {odd!r}.")
    for name, slot in slots.items():
        entry, dtype = container.entries[name], _CODES[slot.spec.stored]
        if (entry.dtype, entry.shape) != (dtype, slot.spec.shape):
            raise ModelFileError(
                f"{container.path}: {name} must be {dtype} {list(slot.spec.shape)} as described; "
                f"got {entry.dtype} {list(entry.shape)}."
            )


def contents_from(content: Mapping[str, Any], network: Network, tensors: Mapping[str, np.ndarray]) -> Contents:
    """Return the model made of a checked description and its tensors.

    Raises
    ------
    ModelFileError
        If a parameter or running statistic is NaN or infinite.
    """
    theta = np.zeros(network.parameter_count, np.float32)
    states = np.zeros(network.state_count, np.float32)
    for slots, vector in ((network.parameters, theta), (network.states, states)):
        for slot in slots:
            slot.view(vector)[...] = tensors[slot.name]
            if not np.isfinite(tensors[slot.name]).all():
                raise ModelFileError(
                    f"{network.name}: the parameters of a model must be finite; {slot.name} are not. "
                    "Use an earlier checkpoint."
                )
    return Contents(
        network,
        theta,
        states,
        tuple(content["classes"]),
        _normalisation(content["normalisation"]),
        _metadata(content),
        _normalisation(content.get("target_normalisation")),  # files of version 0.1 have none
    )
