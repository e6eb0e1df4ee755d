"""Drawings of sums: the terms of one value, and the terms of one gradient."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from striate.drawing.axes import new_axes, set_title
from striate.drawing.mosaic import draw_mosaic
from striate.drawing.pictures import as_colours
from striate.layers.base import format_shape

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from striate.explain.gradient_path import GradientPath
    from striate.explain.reasons import Why

MOST_CHANNELS, MOST_BARS = 4, 20


def draw_why(why: Why, axes: Axes | None = None) -> Axes:
    """Draw the terms of a value: window, kernel and products as tiles, for layers without a kernel bars.

    There are the channels, or the terms, that add most. Each column of tiles is scaled by its largest value; red
    is above 0, blue below, white 0.

    Parameters
    ----------
    why : Why
    axes : Axes, optional
    """
    title = f"{why.place} = {why.value:.6g}"
    if why.kernel is None or why.window is None or why.kernel.ndim != 3:
        return _bars(why, title, axes)
    products = why.products.reshape(why.window.shape)
    amounts = np.nansum(np.abs(products), axis=(1, 2))
    shown = np.sort(np.argsort(-amounts, kind="stable")[:MOST_CHANNELS])
    columns = [_coloured(part[shown]) for part in (why.window, why.kernel, products)]
    tiles = [column[row] for row in range(len(shown)) for column in columns]
    names = [name for c in shown for name in (f"x, channel {c}", "weight", f"sum {products[c].sum():.3g}")]
    return draw_mosaic(tiles, names, axes, title=title, columns=3)


def draw_gradient_path(path: GradientPath, axes: Axes | None = None) -> Axes:
    """Draw values, error signals and their products where a weight is used: the channel with the largest terms.

    Parameters
    ----------
    path : GradientPath
    axes : Axes, optional
    """
    where = f"d loss / d {path.parameter}[{', '.join(map(str, path.index))}] = {path.gradient:.4g}"
    products = path.products.reshape(len(path.products), -1)
    channel = int(np.abs(products).sum(axis=1).argmax())
    parts = [np.asarray(part)[channel] for part in (path.values, path.errors, path.products)]
    if parts[0].ndim == 3:
        parts = [part.reshape(-1, part.shape[-1]) for part in parts]
    tiles = [as_colours(np.atleast_2d(part)) for part in parts]
    names = ["value", "error signal", "product"]
    title = f"{where}\nat {path.step.name}, {format_shape(path.step.shape)}, channel {channel}"
    return draw_mosaic(tiles, names, axes, title=title, columns=1 if len(tiles[0]) == 1 else 3)


def _coloured(parts: np.ndarray) -> list[np.ndarray]:
    limit = float(np.nanmax(np.abs(parts))) or 1.0
    return [as_colours(np.nan_to_num(part), limit) for part in parts]


def _bars(why: Why, title: str, axes: Axes | None) -> Axes:
    """Draw the largest terms and the constants as bars."""
    order = [int(t) for t in why.terms.order[:MOST_BARS]]
    source = [why.sources[int(why.terms.inputs[t])] if why.sources else "raw" for t in order]
    names = [f"{s}[{', '.join(map(str, why.origin(t)))}]" for s, t in zip(source, order, strict=True)]
    sizes = [float(why.terms.products[t]) for t in order]
    names += list(why.decomposition.constants)
    sizes += [float(value) for value in why.decomposition.constants.values()]
    axes = new_axes(axes, "", "adds", (6.4, max(2.0, 0.26 * len(names) + 0.9)))
    axes.barh(names, sizes, color=["#b2182b" if size > 0 else "#2166ac" for size in sizes])
    axes.invert_yaxis()
    axes.axvline(0.0, color="#888888", linewidth=0.8)
    axes.tick_params(axis="y", labelsize=8)
    set_title(axes, title)
    return axes
