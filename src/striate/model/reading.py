"""Files and data sets converted to the input of a model, as in training."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from striate.data import unlabelled
from striate.data.unlabelled import Unlabelled, read_unlabelled

LEAST_GAP = 80  # grey levels between the means of images whose ground is taken for another

if TYPE_CHECKING:
    import numpy as np

    from striate.data.dataset import Dataset
    from striate.data.options import Options
    from striate.data.splits import Splits
    from striate.model.core import Model


def read_inputs(
    model: Model, path: str | Path, fit: str | None = None, invert: bool = False, step: float | None = None
) -> Unlabelled:
    """Return the inputs in a file, folder, archive or pattern, converted for ``model``.

    Parameters
    ----------
    model : Model
    path : path
        See `read_unlabelled`.
    fit : {"stretch", "crop", "pad"}, optional
        How an image of another aspect ratio fits; as in training by default.
    invert : bool
        Swap light and dark.
    step : float, optional
        Read recordings and logs in windows, one every ``step`` seconds or rows.

    Raises
    ------
    DataError
        If nothing can be read.
    UsageError
        For another ``fit``.
    """
    from striate.data.images import check_options

    preparation = _preparation(model) | ({"fit": fit} if fit else {})
    check_options(3, None, preparation["fit"])
    found = read_unlabelled(path, model.input_shape, invert=invert, step=step, **preparation)
    return found._replace(notes=(*found.notes, *_swapped(model, found.inputs, invert)))


def _swapped(model: Model, inputs: np.ndarray, invert: bool) -> tuple[str, ...]:
    """Return a note where most grey images are as light as those of the training were dark, or the reverse."""
    usual = model.normalisation
    if usual is None or inputs.dtype != "uint8" or inputs.ndim != 4 or inputs.shape[1] != 1 or not len(inputs):
        return ()
    mean, found = usual.mean[0], inputs.mean(axis=(1, 2, 3))
    gap = abs(found - mean)
    likely = (gap > LEAST_GAP) & (abs(255 - found - mean) < gap / 2)
    if abs(mean - 127.5) < LEAST_GAP / 2 or likely.mean() <= 0.5:
        return ()
    ground = "dark" if mean < 127.5 else "light"
    return (
        f"the model knows images on {ground} ground (mean grey {mean:.0f} of 255); got {found[likely][0]:.0f}. "
        + ("Leave --invert out." if invert else "Take --invert to swap light and dark."),
    )


def every_sample(model: Model, path: str | Path) -> np.ndarray:
    """Return the inputs of a path, as `read_inputs` does; warn of what it notes, and of unreadable files."""
    found = read_inputs(model, path)
    for note in found.notes:
        warnings.warn(f"{path}: {note}", stacklevel=7)  # where ``predict`` is called
    if bad := found.bad_files:
        warnings.warn(
            f"{path}: left out {len(bad)} of {len(bad) + len(found.names)} files, {bad[0].path} first "
            f"({bad[0].reason}). Model.read tells which files the samples are of.",
            stacklevel=7,
        )
    return found.inputs


def read_each(model: Model, items: Sequence[str | Path]) -> np.ndarray:
    """Return the input of each file of a list; for a model of texts, a ``str`` is a text itself.

    Raises
    ------
    DataError
        If one cannot be read.
    """
    return unlabelled.read_each(items, model.input_shape, **_preparation(model))


def read_picture(model: Model, file: BinaryIO) -> np.ndarray:
    """Return the image of a file in memory, converted for ``model``, uint8[1, C, H, W].

    Raises FileProblem or DataError as `unlabelled.read_picture` does.
    """
    return unlabelled.read_picture(file, model.input_shape, _preparation(model)["fit"])


def _preparation(model: Model) -> dict[str, Any]:
    return {"fit": "stretch", **(model.metadata.get("preparation") or {})}


def like_model(model: Model, options: Options) -> Options:
    """Return ``options`` with the size, channels and shape of a model's input where they leave these open."""
    shape = model.input_shape
    size = options.size or (shape[1:] if len(shape) in (2, 3) else None)
    channels = options.channels or (shape[0] if len(shape) == 3 and shape[0] in (1, 3) else None)
    rows = options.shape or shape
    known = model.metadata.get("preparation") or {}
    return dataclasses.replace(
        options,
        size=size,
        channels=channels,
        shape=rows,
        axes=len(shape) if len(shape) > 1 else None,
        fit=known.get("fit", options.fit),
        task=options.task or ("regression" if model.kind == "numbers" else "classification"),
        preparation=known,
    )


def data_for_model(
    model: Model, name: str | Path, folder: Path | None, seed: int, options: Options, validation: float = 0.1
) -> Splits:
    """Return the splits of a data set in the shape and with the classes of ``model``.

    Raises
    ------
    DataError, ShapeError, UsageError
        If the data set cannot be had, or has other samples or classes.
    """
    from striate.data import registry
    from striate.data.targets import align_classes
    from striate.errors import ShapeError
    from striate.layers.base import format_shape

    splits = registry.load(name, folder, seed, validation, like_model(model, options))
    if splits.train.sample_shape != model.input_shape:
        raise ShapeError(
            f"{name}: samples must be {format_shape(model.input_shape)}, as {model.network.name} takes them; "
            f"got {format_shape(splits.train.sample_shape)}. Use the data set it was trained on, or one like it."
        )
    if not model.classes:
        return splits

    def aligned(data: Dataset) -> Dataset:
        return align_classes(data, model.classes, str(name))

    return dataclasses.replace(
        splits,
        train=aligned(splits.train),
        validation=splits.validation and aligned(splits.validation),
        test=splits.test and aligned(splits.test),
    )
