"""Drawings of descent: the paths on the surface, and the loss over the steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from striate.drawing.axes import new_axes
from striate.worksheets.descent.paths import METHODS, Descent

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLOURS = dict(
    zip(METHODS, ("#d62728", "#ff9d2e", "#8c564b", "#1f77b4", "#17becf", "#2ca02c", "#9467bd"), strict=True)
)


def draw_descent(descent: Descent, axes: Axes | None = None) -> Axes:
    """Draw the loss as contours, as many cells of the grid between each two, and the paths over it."""
    task, surface = descent.problem, descent.surface
    axes = new_axes(axes, task.parameters[1], task.parameters[0], size=(7.2, 5.4))
    shown = np.ma.masked_invalid(surface.loss)
    levels = np.unique(np.nanquantile(surface.loss, np.linspace(0, 1, 25)))
    if len(levels) > 2:
        ranks = np.interp(shown.filled(np.nan), levels, np.arange(len(levels)))
        shades = {
            "levels": np.arange(len(levels)),
            "cmap": "Greys_r",
            "vmin": -1.2 * len(levels),
            "vmax": len(levels),
        }
        axes.contourf(surface.first, surface.second, np.ma.masked_array(ranks, shown.mask), **shades)
        lines = {"colors": "white", "linewidths": 0.6, "linestyles": "solid"}
        axes.contour(surface.first, surface.second, shown, levels=levels, **lines)
    for path in descent.paths:
        colour = _COLOURS[path.method]
        label = f"{path.method}{' (diverged)' if path.diverged else ''}"
        x, y = path.points.T
        axes.plot(x, y, "-", color=colour, linewidth=1.4, label=label, marker=".", markersize=3.5, zorder=3)
        axes.plot(x[-1:], y[-1:], "o", color=colour, markersize=7, markeredgecolor="white", zorder=4)
    axes.plot(*task.start, "s", color="#1a1a1a", markersize=7, markeredgecolor="white", label="start", zorder=5)
    axes.set_xlim(task.window[0])
    axes.set_ylim(task.window[1])
    axes.set_title(task.text, fontsize=10)
    axes.legend(fontsize=8, loc="best", framealpha=0.9)
    return axes


def draw_losses(descent: Descent, axes: Axes | None = None) -> Axes:
    """Draw every method's loss over the steps, logarithmically above the lowest loss of all."""
    axes = new_axes(axes, "loss above the lowest seen", "step", size=(7.2, 4.2))
    floor = min(float(np.nanmin(descent.surface.loss)), *(float(path.losses.min()) for path in descent.paths))
    for path in descent.paths:
        above = np.maximum(path.losses - floor, 1e-16)
        axes.semilogy(above, color=_COLOURS[path.method], label=path.method, linewidth=1.4)
    axes.grid(color="#e0e0e0", linewidth=0.6)
    axes.legend(fontsize=8)
    return axes
