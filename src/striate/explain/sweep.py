"""A classifier swept over a large picture: what it says of every place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from striate.checks import integer
from striate.data.images import read_image
from striate.data.pixels import resized
from striate.errors import ShapeError, UsageError, unknown_name
from striate.explain.tracing import score_step, trace
from striate.layers.base import format_shape
from striate.losses import NUMBERS
from striate.model import Model
from striate.model.fully_convolutional import fully_convolutional

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from striate.explain.reasons import Why

WINDOWS = 256  # computed together
PER_WINDOW = 4  # strides in a window, by default


@dataclass(frozen=True)
class Found:
    """One window and how probable a class is in it.

    Parameters
    ----------
    row, column : int
        Upper left corner in the picture, counted from 0.
    rows, columns : int
        Size of the window.
    probability : float
    """

    row: int
    column: int
    rows: int
    columns: int
    probability: float


@dataclass(frozen=True, eq=False)
class ScoreMap:
    """What a model says of every window of a picture.

    Parameters
    ----------
    model : Model
    picture : array [C, rows, columns]
        The whole picture, raw.
    probabilities : float32[K, R, S]
        Of each class (or label) in the window at ``tops[r]``, ``lefts[s]``.
    tops, lefts : int64[R], int64[S]
        First row and first column of the windows; the last ones end at the edge of the picture.
    window : (rows, columns)
        The size of a window in the picture.
    """

    model: Model
    picture: np.ndarray
    probabilities: np.ndarray
    tops: np.ndarray
    lefts: np.ndarray
    window: tuple[int, int]

    def class_number(self, target: int | str) -> int:
        """Return the number of a class given by name or number.

        Raises
        ------
        UsageError
            If there is no such class.
        """
        return _class_number(self.model, target)

    def scores(self, target: int | str) -> np.ndarray:
        """Return the probability of one class in every window, float32[R, S]."""
        return np.asarray(self.probabilities[self.class_number(target)])

    def heat(self, target: int | str) -> np.ndarray:
        """Return for each pixel the mean probability of the windows that contain it, float64[rows, columns].

        NaN where there are none, which happens only with a stride larger than the window.
        """
        scores = self.scores(target).astype(np.float64)
        sums, counts = self._spread(scores), np.rint(self._spread(np.ones_like(scores)))
        mean = np.divide(sums, counts, out=np.full_like(sums, np.nan), where=counts > 0)
        return np.clip(mean, 0.0, 1.0)

    def strongest(self, target: int | str, count: int = 5) -> list[Found]:
        """Return up to ``count`` windows where a class is most probable, the best first; no two overlap."""
        scores, found = self.scores(target).astype(np.float64), []
        near = [np.abs(at[:, None] - at) < size for at, size in self._axes()]
        for _ in range(integer(count, "count")):
            r, s = np.unravel_index(int(scores.argmax()), scores.shape)
            if scores[r, s] == -np.inf:
                break
            found.append(Found(int(self.tops[r]), int(self.lefts[s]), *self.window, float(scores[r, s])))
            scores[np.ix_(near[0][r], near[1][s])] = -np.inf
        return found

    def sample(self, row: int, column: int) -> np.ndarray:
        """Return the window whose middle is nearest to a pixel as the model takes it, [*input_shape]."""
        r, s = self._nearest(row, column)
        return _sample(self.model, self.picture, int(self.tops[r]), int(self.lefts[s]), self.window)

    def why(self, row: int, column: int, target: int | str) -> Why:
        """Return the score of a class in the window nearest to a pixel, taken apart.

        Raises
        ------
        UsageError
            For a class, or a pixel, that does not exist.
        """
        number, found = self.class_number(target), trace(self.model, self.sample(row, column))
        layer = score_step(self.model.network)
        shape = found[layer].shape
        first = min(number, shape[0] - 1)  # a single score stands for both of two classes
        return found.why_at(layer, (first, *(0 for _ in shape[1:])))

    def draw(self, target: int | str, count: int = 5, axes: Axes | None = None) -> Axes:
        """Draw the picture with the heat map of a class over it; see `draw_score_map`."""
        from striate.explain.draw_sweep import draw_score_map

        return draw_score_map(self, target, count, axes)

    def _axes(self) -> tuple[tuple[np.ndarray, int], tuple[np.ndarray, int]]:
        return (self.tops, self.window[0]), (self.lefts, self.window[1])

    def _nearest(self, row: int, column: int) -> tuple[int, int]:
        """Return which window, down and across, has its middle nearest to a pixel."""
        numbers = []
        sizes = self.picture.shape[1:]
        for at, size, (starts, width), name in zip(
            (row, column), sizes, self._axes(), ("row", "column"), strict=True
        ):
            place = integer(at, name, 0, size - 1)
            numbers.append(int(np.abs(2 * starts + width - 1 - 2 * place).argmin()))
        return numbers[0], numbers[1]

    def _spread(self, values: np.ndarray) -> np.ndarray:
        """Return for each pixel the sum of the values of all windows that contain it."""
        rows, columns = self.picture.shape[1:]
        room = np.zeros((rows + 1, columns + 1))
        for down, sign_down in ((0, 1), (self.window[0], -1)):
            for across, sign_across in ((0, 1), (self.window[1], -1)):
                room[np.ix_(self.tops + down, self.lefts + across)] += sign_down * sign_across * values
        return np.asarray(room.cumsum(axis=0).cumsum(axis=1)[:rows, :columns])


def sweep(
    model: Model,
    picture: str | Path | np.ndarray,
    stride: int | None = None,
    window: int | tuple[int, int] | None = None,
    invert: bool = False,
    progress: Callable[[int, int], object] | None = None,
) -> ScoreMap:
    """Return the probabilities that a model gives to every window of a picture.

    The numbers are those of `Model.predict_proba` on each window. Networks without padding compute all windows at
    once, as fully convolutional networks; the numbers are the same up to rounding.

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
    if size == model.input_shape[1:]:
        _at_once(model, raw, (tops, lefts), probabilities, missing)
    places = np.argwhere(missing)
    for first in range(0, len(places), WINDOWS):
        some = places[first : first + WINDOWS]
        windows = np.stack([_sample(model, raw, int(tops[r]), int(lefts[s]), size) for r, s in some])
        probabilities[:, some[:, 0], some[:, 1]] = model.predict_proba(windows, WINDOWS).T
        if progress is not None:
            progress(missing.size - len(places) + first + len(some), missing.size)
    if not np.isfinite(probabilities).all():
        raise UsageError(
            "sweep: the model's outputs must be finite; got NaN or infinity. Check the picture, or train the model "
            "again."
        )
    return ScoreMap(model, raw, probabilities, tops, lefts, size)


