"""Template matching: where a small picture fits best into a large one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from striate.drawing.notebook import Readable
from striate.errors import ShapeError, UsageError
from striate.numbers import as_numbers

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True)
class Match:
    """One place where the patch fits.

    Parameters
    ----------
    row, column : int
        Upper left corner in the picture, counted from 0.
    score : float
        Normalised correlation from -1 to 1; 1 for the patch itself, also brighter or with more contrast.
    """

    row: int
    column: int
    score: float


@dataclass(frozen=True, eq=False, repr=False)
class TemplateSearch(Readable):
    """Scores of every position and the best places.

    Parameters
    ----------
    scores : float64[rows - patch rows + 1, columns - patch columns + 1]
        Normalised correlation; 0 where the picture is flat.
    matches : tuple of Match
        The best first; no two overlap by half a patch or more on both axes.
    patch_size : (int, int)
        Rows and columns.
    """

    scores: np.ndarray
    matches: tuple[Match, ...]
    patch_size: tuple[int, int]

    @property
    def best(self) -> Match:
        """The place where the patch fits best."""
        return self.matches[0]

    def __str__(self) -> str:
        rows, columns = self.patch_size
        lines = [f"patch of {rows} x {columns}, {self.scores.size} positions; best fits (row, column: correlation)"]
        lines += [f"  {match.row:>5}, {match.column:>5}: {match.score:.4f}" for match in self.matches]
        return "\n".join(lines)


def template_search(picture: Any, patch: Any, *, best: int = 5) -> TemplateSearch:
    """Sweep a patch over a picture as a filter and return the places where it fits best.

    ``score = sum((window - mean(window)) * (patch - mean(patch))) / (norm of the one * norm of the other)``

    Parameters
    ----------
    picture, patch : array [rows, columns] or [channels, rows, columns]
        The means are taken over all channels together.
    best : int
        Places to return, fewer if there are no more.

    Raises
    ------
    ShapeError
        For a patch larger than the picture, or with other channels.
    UsageError
        For a patch without contrast, or `best` below 1.

    References
    ----------
    Lewis (1995), "Fast normalized cross-correlation", section 2.

    Examples
    --------
    >>> picture = np.zeros((6, 8)); picture[2:4, 5:7] = [[1, 2], [3, 4]]
    >>> template_search(picture, [[1, 2], [3, 4]], best=1).best
    Match(row=2, column=5, score=1.0)
    """
    if best < 1:
        raise UsageError(f"template: best must be at least 1; got {best}.")
    whole, part = (_with_channels(name, value) for name, value in (("picture", picture), ("patch", patch)))
    if len(whole) != len(part):
        raise ShapeError(
            f"template: the patch needs the channels of the picture ({len(whole)}); got {len(part)}. "
            f"Make both grey, or both colour."
        )
    size = part.shape[1:]
    if size[0] > whole.shape[1] or size[1] > whole.shape[2]:
        raise ShapeError(
            f"template: the patch must fit into the picture of {whole.shape[1]} x {whole.shape[2]}; got "
            f"{size[0]} x {size[1]}. Swap them, or make the patch smaller."
        )
    centred = part - part.mean()
    norm = float(np.linalg.norm(centred))
    if norm <= 1e-12 * part.size * max(1.0, float(np.abs(part).max())):
        raise UsageError(
            "template: the patch needs some contrast; got equal values. Choose a patch with structure."
        )
    scores = _scores(whole, centred / norm)
    return TemplateSearch(scores, _peaks(scores, size, best, whole, centred / norm), size)


def _scores(whole: np.ndarray, unit: np.ndarray) -> np.ndarray:
    """Return the normalised correlation of every position with a patch of mean 0 and norm 1."""
    shifted = whole - whole.mean()
    products = _correlated(shifted, unit)
    ones = np.ones((unit.shape[1], unit.shape[2]))
    sums = _window_sums(shifted.sum(axis=0), ones.shape)
    squares = _window_sums((shifted**2).sum(axis=0), ones.shape)
    variation = squares - sums**2 / unit.size
    flat = variation <= 1e-10 * max(float(squares.max()), 1e-300)
    norms = np.sqrt(np.where(flat, 1.0, variation))
    return np.clip(np.where(flat, 0.0, products / norms), -1.0, 1.0)


def _correlated(whole: np.ndarray, part: np.ndarray) -> np.ndarray:
    """Return the sum of products at every position of ``part`` inside ``whole``, by the convolution theorem."""
    rows, columns = whole.shape[1:]
    spectrum = np.fft.rfft2(whole) * np.fft.rfft2(part, (rows, columns)).conj()
    sums = np.fft.irfft2(spectrum.sum(axis=0), (rows, columns))
    return sums[: rows - part.shape[1] + 1, : columns - part.shape[2] + 1]


def _window_sums(values: np.ndarray, size: tuple[int, ...]) -> np.ndarray:
    """Return the sum of every window, from a table of sums over everything above and left."""
    table = np.pad(values, ((1, 0), (1, 0))).cumsum(axis=0).cumsum(axis=1)
    rows, columns = size
    return np.asarray(
        table[rows:, columns:] - table[:-rows, columns:] - table[rows:, :-columns] + table[:-rows, :-columns]
    )


def _peaks(
    scores: np.ndarray, size: tuple[int, ...], best: int, whole: np.ndarray, unit: np.ndarray
) -> tuple[Match, ...]:
    """Return the highest scores whose windows overlap by less than half on some axis."""
    open_scores = scores.copy()
    reach = [max((n + 1) // 2, 1) for n in size]
    found: list[Match] = []
    while len(found) < best and np.isfinite(open_scores.max()):
        row, column = (int(i) for i in np.unravel_index(int(open_scores.argmax()), scores.shape))
        window = whole[:, row : row + size[0], column : column + size[1]]
        centred = window - window.mean()
        norm = float(np.linalg.norm(centred)) if scores[row, column] else 0.0
        exact = float((centred * unit).sum()) / norm if norm else 0.0  # free of the rounding of long sums
        found.append(Match(row, column, round(min(exact, 1.0), 12)))
        top, left = max(row - reach[0] + 1, 0), max(column - reach[1] + 1, 0)
        open_scores[top : row + reach[0], left : column + reach[1]] = -np.inf
    return tuple(found)


def _with_channels(name: str, value: Any) -> np.ndarray:
    array = as_numbers("template", f"the {name}", value)
    if array.ndim not in (2, 3):
        raise ShapeError(
            f"template: the {name} is [rows, columns] or [channels, rows, columns]; got shape {array.shape}. "
            f"Give one picture."
        )
    return array if array.ndim == 3 else array[None]


def draw_template_search(picture: Any, search: TemplateSearch, axes: Axes | None = None) -> Axes:
    """Draw the picture with a frame around every match, labelled with its rank and score."""
    from striate.drawing.axes import new_axes, whole_ticks

    axes = new_axes(axes, "row", "column")
    from matplotlib.patches import Rectangle

    pixels = _with_channels("picture", picture)
    shown = np.moveaxis(pixels, 0, 2) if len(pixels) == 3 else pixels.mean(axis=0)
    span = max(float(shown.max() - shown.min()), 1e-300)
    axes.imshow((shown - shown.min()) / span, cmap="gray", interpolation="nearest")
    rows, columns = search.patch_size
    for rank, match in enumerate(search.matches, start=1):
        corner = (match.column - 0.5, match.row - 0.5)
        colour = "#d62728" if rank == 1 else "#ff9d2e"
        axes.add_patch(Rectangle(corner, columns, rows, fill=False, edgecolor=colour, linewidth=1.6))
        axes.annotate(
            f"{rank}: {match.score:.2f}",
            corner,
            xytext=(0, 2),
            textcoords="offset points",
            color=colour,
            fontsize=8,
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 1},
            annotation_clip=False,
        )
    whole_ticks(axes)
    return axes
