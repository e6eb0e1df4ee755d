"""Numbers of any size as a picture of bytes."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np

from striate.errors import ShapeError, unknown_name

Scale = Literal["clip", "stretch", "absolute"]
GOLDEN = 0.381966  # of a turn, so that neighbours in number are far apart in hue
RED, BLUE = np.array([0.7, 0.09, 0.17]), np.array([0.13, 0.4, 0.67])  # ends of the map "RdBu"


def as_picture(values: np.ndarray, scale: Scale = "clip") -> np.ndarray:
    """Return an array as bytes that Pillow can write.

    Parameters
    ----------
    values : array [rows, columns], [1, rows, columns] or [3, rows, columns]
    scale : {"clip", "stretch", "absolute"}
        Round and cut to 0..255; or spread from the smallest to the largest value; or spread the absolute
        value from 0 to the largest (edges of both directions look alike).

    Returns
    -------
    uint8[rows, columns] or uint8[rows, columns, 3]

    Raises
    ------
    UsageError
        For a scale that is not known.
    ShapeError
        For any other shape.

    Examples
    --------
    >>> as_picture(np.array([[-4.0, 0.0, 4.0]]), "stretch")
    array([[  0, 128, 255]], dtype=uint8)
    """
    if scale not in get_args(Scale):
        raise unknown_name("scale", str(scale), get_args(Scale))
    values = np.asarray(values, dtype=np.float64)
    if values.ndim == 3 and len(values) == 1:
        values = values[0]
    if values.ndim != 2 and not (values.ndim == 3 and len(values) == 3):
        raise ShapeError(
            f"picture: needs [rows, columns] or [3, rows, columns]; got shape {values.shape}. Pick one channel."
        )
    if scale != "clip":
        values = np.abs(values) if scale == "absolute" else values - values.min()
        values = values * (255 / max(values.max(), 1e-300))
    levels = np.floor(np.clip(values, 0, 255) + 0.5).astype(np.uint8)
    return levels if levels.ndim == 2 else np.ascontiguousarray(np.moveaxis(levels, 0, 2))


def as_colours(values: np.ndarray, limit: float | None = None) -> np.ndarray:
    """Return signed values as colours: 0 white, above it red, below it blue.

    Parameters
    ----------
    values : array [rows, columns]
    limit : float, optional
        The absolute value of full colour; the largest by default.

    Returns
    -------
    float64[rows, columns, 3], from 0 to 1

    Examples
    --------
    >>> as_colours(np.array([[0.0, 2.0]])).round(2).tolist()
    [[[1.0, 1.0, 1.0], [0.7, 0.09, 0.17]]]
    """
    values = np.asarray(values, dtype=np.float64)
    limit = (float(np.abs(values).max()) if limit is None else limit) or 1.0
    share = np.clip(values / limit, -1.0, 1.0)[..., None]
    end = np.where(share > 0, RED, BLUE)
    return np.asarray(1.0 + np.abs(share) * (end - 1.0))


def class_palette(count: int) -> list[str]:
    """Return a colour for each class, such as ``#1f77b4``: the first dark grey, the others far apart in hue.

    Examples
    --------
    >>> class_palette(3)
    ['#333333', '#e06c6c', '#6ce089']
    """
    from colorsys import hls_to_rgb

    colours = [(0.2, 0.2, 0.2)]
    for number in range(count - 1):
        lightness = (0.65, 0.45, 0.8)[number // 8 % 3]
        colours.append(hls_to_rgb(GOLDEN * number % 1.0, lightness, 0.65))
    return ["#" + "".join(f"{round(255 * part):02x}" for part in colour) for colour in colours[:count]]


def class_colours(classes: np.ndarray, count: int) -> np.ndarray:
    """Return a map of class numbers in their colours, float64[rows, columns, 3]; of a volume the middle slice.

    Parameters
    ----------
    classes : int64[*space]
    count : int
        How many classes there are.
    """
    plane = classes[len(classes) // 2] if classes.ndim == 3 else np.atleast_2d(classes)
    colours = [[int(colour[i : i + 2], 16) for i in (1, 3, 5)] for colour in class_palette(count)]
    return np.asarray(np.array(colours)[plane] / 255.0)