def _at_once(
    model: Model, raw: np.ndarray, starts: tuple[np.ndarray, np.ndarray], out: np.ndarray, missing: np.ndarray
) -> None:
    """Compute the windows that the network reaches as a fully convolutional one, if it can be one."""
    try:
        wide, jump = fully_convolutional(model, raw.shape[1:])
    except ShapeError:
        return
    on = [np.flatnonzero(at % step == 0) for at, step in zip(starts, jump, strict=True)]
    covered = (len(on[0]) * len(on[1])) * np.prod(model.input_shape[1:])  # pixels computed window by window
    if covered < raw[0].size:
        return  # few windows, far apart: most of the map would not be used
    answers = wide.predict_proba(raw[None], 1)[0]
    if answers.ndim != 3 or len(answers) != len(out):
        return  # one output for two classes has no map of both
    rows, columns = (at[chosen] // step for at, chosen, step in zip(starts, on, jump, strict=True))
    every = np.arange(len(out))
    out[np.ix_(every, *on)] = answers[np.ix_(every, rows, columns)]
    missing[np.ix_(*on)] = False


def check_target(model: Model, target: int | str) -> None:
    """Raise UsageError unless ``model`` can be swept over a picture for the class ``target``."""
    check_model(model)
    _class_number(model, target)


def _class_number(model: Model, target: int | str) -> int:
    names = model.output_names
    if isinstance(target, str):
        if target not in names:
            raise unknown_name("class", target, names)
        return names.index(target)
    return integer(target, "class", 0, len(names) - 1)


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


def _sample(model: Model, raw: np.ndarray, top: int, left: int, size: tuple[int, ...]) -> np.ndarray:
    """Return one window as the model takes it."""
    cut = raw[:, top : top + size[0], left : left + size[1]]
    if size == model.input_shape[1:]:
        return cut
    fit = (model.metadata.get("preparation") or {}).get("fit", "stretch")
    return resized(cut, (model.input_shape[1], model.input_shape[2]), fit)
