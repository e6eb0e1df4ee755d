"""The predictions for every window of a picture: probabilities, a heat map, the strongest windows, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from striate.checks import integer
from striate.data.pixels import resized
from striate.errors import unknown_name
from striate.explain.tracing import score_step, trace
from striate.model import Model

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from striate.explain.reasons import Why


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
    """The predictions of a model for every window of a picture.

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
        return class_number_of(self.model, target)

    def scores(self, target: int | str) -> np.ndarray:
        """Return the probability of one class in every window, float32[R, S]."""
        return np.asarray(self.probabilities[self.class_number(target)])

    def heat(self, target: int | str) -> np.ndarray:
        """Return for each pixel the mean probability of the windows that contain it, float64[rows, columns].

        NaN where there are none, which happens only with a stride larger than the window.
        """
        scores = self.scores(target).astype(np.float64)
        mean, counts = self._spread(scores), np.rint(self._spread(np.ones_like(scores)))
        with np.errstate(invalid="ignore"):
            mean /= np.where(counts > 0, counts, np.nan)
        return np.asarray(np.clip(mean, 0.0, 1.0, out=mean))

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
        return window_sample(self.model, self.picture, int(self.tops[r]), int(self.lefts[s]), self.window)

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
        for axis in (0, 1):
            np.cumsum(room, axis, out=room)
        return room[:rows, :columns]


def class_number_of(model: Model, target: int | str) -> int:
    """Return the number of a class given by name or number; raises UsageError if there is none."""
    names = model.output_names
    if isinstance(target, str):
        if target not in names:
            raise unknown_name("class", target, names)
        return names.index(target)
    return integer(target, "class", 0, len(names) - 1)


def window_sample(model: Model, raw: np.ndarray, top: int, left: int, size: tuple[int, ...]) -> np.ndarray:
    """Return one window as the model takes it."""
    cut = raw[:, top : top + size[0], left : left + size[1]]
    if size == model.input_shape[1:]:
        return cut
    fit = (model.metadata.get("preparation") or {}).get("fit", "stretch")
    return resized(cut, (model.input_shape[1], model.input_shape[2]), fit)
