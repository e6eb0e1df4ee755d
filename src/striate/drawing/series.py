"""Series as curves and features as bars: inline SVG."""

from __future__ import annotations

import numpy as np

from striate.drawing.html import Markup, element
from striate.drawing.svg import COLOURS

MOST_POINTS = 400
MOST_BANDS = 200


def series_picture(
    values: np.ndarray,
    low: float,
    high: float,
    size: tuple[int, int],
    title: str = "",
    weights: np.ndarray | None = None,
) -> Markup:
    """Return a series as curves, or a row of features as bars.

    Parameters
    ----------
    values : float[C, length] or float[features]
    low, high : float
        The bottom and the top.
    size : (int, int)
        Width and height in pixels.
    title : str
    weights : float[length], optional
        Drawn as bands behind the curves: red above 0, blue below. Of features they colour the bars.
    """
    width, height = size
    values = np.asarray(values, np.float64)
    bands = [] if weights is None else _bands(np.asarray(weights, np.float64), width, height)
    if values.ndim == 1:
        drawn = [_bars(values, min(low, 0.0), max(high, 0.0), width, height)]
    else:
        drawn = [_curve(row, low, high, width, height, COLOURS[c % len(COLOURS)]) for c, row in enumerate(values)]
    box = f"0 0 {width} {height}"
    shown = [element("title", title), *bands, *drawn]
    return element("svg", *shown, viewBox=box, width=width, height=height, role="img", class_="series")


def in_own_ranges(values: np.ndarray) -> np.ndarray:
    """Return the channels of a series (float64[C, length]), each from 0 to 1: their units may differ."""
    curves = np.atleast_2d(np.asarray(values, np.float64))
    low, high = curves.min(axis=1, keepdims=True), curves.max(axis=1, keepdims=True)
    return np.asarray((curves - low) / np.where(high > low, high - low, 1.0))


def _curve(row: np.ndarray, low: float, high: float, width: int, height: int, colour: str) -> Markup:
    """Draw one channel; of more points than the picture has room for, the least and largest of each group."""
    x = np.arange(len(row))
    if len(row) > MOST_POINTS:
        groups = np.array_split(x, MOST_POINTS // 2)
        x = np.concatenate([np.sort([g[row[g].argmin()], g[row[g].argmax()]]) for g in groups])
    across = (x + 0.5) / len(row) * width
    down = height - 2 - (row[x] - low) / ((high - low) or 1.0) * (height - 4)
    points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(across, down, strict=True))
    return element("polyline", points=points, fill="none", stroke=colour, stroke_width=1.2)


def _bars(values: np.ndarray, low: float, high: float, width: int, height: int) -> Markup:
    """Draw all values as one path of bars from 0."""
    scale = (height - 4) / ((high - low) or 1.0)
    zero, step = height - 2 + low * scale, width / len(values)
    bars = (
        f"M{n * step:.1f} {zero:.1f}h{step * 0.8:.1f}v{-v * scale:.1f}h{-step * 0.8:.1f}z"
        for n, v in enumerate(values)
    )
    return element("path", d="".join(bars), fill=COLOURS[0])


def _bands(weights: np.ndarray, width: int, height: int) -> list[Markup]:
    groups = np.array_split(weights, min(len(weights), MOST_BANDS))
    means = np.array([group.mean() for group in groups])
    strength = means / (float(np.abs(means).max()) or 1.0)
    step = width / len(groups)
    return [_band(n * step, step, height, s) for n, s in enumerate(strength.tolist()) if abs(s) > 0.02]


def _band(left: float, width: float, height: int, strength: float) -> Markup:
    colour = "#b2182b" if strength > 0 else "#2166ac"
    shown = {"fill": colour, "fill_opacity": f"{abs(strength):.2f}"}
    return element("rect", x=f"{left:.2f}", y=0, width=f"{width:.2f}", height=height, **shown)
