"""Models from files: the contents of a file are checked before a model is made of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from striate.data.preparation import check_preparation
from striate.errors import ModelFileError, StriateError
from striate.losses import CLASSES, LABELS, LOSSES, NUMBERS
from striate.model.core import Model
from striate.storage import model_file


def load(path: str | Path, threads: int | None = None, winograd: bool = True) -> Model:
    """Return the model of a file that ``Model.save`` or a checkpoint wrote, or of the folder of a run.

    Everything the file says is checked before memory for tensors is taken, and a checksum is compared
    afterwards. No code comes from the file.

    Raises
    ------
    ModelFileError
        If the file is missing, truncated, damaged, of another kind, or disagrees with itself.
    """
    model = from_contents(model_file.load(path), threads, winograd)
    _check_metadata(Path(path), model)
    return model


def _check_metadata(path: Path, model: Model) -> None:
    """Raise ModelFileError if the metadata of a file are not those of a model."""
    name = _loss_name(model.metadata.get("loss_function"))
    if isinstance(name, str) and name not in LOSSES:
        raise ModelFileError(
            f"{path}: was trained with the loss {name!r}, which is not known here. If it is your own, register it "
            "with striate.losses.register before loading."
        )
    try:
        preparation, kind, _ = model.metadata.get("preparation") or {}, model.kind, model.loss
        check_preparation(preparation)
        if kind not in (CLASSES, LABELS, NUMBERS):
            raise ModelFileError(f"targets must be {CLASSES}, {LABELS} or {NUMBERS}; got {kind!r}.")
    except (StriateError, TypeError, ValueError) as error:
        reason = error if isinstance(error, StriateError) else "a value is of the wrong type"
        raise ModelFileError(f"{path}: its metadata is damaged; {reason} Restore it from a copy.") from None


def _loss_name(description: Any) -> Any:
    """Return the name of the loss that ``Loss.describe`` wrote."""
    return description.get("name") if isinstance(description, Mapping) else description


def from_contents(contents: model_file.Contents, threads: int | None = None, winograd: bool = True) -> Model:
    """Return the model in a file."""
    c = contents
    return Model(
        c.network,
        c.theta,
        c.states,
        c.classes,
        c.normalisation,
        c.metadata,
        threads,
        winograd,
        c.target_normalisation,
    )
