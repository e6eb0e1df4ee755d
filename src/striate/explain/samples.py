"""One sample in the form that a model's network takes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from striate.data.dataset import Dataset
from striate.data.problems import printable
from striate.data.unlabelled import Unlabelled
from striate.errors import ShapeError, UsageError
from striate.layers.base import format_shape
from striate.losses import NUMBERS
from striate.model import Model
from striate.model.reading import read_inputs


def as_sample(model: Model, sample: Any) -> np.ndarray:
    """Return one raw sample as float64[*input_shape].

    Parameters
    ----------
    sample : array or path
        Of the model's input shape, with or without a leading 1 for the batch; a grey picture may leave out its
        channel. A path names an image, which is brought to the size and colours of the model.

    Raises
    ------
    ShapeError
        For another shape.
    UsageError
        For anything but finite numbers.
    DataError
        If a file cannot be read.
    """
    if isinstance(sample, str | Path):
        return read_sample(model, sample)
    try:
        values = np.asarray(sample)
        if values.dtype.kind not in "biuf":
            raise TypeError
    except (TypeError, ValueError):
        raise UsageError(
            f"sample: must be numbers or the path of an image; got {type(sample).__name__}. Convert it first."
        ) from None
    shape = model.input_shape
    if values.shape not in {shape, (1, *shape), shape[1:] if shape[0] == 1 else shape}:
        raise ShapeError(
            f"sample: {model.network.name} takes {format_shape(shape)}; got {format_shape(values.shape)}. "
            "Resize it, or change its channels."
        )
    values = values.reshape(shape).astype(np.float64)
    if not np.isfinite(values).all():
        raise UsageError("sample: must be finite numbers; got NaN or infinity. Replace them first.")
    return values


def read_sample(
    model: Model, path: str | Path, fit: str | None = None, invert: bool = False, row: int = 1
) -> np.ndarray:
    """Return an input in a file as float64[*input_shape], brought to the model's size as in training.

    Parameters
    ----------
    model : Model
    path : path
    fit : {"stretch", "crop", "pad"}, optional
        How to fit an image of a different aspect ratio; as in training by default.
    invert : bool
        Swap light and dark.
    row : int
        Which input of a table or array, from 1.

    Raises
    ------
    DataError
        If the file cannot be read.
    UsageError
        For another ``fit``, a row that the file does not have, or a folder of several samples.
    """
    return sample_of(read_inputs(model, path, fit, invert), path, row)


def sample_of(found: Unlabelled, path: str | Path, row: int) -> np.ndarray:
    """Return one of the inputs read from a file, from 1, float64[*input_shape].

    Raises
    ------
    UsageError
        For a row that the file does not have, or a folder of several samples.
    """
    inputs, names, *_ = found
    if len(inputs) > 1 and Path(path).is_dir():
        raise UsageError(f"{printable(path)}: holds {len(inputs):,} samples. Name one of them, such as {names[0]}.")
    if not 1 <= row <= len(inputs):
        raise UsageError(f"{printable(path)}: holds samples 1 to {len(inputs):,}; got {row}. Give another number.")
    return np.array(inputs[row - 1], np.float64)


def as_batch(model: Model, samples: np.ndarray | Dataset) -> np.ndarray:
    """Return raw samples as an array [N, *input_shape] in their own type.

    Raises
    ------
    ShapeError
        If they are not of the model's input shape.
    """
    inputs = samples.inputs if isinstance(samples, Dataset) else np.asarray(samples)
    if inputs.shape[1:] != model.input_shape or len(inputs) == 0:
        raise ShapeError(
            f"samples: {model.network.name} takes N x {format_shape(model.input_shape)}; "
            f"got {format_shape(inputs.shape)}. Resize or reshape them."
        )
    return inputs


def normalised(model: Model, raw: np.ndarray) -> np.ndarray:
    """Return what the network sees of raw samples [N, *input_shape], float64."""
    raw = np.asarray(raw, np.float64)
    return raw if model.normalisation is None else model.normalisation.apply(raw, np.float64)


def raw_scale(model: Model) -> np.ndarray:
    """Return what each channel is divided by before the network, float64[C, 1, ...]."""
    ones = (1,) * (len(model.input_shape) - 1)
    scale = (1.0,) * model.input_shape[0] if model.normalisation is None else model.normalisation.scale
    return np.asarray(scale, np.float64).reshape(-1, *ones)


def class_number(model: Model, target: int | str | None, scores: np.ndarray) -> int:
    """Return the number of a class given by number or name; the one with the largest of ``scores`` by default.

    By default of a regression it is the first number, for numbers in different units have no largest.

    Raises
    ------
    UsageError
        For a class that does not exist, with those that do.
    """
    if target is None:
        return 0 if model.kind == NUMBERS else int(np.argmax(scores))
    if isinstance(target, str) and target in model.classes:
        return model.classes.index(target)
    count = len(scores)
    is_number = isinstance(target, int | np.integer) and not isinstance(target, bool)
    if is_number and 0 <= int(target) < count:
        return int(target)
    known = ", ".join(model.classes[:12]) + (", ..." if len(model.classes) > 12 else "")
    names = f" or one of {known}" if model.classes else ""
    raise UsageError(f"class: must be a number from 0 to {count - 1}{names}; got {target!r}.")


def feature_names(model: Model) -> tuple[str, ...]:
    """Return the names of the inputs of a model of tables, such as ``age`` or ``colour=red``; () of others."""
    from striate.data.tables import Schema

    table = (model.metadata.get("preparation") or {}).get("table")
    return tuple(Schema.from_dict(table).features) if table else ()
