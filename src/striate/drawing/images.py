"""Samples as pictures inside a page: images as PNG, series and features as SVG."""

from __future__ import annotations

import base64
import io

import numpy as np

from striate.drawing.html import Markup, empty_element
from striate.drawing.pictures import as_colours
from striate.drawing.series import in_own_ranges, series_picture


def picture(values: np.ndarray, low: float, high: float, side: int, title: str = "") -> Markup:
    """Return an image, series or row of features, ``side`` pixels tall or wide on the page.

    Parameters
    ----------
    values : array [C, *space]
        One channel is shown in grey, three in colour, others by their mean; of a volume the middle slice. A series
        is drawn as curves, one for each channel, features as bars.
    low, high : float
        What is black and white, or the bottom and the top.
    """
    values = np.asarray(values)
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim < 3:
        return series_picture(values, low, high, (2 * side, side), title)
    span = (high - low) or 1.0
    return png(np.clip((flat(values) - low) / span, 0.0, 1.0), side, title)


def coloured(values: np.ndarray, sample: np.ndarray, side: int, title: str = "") -> Markup:
    """Return signed values in red (above 0) and blue: as an image, or as bands behind the curve of a series.

    Parameters
    ----------
    values : array [*space]
    sample : array [C, *space]
        What the values belong to.
    """
    if values.ndim == 1:
        if sample.shape[-1] == 1:  # the features of a table
            low, high = float(sample.min()), float(sample.max())
            return series_picture(sample.reshape(-1), low, high, (2 * side, side), title, values)
        return series_picture(in_own_ranges(sample), 0.0, 1.0, (2 * side, side), title, values)
    plane = values[len(values) // 2] if values.ndim == 3 else values
    return png(as_colours(plane), side, title)


def limits(inputs: np.ndarray) -> tuple[float, float]:
    """Return what is black and white in samples: 0 and 255 for bytes, else the range of the first of them."""
    some = inputs[:256]
    return (0.0, 255.0) if inputs.dtype == np.uint8 else (float(some.min()), float(some.max()))


def png(levels: np.ndarray, side: int, title: str = "") -> Markup:
    """Return values from 0 to 1, float[rows, columns] or [rows, columns, 3], as an inline PNG."""
    from PIL import Image

    store = io.BytesIO()
    Image.fromarray(np.rint(levels * 255.0).astype(np.uint8)).save(store, "PNG")
    source = "data:image/png;base64," + base64.b64encode(store.getvalue()).decode()
    tall, wide = levels.shape[:2]
    scale = side / max(tall, wide)
    size = {"width": max(1, round(wide * scale)), "height": max(1, round(tall * scale))}
    sharp = {"style": "image-rendering: pixelated"} if scale >= 2 else {}
    return empty_element("img", src=source, alt=title, title=title, **size, **sharp)


def flat(values: np.ndarray) -> np.ndarray:
    """Return an image or volume as float64[rows, columns] or float64[rows, columns, 3]."""
    x = np.asarray(values, np.float64)
    while x.ndim > 3:
        x = x[:, x.shape[1] // 2]
    if len(x) == 3:
        return np.moveaxis(x, 0, 2)
    return np.asarray(x[0] if len(x) == 1 else x.mean(axis=0))
