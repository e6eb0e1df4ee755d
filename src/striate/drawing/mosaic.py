"""Many small pictures in one: rows of tiles on a single grid."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from striate.drawing.axes import new_axes, set_title

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_TILES = 256
SMALLEST, LARGEST = 5, 7  # sizes of the names above tiles, in points
EDGE = "#c5ccd3"  # around the tiles, so that white ones have one


@dataclass(frozen=True, eq=False)
class Mosaic:
    """Tiles on a grid.

    Parameters
    ----------
    values : float64[rows, columns] or float64[rows, columns, 3]
        NaN between the tiles.
    corners : tuple of (row, column)
        Where each tile begins.
    """

    values: np.ndarray
    corners: tuple[tuple[int, int], ...]


def mosaic(pictures: Sequence[np.ndarray], columns: int | None = None, gap: tuple[int, int] = (1, 1)) -> Mosaic:
    """Return pictures arranged in rows; smaller ones are centred in their tiles.

    Parameters
    ----------
    pictures : sequence of array [rows, columns] or [rows, columns, 3]
    columns : int, optional
        Pictures in a row; a square by default.
    gap : (rows, columns)
        Room above each row of tiles, and between two columns.

    Examples
    --------
    >>> mosaic([np.zeros((1, 2)), np.ones((1, 2))], columns=2, gap=(0, 1)).values
    array([[ 0.,  0., nan,  1.,  1.]])
    """
    shown = [np.asarray(picture, np.float64) for picture in pictures]
    columns = min(columns or math.ceil(math.sqrt(len(shown))), len(shown))
    height, width = (max(picture.shape[axis] for picture in shown) for axis in (0, 1))
    down, across = height + gap[0], width + gap[1]
    shape = (down * math.ceil(len(shown) / columns), across * columns - gap[1], *shown[0].shape[2:])
    values, corners = np.full(shape, np.nan), []
    for number, picture in enumerate(shown):
        rows, cells = picture.shape[:2]
        top = number // columns * down + gap[0] + (height - rows) // 2
        left = number % columns * across + (width - cells) // 2
        values[top : top + rows, left : left + cells] = picture
        corners.append((top, left))
    return Mosaic(values, tuple(corners))


def draw_mosaic(
    pictures: Sequence[np.ndarray],
    names: Sequence[str] = (),
    axes: Axes | None = None,
    *,
    title: str = "",
    columns: int | None = None,
    colours: str = "gray",
    limits: tuple[float, float] | None = None,
) -> Axes:
    """Draw pictures as tiles on one pair of axes, at most 256 of them, each under its name.

    Parameters
    ----------
    pictures : sequence of array [rows, columns] or [rows, columns, 3]
        Of three values from 0 to 1 for colours.
    names : sequence of str
    axes : Axes, optional
    colours : str
        A colour map of matplotlib, for pictures without colours of their own.
    limits : (low, high), optional
        The values at the ends of the colour map; the least and the largest of all by default.
    """
    shown, signals = pictures[:MOST_TILES], len(pictures[0]) == 1
    if signals:
        columns = columns or 1
    columns = columns or math.ceil(math.sqrt(len(shown)))
    height, width = (max(picture.shape[axis] for picture in shown) for axis in (0, 1))
    above = max(1, round(0.2 * height) if names else height // 8)
    if signals or (len(shown) == 1 and not names):
        above = 0
    tiles = mosaic(shown, columns, (above, 0 if signals and columns == 1 else max(1, width // 8)))
    axes = new_axes(axes, size=_size(tiles.values.shape, signals))
    low, high = limits or (None, None)
    axes.imshow(
        _without_gaps(tiles.values),
        cmap=colours,
        interpolation="nearest",
        aspect="auto" if signals else "equal",
        vmin=low,
        vmax=high,
    )
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
    if not signals:
        _frame_tiles(axes, shown, tiles, names)
    left_out = f", the first {len(shown)} of {len(pictures)}" if len(pictures) > len(shown) else ""
    set_title(axes, title + left_out)
    return axes


def _frame_tiles(axes: Axes, shown: Sequence[np.ndarray], tiles: Mosaic, names: Sequence[str]) -> None:
    """Draw an edge around every tile, and its name above it."""
    from matplotlib.patches import Rectangle

    for picture, (top, left) in zip(shown, tiles.corners, strict=True):
        rows, columns = picture.shape[:2]
        edge = Rectangle((left - 0.5, top - 0.5), columns, rows, fill=False, edgecolor=EDGE, linewidth=0.6)
        axes.add_patch(edge).set_clip_on(False)  # half of it lies outside where a tile is the last one
    pitch = shown[0].shape[1] * 9 / 8  # of tiles and the gaps between them
    inches = axes.figure.bbox.width / axes.figure.dpi * pitch / tiles.values.shape[1]
    longest = max((len(name) for name in names), default=1)
    size = float(np.clip(inches * 128 / longest, SMALLEST, LARGEST))  # a character is about 0.56 of the size wide
    for name, (top, left) in zip(names, tiles.corners, strict=False):
        middle = left + (shown[0].shape[1] - 1) / 2
        axes.text(middle, top - 0.6, _cut(name, int(inches * 128 / size)), fontsize=size, ha="center", va="bottom")


def _cut(name: str, characters: int) -> str:
    """Return a name, its end replaced by dots if it has more characters than fit."""
    return name if len(name) <= characters else name[: max(1, characters - 1)] + "\N{HORIZONTAL ELLIPSIS}"


def _without_gaps(values: np.ndarray) -> np.ndarray:
    """Return grey values with the gaps masked, or colours with the gaps transparent."""
    if values.ndim == 2:
        return np.ma.masked_invalid(values)
    inside = ~np.isnan(values).any(axis=2)
    return np.dstack([np.nan_to_num(values).clip(0.0, 1.0), inside])


def _size(shape: tuple[int, ...], signals: bool) -> tuple[float, float]:
    """Return the size in inches of a mosaic whose longer side is at most 9."""
    rows, columns = shape[:2]
    if signals:
        return 7.2, min(9.0, 0.5 + 0.22 * max(rows, 4))
    scale = min(9.0 / max(rows, columns), 0.18)
    return max(3.2, scale * columns), max(1.8, scale * rows + 0.5)


def draw_sample(sample: np.ndarray, title: str = "", axes: Axes | None = None) -> Axes:
    """Draw one sample or pattern of a model's input, grey or in colour, from its least to its largest value.

    Parameters
    ----------
    sample : array [C, *space]
        Of a volume the middle slice; signals and features as lines.
    title : str
    axes : Axes, optional
    """
    values = np.asarray(sample, np.float64)
    while values.ndim > 3:
        values = values[:, values.shape[1] // 2]
    if values.ndim < 3:
        axes = new_axes(axes, "value", "position", (6.4, 2.8))
        axes.plot(np.atleast_2d(values).T)
        set_title(axes, title)
        return axes
    scaled = (values - values.min()) / (float(np.ptp(values)) or 1.0)
    return draw_mosaic([as_tile(scaled)], (), axes, title=title)


def as_tile(image: np.ndarray) -> np.ndarray:
    """Return an image [C, rows, columns] as a tile: of three channels in colour, otherwise their mean."""
    return np.moveaxis(image, 0, 2) if len(image) == 3 else image.mean(axis=0)
