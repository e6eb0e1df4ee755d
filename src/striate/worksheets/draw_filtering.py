"""Drawings of filtering: signals with their filtered versions, and pictures through filter, ReLU and pooling."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from striate.drawing.axes import new_axes
from striate.errors import ShapeError
from striate.worksheets.arithmetic.axis import Axis
from striate.worksheets.filtering import Filtered
from striate.worksheets.pooling import Pooled

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH = 8.0  # inches
GREYS: dict[str, Any] = {"cmap": "gray", "vmin": 0, "vmax": 255}


def draw_signals(signal: np.ndarray, results: Sequence[Filtered], names: Sequence[str]) -> Axes:
    """Draw a signal with its filtered versions over it, and the kernels beside.

    Each version stands where its kernel looked: the value of a window is drawn at the window's middle.

    Parameters
    ----------
    signal : array [length]
    results : sequence of Filtered
    names : sequence of str
        What the legend calls each of them.

    Raises
    ------
    ShapeError
        If anything is not a signal.
    """
    if np.ndim(signal) != 1 or any(len(one.axes) != 1 for one in results):
        raise ShapeError(
            f"draw_signals: needs signals [length]; got {np.shape(signal)}. Draw pictures as pictures."
        )
    figure: Any = new_axes(None, size=(WIDTH + 2.5, 4.0)).figure
    figure.clear()
    grid = figure.add_gridspec(len(results), 2, width_ratios=(4, 1))
    axes: Axes = figure.add_subplot(grid[:, 0])
    axes.plot(np.arange(len(signal)), signal, color="#9a9a9a", linewidth=1.2, label="signal")
    for row, (one, name) in enumerate(zip(results, names, strict=True)):
        colour = f"C{row}"
        axes.plot(_middles(one.axes[0]), one.values, color=colour, linewidth=1.5, label=name)
        _draw_kernel(figure.add_subplot(grid[row, 1]), one, name, colour)
    axes.set_xlabel("position")
    axes.grid(color="#e6e6e6", linewidth=0.6)
    axes.legend(fontsize=8)
    return axes


def draw_pooled(pooled: Pooled) -> Axes:
    """Draw a signal, and over it each value of the pooled signal in the middle of its window.

    Raises
    ------
    ShapeError
        If what was pooled is not a signal.
    """
    if pooled.x.ndim != 1:
        raise ShapeError(f"draw_pooled: needs a signal [length]; got {pooled.x.shape}. Draw pictures as pictures.")
    axis, values = pooled.axes[0], pooled.values
    axes = new_axes(None, size=(WIDTH, 4.0))
    axes.plot(np.arange(len(pooled.x)), pooled.x, color="#9a9a9a", linewidth=1.2, label="signal")
    name = f"{pooled.statistic} pooling of {axis.kernel}: {axis.input} to {axis.output} values"
    axes.plot(_middles(axis), values, "o-", color="C0", linewidth=1.2, markersize=3, label=name)
    axes.set_xlabel("position")
    axes.grid(color="#e6e6e6", linewidth=0.6)
    axes.legend(fontsize=8)
    return axes


def _middles(axis: Axis) -> np.ndarray:
    first = (axis.effective_kernel - 1) / 2 - axis.padding[0]
    return np.asarray(first + axis.stride * np.arange(axis.output))


def _draw_kernel(axes: Any, one: Filtered, name: str, colour: str) -> None:
    weights = one.kernel[0]
    places = np.arange(len(weights)) - (len(weights) - 1) / 2
    axes.axhline(0, color="#9a9a9a", linewidth=0.8)
    if len(weights) > 25:
        axes.fill_between(places, weights, step="mid", color=colour, alpha=0.6)
    else:
        axes.vlines(places, 0, weights, color=colour)
        axes.plot(places, weights, "o", color=colour, markersize=4)
    axes.set_title(f"kernel {name}", fontsize=9)
    axes.tick_params(labelsize=7)
    axes.margins(x=0.15, y=0.15)


def draw_stages(
    picture: np.ndarray, maps: Sequence[np.ndarray], pooled: Sequence[Pooled] | None, names: Sequence[str]
) -> Axes:
    """Draw a picture, and for every filter its map, the map after ReLU, and that after pooling.

    Maps are red above 0 and blue below, after ReLU they are grey. Full colour is what 97 % of the values of a map
    stay below, so that a bright border does not hide the rest.

    Parameters
    ----------
    picture : array [rows, columns] or [3, rows, columns], from 0 to 255
    maps : sequence of float array [rows, columns]
    pooled : sequence of Pooled, optional
    names : sequence of str
        The filters.
    """
    from striate.drawing.pictures import as_picture

    stages = 3 if pooled is None else 4
    tall, wide = picture.shape[-2:]
    cell = (WIDTH + 2.5) / stages
    figure: Any = new_axes(None, size=(cell * stages, (cell * tall / wide + 0.35) * len(maps))).figure
    figure.clear()
    panels = figure.subplots(len(maps), stages, squeeze=False)
    panels[0, 0].imshow(as_picture(picture), **GREYS)
    panels[0, 0].set_title("picture", fontsize=9)
    for row, (one, name) in enumerate(zip(maps, names, strict=True)):
        _draw_row(panels[row, 1:], one, None if pooled is None else pooled[row], name)
    for axes in panels.flat:
        axes.set_axis_off()
    first: Axes = panels[0, 0]
    return first


def _draw_row(panels: Any, one: np.ndarray, pooled: Pooled | None, name: str) -> None:
    """Draw a map, the map after ReLU, and that after pooling."""
    from striate.drawing.pictures import as_colours

    limit = float(np.quantile(np.abs(one), 0.97)) or 1.0
    panels[0].imshow(as_colours(one, limit))
    panels[0].set_title(name, fontsize=9)
    panels[1].imshow(np.maximum(one, 0) * (255 / limit), **GREYS)
    panels[1].set_title("after ReLU", fontsize=9)
    if pooled is not None:
        rows, columns = pooled.values.shape
        panels[2].imshow(pooled.values * (255 / limit), **GREYS)
        panels[2].set_title(f"{pooled.statistic} pooling: {rows} x {columns}", fontsize=9)
