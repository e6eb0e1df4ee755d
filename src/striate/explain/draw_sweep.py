"""The score map of a picture, drawn over it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from striate.drawing.axes import new_axes, set_title
from striate.drawing.images import limits

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from striate.explain.score_map import ScoreMap

Box = tuple[float, float, float, float]  # left, top, columns, rows
WIDTH, HIGHEST = 8.0, 10.0  # of a figure, in inches
COLOURS = ("#ffe14d", "#fb9a29", "#e8290b", "#b0003a")  # of low to high probabilities
OPAQUE = 0.65  # at most, so that the picture stays visible
LUMINANCE = (0.299, 0.587, 0.114)  # of red, green and blue
LABEL = 8  # size of the text at a frame, in points
COARSEST, FINEST = 150, 600  # dots per inch
BAND = 64  # rows blended together


def draw_score_map(found: ScoreMap, target: int | str, count: int = 5, axes: Axes | None = None) -> Axes:
    """Draw a picture in grey, the mean probability of a class over it, and frames around the strongest windows.

    Parameters
    ----------
    found : ScoreMap
    target : int or str
        The class, by number or name.
    count : int
        Frames; 0 draws none.
    axes : Axes, optional
    """
    from matplotlib.cm import ScalarMappable

    rows, columns = found.picture.shape[1:]
    tall = min(HIGHEST, max(2.5, 0.85 * WIDTH * rows / columns + 0.6))
    axes = new_axes(axes, size=(WIDTH, tall))
    blend, brightness = _blend(found.picture, found.heat(target))
    axes.imshow(blend, interpolation="nearest" if blend.shape[1] < COARSEST * WIDTH else "antialiased")
    bar = axes.figure.colorbar(ScalarMappable(cmap=_over(brightness)), ax=axes, fraction=0.05, pad=0.02)
    name = found.model.output_names[found.class_number(target)]
    bar.set_label(f"probability of {name}", fontsize=8)
    _frames(axes, found, target, count)
    axes.set(xticks=[], yticks=[])
    size = " x ".join(map(str, found.window))
    count_text = f"{found.tops.size * found.lefts.size:,} windows of {size}"
    set_title(axes, f"{name}: mean probability of the windows over each pixel ({count_text})")
    return axes


def _blend(picture: np.ndarray, heat: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the picture in grey under the heat, uint8[rows, columns, 4], and its mean brightness, from 0 to 1.

    A band of rows at a time: Matplotlib keeps several copies of each picture as floating-point numbers, in double
    precision if it has no opacity.
    """
    low, high = limits(picture)
    table = _colours()(np.arange(256)).astype(np.float32)
    blend, brightness = np.full((*heat.shape, 4), 255, np.uint8), 0.0
    for top in range(0, len(heat), BAND):
        rows = slice(top, top + BAND)
        grey = np.clip((_grey(picture[:, rows]) - low) / ((high - low) or 1.0), 0.0, 1.0)
        brightness += float(grey.sum(dtype=np.float64))
        colours = table[np.rint(255 * np.nan_to_num(heat[rows])).astype(np.uint8)]
        share = np.where(np.isnan(heat[rows]), 0.0, colours[..., 3])[..., None]
        blend[rows, :, :3] = np.rint(255 * (grey[..., None] * (1 - share) + colours[..., :3] * share))
    return blend, brightness / heat.size


def _grey(picture: np.ndarray) -> np.ndarray:
    """Return how light each pixel is, float32[rows, columns]."""
    shares = LUMINANCE if len(picture) == 3 else np.full(len(picture), 1 / len(picture))
    weights = np.asarray(shares, np.float32)
    return np.asarray(np.einsum("crs,c->rs", picture, weights, dtype=np.float32, casting="same_kind"))


def full_size(found: ScoreMap) -> float:
    """Return the dots per inch that show every pixel of the picture, up to about 4,000 in a row."""
    return float(np.clip(1.2 * found.picture.shape[2] / WIDTH, COARSEST, FINEST))


def _frames(axes: Axes, found: ScoreMap, target: int | str, count: int) -> None:
    """Draw a numbered frame around each of the strongest windows."""
    from matplotlib.patches import Rectangle
    from matplotlib.patheffects import withStroke

    outline = withStroke(linewidth=3, foreground="black")
    places = found.strongest(target, count) if count else []
    taken: list[Box] = [(place.column, place.row, place.columns, place.rows) for place in places]
    for rank, (place, box) in enumerate(zip(places, list(taken), strict=True), start=1):
        frame = Rectangle((box[0] - 0.5, box[1] - 0.5), *box[2:], fill=False, edgecolor="white", linewidth=1.2)
        frame.set_path_effects([outline])
        axes.add_patch(frame)
        name = f"{rank}: {place.probability:.2f}"
        label = _free_place(box, len(name), found.picture.shape[1:], taken)
        taken.append(label)
        text = axes.text(*label[:2], name, va="top", color="white", fontsize=LABEL)
        text.set_path_effects([outline])


def _free_place(frame: Box, characters: int, size: tuple[int, ...], taken: list[Box]) -> Box:
    """Return where a label stands: inside its frame if it fits, else beside it where nothing else is."""
    point = size[1] / (0.85 * 72 * WIDTH)  # in pixels of the picture
    wide, tall, gap = 0.65 * LABEL * characters * point, 1.5 * LABEL * point, 0.5 * LABEL * point
    left, top, columns, rows = frame
    if columns > wide + 2 * gap and rows > tall + 2 * gap:
        return left + gap, top + gap, wide, tall
    right, below = left + columns + gap, top + rows + gap
    corners = [(x, y) for y in (top, top - tall - gap, below) for x in (right, left - wide - gap, left)]
    boxes = [(x, y, wide, tall) for x, y in corners if 0 <= x <= size[1] - wide and 0 <= y <= size[0] - tall]
    free = [box for box in boxes if not any(_overlap(box, other) for other in taken)]
    return (free or boxes or [(right, top, wide, tall)])[0]


def _overlap(one: Box, other: Box) -> bool:
    return all(
        one[axis] < other[axis] + other[axis + 2] and other[axis] < one[axis] + one[axis + 2] for axis in (0, 1)
    )


def _colours() -> Any:
    """Return a colour map from nothing over yellow to dark red."""
    from matplotlib.colors import LinearSegmentedColormap, ListedColormap

    colours = LinearSegmentedColormap.from_list("heat", COLOURS)(np.linspace(0, 1, 256))
    colours[:, 3] = OPAQUE * np.linspace(0, 1, 256) ** 0.75
    return ListedColormap(colours)


def _over(brightness: float) -> Any:
    """Return the colours as they look over a grey of this brightness."""
    from matplotlib.colors import ListedColormap

    colours = _colours()(np.arange(256))
    share = colours[:, 3:]
    return ListedColormap(colours[:, :3] * share + brightness * (1 - share))
