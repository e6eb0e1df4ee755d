"""A small dense network: every unit and every connection."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from striate.drawing.axes import new_axes, set_title
from striate.drawing.pictures import BLUE, RED
from striate.explain.diagram.parts import COLOURS, Part
from striate.model import Model

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_UNITS = 14  # of a layer; of more, the first and last are drawn
ACROSS, DOWN = 1.9, 0.42


def draw_units(parts: Sequence[Part], title: str, model: Model | None = None, axes: Axes | None = None) -> Axes:
    """Draw dense layers as columns of units, joined by their connections.

    The weights of a model are red above 0 and blue below, and thicker the larger they are in their layer.
    """
    layers = [part for part in parts if part.kind != "other"]
    counts = [int(np.prod(part.shape)) for part in layers]
    shown = [_shown(count) for count in counts]
    tall = max(map(len, shown)) * DOWN
    axes = new_axes(axes, size=(ACROSS * (len(layers) - 1) + 2.0, tall + 1.4))
    for n, (part, numbers) in enumerate(zip(layers, shown, strict=True)):
        if n:
            _connections(axes, n, shown[n - 1], numbers, _weights(part, model))
        _units(axes, n * ACROSS, numbers, part)
        lines = "\n".join(part.lines if n else (f"{counts[n]} inputs",))
        axes.text(n * ACROSS, -tall / 2 - 0.15, lines, fontsize=7.5, ha="center", va="top", linespacing=1.3)
    axes.set_xlim(-0.9, ACROSS * (len(layers) - 1) + 0.9)
    axes.set_ylim(-tall / 2 - 0.8, tall / 2 + 0.1)
    axes.set_aspect("equal")
    axes.set_axis_off()
    legend = "; red weights are above 0, blue ones below" if model is not None else ""
    set_title(axes, title + legend)
    return axes


def _shown(count: int) -> list[int | None]:
    """Return the numbers of the units of a column from the top down; None stands for those left out."""
    if count <= MOST_UNITS:
        return list(range(count))
    half = MOST_UNITS // 2 - 1
    return [*range(half), None, *range(count - half, count)]


def _heights(numbers: Sequence[int | None]) -> np.ndarray:
    return ((len(numbers) - 1) / 2 - np.arange(len(numbers))) * DOWN


def _weights(part: Part, model: Model | None) -> np.ndarray | None:
    """Return what the units of a layer multiply its inputs by, float64[outputs, inputs]."""
    slots = [slot for slot in part.steps[0].parameters if len(slot.spec.shape) == 2]
    return slots[0].view(model.theta).astype(np.float64) if model is not None and slots else None


def _units(axes: Any, x: float, numbers: Sequence[int | None], part: Part) -> None:
    from matplotlib.patches import Circle

    face, edge = COLOURS[part.kind]
    for number, y in zip(numbers, _heights(numbers), strict=True):
        if number is None:
            axes.text(x, y, "⋮", fontsize=11, ha="center", va="center")
        else:
            axes.add_patch(Circle((x, y), 0.15, facecolor=face, edgecolor=edge, zorder=3))
            axes.text(x, y - 0.006, str(number), fontsize=6, ha="center", va="center", zorder=4)


def _connections(
    axes: Any, column: int, before: Sequence[int | None], after: Sequence[int | None], weights: np.ndarray | None
) -> None:
    from matplotlib.collections import LineCollection

    lines, widths, colours = [], [], []
    limit = 1.0 if weights is None else float(np.abs(weights).max()) or 1.0
    for i, y0 in zip(before, _heights(before), strict=True):
        for j, y1 in zip(after, _heights(after), strict=True):
            if i is None or j is None:
                continue
            lines.append([((column - 1) * ACROSS, y0), (column * ACROSS, y1)])
            weight = None if weights is None else float(weights[j, i])
            widths.append(0.6 if weight is None else 0.3 + 2.0 * abs(weight) / limit)
            colours.append("#9a9a9a" if weight is None else tuple(RED if weight > 0 else BLUE))
    axes.add_collection(LineCollection(lines, linewidths=widths, colors=colours, alpha=0.8, zorder=1))
