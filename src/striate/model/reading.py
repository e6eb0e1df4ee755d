"""Files as a model takes them, brought to its input as in training."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

from striate.data.unlabelled import Unlabelled, read_unlabelled

if TYPE_CHECKING:
    from striate.data.options import Options
    from striate.model.core import Model


def read_inputs(model: Model, path: str | Path, fit: str | None = None, invert: bool = False) -> Unlabelled:
    """Return the inputs in a file, folder, archive or pattern as ``model`` takes them.

    Parameters
    ----------
    model : Model
    path : path
        See `read_unlabelled`.
    fit : {"stretch", "crop", "pad"}, optional
        How an image of another aspect ratio fits; as in training by default.
    invert : bool
        Swap light and dark.

    Raises
    ------
    DataError
        If nothing can be read.
    UsageError
        For another ``fit``.
    """
    from striate.data.images import check_options

    preparation: dict[str, Any] = {"fit": "stretch", **(model.metadata.get("preparation") or {})}
    preparation |= {"fit": fit} if fit else {}
    check_options(3, None, preparation["fit"])
    return read_unlabelled(path, model.input_shape, invert=invert, **preparation)


def like_model(model: Model, options: Options) -> Options:
    """Return ``options`` with the size, channels and shape that a model takes, where they say nothing else."""
    shape = model.input_shape
    size = options.size or (shape[1:] if len(shape) in (2, 3) else None)
    channels = options.channels or (shape[0] if len(shape) == 3 and shape[0] in (1, 3) else None)
    rows = options.shape or (shape if len(shape) > 1 else None)
    known = model.metadata.get("preparation") or {}
    return dataclasses.replace(
        options,
        size=size,
        channels=channels,
        shape=rows,
        fit=known.get("fit", options.fit),
        task=options.task or ("regression" if model.kind == "numbers" else "classification"),
        preparation=known,
    )
