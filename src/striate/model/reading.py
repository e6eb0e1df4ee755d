"""Files as a model takes them, brought to its input as in training."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from striate.data.unlabelled import Unlabelled, read_unlabelled

if TYPE_CHECKING:
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
