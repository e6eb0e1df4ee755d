"""Sweep a classifier over a large picture: cut the windows, and compute them one by one or tile by tile."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from striate.checks import integer
from striate.data.images import read_image
from striate.errors import ShapeError, UsageError
from striate.explain.score_map import ScoreMap, class_number_of, window_sample
from striate.explain.tiles import compute_tiles
from striate.layers.base import format_shape
from striate.losses import NUMBERS
from striate.model import Model

WINDOWS = 256  # computed together
PER_WINDOW = 4  # strides in a window, by default


def sweep(
    model: Model,
    picture: str | Path | np.ndarray,
    stride: int | None = None,
    window: int | tuple[int, int] | None = None,
    invert: bool = False,
    progress: Callable[[int, int], object] | None = None,
) -> ScoreMap:
    """Return the probabilities that a model gives to every window of a picture.

    The numbers are those of `Model.predict_proba` on each window. Networks without padding compute all windows of
    a tile at once, as fully convolutional networks; the numbers are the same up to rounding.

    Parameters
    ----------
    model : Model
        Of classes or labels, for pictures.
    picture : path or array [C, rows, columns]
        At least as large as a window; raw, as the samples that the model was trained on.
    stride : int, optional
        Pixels from one window to the next; a quarter of the window by default. The last windows of rows and columns
        end at the edge of the picture.
    window : int or (rows, columns), optional
        The size of a window in the picture: the size that the model takes by default. Other windows are resized as
        `read_image` does, and need a picture of bytes.
    invert : bool
        Swap light and dark of a file, for dark strokes on paper where the model learnt light on dark.
    progress : function, optional
        Called with the number of windows that are done, and of all, as the sweep goes on.

    Raises
    ------
    UsageError
        If the model is not one of classes of whole pictures, the stride is below 1, or outputs are not finite.
    ShapeError
        If the picture is smaller than a window, or has other channels than the model takes.
    DataError
        If the file cannot be read.

    Examples
    --------
    >>> from striate import Sequential, layers
    >>> network = Sequential([layers.Flatten(), layers.Linear(2), layers.Softmax()], (1, 2, 2))
    >>> bright = Model(network, np.array([0, 0, 0, 0, 1, 1, 1, 1, 0, -2], np.float32))
    >>> found = sweep(bright, np.eye(4)[None], stride=1)
    >>> found.scores(1).round(2)
    array([[0.5 , 0.27, 0.12],
           [0.27, 0.5 , 0.27],
           [0.12, 0.27, 0.5 ]], dtype=float32)
    """
    check_model(model)
    raw = _pixels(model, picture, invert)
    size = _window(model.input_shape[1:] if window is None else window)
    _check_fits(raw, size, model)
    step = max(1, min(size) // PER_WINDOW) if stride is None else integer(stride, "stride")
    tops, lefts = (_starts(length, part, step) for length, part in zip(raw.shape[1:], size, strict=True))
    probabilities = np.empty((len(model.output_names), len(tops), len(lefts)), np.float32)
    missing = np.ones(probabilities.shape[1:], bool)
    report = progress or (lambda done, total: None)
    if size == model.input_shape[1:]:
        for done in compute_tiles(model, raw, (tops, lefts), probabilities, missing):
            report(done, missing.size)
    places = np.argwhere(missing)
    for first in range(0, len(places), WINDOWS):
        some = places[first : first + WINDOWS]
        windows = np.stack([window_sample(model, raw, int(tops[r]), int(lefts[s]), size) for r, s in some])
        probabilities[:, some[:, 0], some[:, 1]] = model.predict_proba(windows, WINDOWS).T
        report(missing.size - len(places) + first + len(some), missing.size)
    if not np.isfinite(probabilities).all():
        raise UsageError(
            "sweep: the model's outputs must be finite; got NaN or infinity. Check the picture, or train the model "
            "again."
        )
    return ScoreMap(model, raw, probabilities, tops, lefts, size)


def check_target(model: Model, target: int | str) -> None:
    """Raise UsageError unless ``model`` can be swept over a picture for the class ``target``."""
    check_model(model)
    class_number_of(model, target)


def check_model(model: Model) -> None:
    """Raise UsageError unless ``model`` gives one class, or labels, for a picture."""
    shape, name = model.input_shape, model.network.name
    preparation = model.metadata.get("preparation") or {}
    if len(shape) != 3 or any(preparation.get(key) for key in ("table", "text", "rate")):
        raise UsageError(
            f"sweep: needs a model of pictures, channels x rows x columns; got {name}, which takes "
            f"{format_shape(shape)}. Train one on pictures."
        )
    if model.kind == NUMBERS:
        raise UsageError(f"sweep: needs a model of classes or labels; got {name}, which predicts numbers.")
    if len(model.network.output_shape) > 1 and np.prod(model.network.output_shape[1:]) > 1:
        raise UsageError(
            f"sweep: needs a model with one answer for a picture; got {name}, which gives a class to every "
            "position. Use predict --masks."
        )


def _pixels(model: Model, picture: Any, invert: bool) -> np.ndarray:
    channels = model.input_shape[0]
    if isinstance(picture, str | Path):
        if channels not in (1, 3):
            raise ShapeError(
                f"sweep: picture files have 1 or 3 channels; got a model that takes {channels}. Give an array."
            )
        return read_image(picture, channels, invert=invert)
    if invert:
        raise UsageError("sweep: invert is for files; got an array. Invert it, such as 255 - picture.")
    raw = np.asarray(picture)
    raw = raw[None] if raw.ndim == 2 else raw
    if raw.ndim != 3 or len(raw) != channels:
        raise ShapeError(
            f"sweep: the picture must be {channels} x rows x columns; got {format_shape(raw.shape)}. Reshape it."
        )
    return raw


def _window(window: Any) -> tuple[int, int]:
    sizes = (window, window) if np.ndim(window) == 0 else tuple(window)
    if len(sizes) != 2:
        raise UsageError(f"window: must be a number or (rows, columns); got {window!r}.")
    return integer(sizes[0], "window"), integer(sizes[1], "window")


def _check_fits(raw: np.ndarray, size: tuple[int, ...], model: Model) -> None:
    rows, columns = raw.shape[1:]
    if rows < size[0] or columns < size[1]:
        raise ShapeError(
            f"sweep: the picture must be at least as large as a window of {size[0]} x {size[1]}; got "
            f"{rows} x {columns}. Use a larger picture or a smaller window."
        )
    if size != model.input_shape[1:] and raw.dtype != np.uint8:
        raise UsageError(
            f"window: only pictures of bytes (uint8) are resized; got {raw.dtype}. Use windows of "
            f"{format_shape(model.input_shape[1:])}."
        )


def _starts(length: int, size: int, stride: int) -> np.ndarray:
    """Return where windows begin: every ``stride`` pixels, and the last one at the edge."""
    return np.unique(np.append(np.arange(0, length - size + 1, stride), length - size))
