"""Which values a value depends on: sparse connections, shared weights and the receptive field of one unit."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from striate.checks import integer
from striate.drawing.axes import new_axes, set_title, whole_ticks
from striate.errors import UsageError
from striate.explain.diagram.parts import follows
from striate.layers.base import Window
from striate.network import Network, Step
from striate.receptive_field import receptive_fields

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MARGIN, MOST_POSITIONS = 3, 80  # positions beside the field that are shown; of one row
READABLE = 8.0  # inches: the width at which text of 8 points is shown as it is
TAPS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7b3fa0", "#4f5d75", "#a8326e")
"""Colours of the weights of a kernel, told apart by the colour-blind (Okabe and Ito, 2008) as far as they go."""


@dataclass(frozen=True)
class _Row:
    """The values of one layer along the last axis of space."""

    name: str
    count: int
    centres: np.ndarray  # in input positions
    edges: tuple[tuple[int, int, int], ...]  # (this position, the position before, number of the weight)
    weighted: bool


_View = tuple[list[_Row], int, list[set[int]], list[list[int]]]


def draw_connections(
    network: Network, layer: str | None = None, position: int | None = None, *, axes: Axes | None = None
) -> Axes:
    """Draw along one axis which values every value is made of, and all that one of them sees.

    Lines of one colour between two rows are one weight, used again at every position; lines of a pooling are grey.
    What the chosen unit sees is drawn strongly.

    Parameters
    ----------
    network : Network
    layer : str, optional
        The highest row; by default the last layer with space (or the last layer) that is not too wide to draw.
    position : int, optional
        Of the unit, along the last axis; the one in the middle by default.
    axes : Axes, optional

    Raises
    ------
    UsageError
        If there is no such layer or position, or the rows are too long to be drawn.
    """
    if layer is None:
        rows, unit, seen, shown = _highest_that_fits(network, position)
    else:
        rows, unit, seen, shown = _seen_from(network, network.step(layer), position)
    axes = new_axes(axes, size=(max(5.5, 0.2 * len(shown[0]) + 2.2), 1.05 * len(rows) + 0.9))
    for n, row in enumerate(rows[1:], start=1):
        _draw_edges(axes, n, rows[n - 1], row, (set(shown[n - 1]), set(shown[n])), seen[n])
    for n, row in enumerate(rows):
        _draw_row(axes, n, row, shown[n], seen[n])
    _finish(axes, rows, unit, len(seen[0]), len(shown[0]))
    return axes


def _highest_that_fits(network: Network, position: int | None) -> _View:
    """Return the view from the last layer with space (the last layer if there is none) that can be drawn."""
    spatial = [step for step in network.steps if len(step.shape) > 1 and step.inputs and step.shape[-1] > 1]
    *higher, lowest = spatial[::-1] or [network.steps[-1]]
    for top in higher:
        with contextlib.suppress(UsageError):
            return _seen_from(network, top, position)
    return _seen_from(network, lowest, position)


def _seen_from(network: Network, top: Step, position: int | None) -> _View:
    """Return the rows below a layer, the unit, what it sees of every row, and what is shown."""
    rows = _rows(network, _path(network, top))
    count = rows[-1].count
    unit = count // 2 if position is None else integer(position, "position", 0, count - 1)
    seen = _seen(rows, unit)
    shown = _shown(rows, seen[0])
    most = max(map(len, shown))
    if most > MOST_POSITIONS:
        raise UsageError(
            f"{top.name}: at most {MOST_POSITIONS} positions of a row are drawn; got {most}. "
            "Choose an earlier layer."
        )
    return rows, unit, seen, shown


def _shown(rows: Sequence[_Row], seen: set[int]) -> list[list[int]]:
    """Return the positions of each row that lie over or near those that are ``seen`` in the input."""
    low, high = rows[0].centres[min(seen)] - MARGIN, rows[0].centres[max(seen)] + MARGIN
    return [[p for p in range(row.count) if low <= row.centres[p] <= high] for row in rows]


def _path(network: Network, top: Step) -> list[Step]:
    """Return the steps from the input to ``top``, through the first input where branches meet."""
    path = [top]
    while path[-1].inputs:
        path.append(network.step(path[-1].inputs[0]))
    return path[::-1]


def _length(step: Step) -> int:
    return step.shape[-1]


def _rows(network: Network, path: Sequence[Step]) -> list[_Row]:
    fields = receptive_fields(network)
    first = path[0]
    rows = [_Row(first.name, _length(first), np.arange(_length(first), dtype=float), (), False)]
    for step in path[1:]:
        window = step.layer.window(*step.input_shapes)
        mixes_nothing = window is None and not step.layer.sees_all and _length(step) == rows[-1].count
        if follows(step) or mixes_nothing:
            continue  # every position holds what it held
        count = _length(step)
        field = fields[step.name][-1]
        if window is None:
            edges = tuple((i, j, -1) for i in range(count) for j in range(rows[-1].count))
            centres = np.linspace(rows[0].centres[0], rows[0].centres[-1], count + 2)[1:-1]
        else:
            edges = _edges(window, count, rows[-1].count)
            start = float(field.start) + (field.size - 1) / 2
            centres = start + float(field.jump) * np.arange(count)
        if len(edges) > MOST_POSITIONS**2:
            raise UsageError(
                f"{step.name}: has too many connections to be drawn ({len(edges):,}). Choose a smaller layer."
            )
        rows.append(_Row(step.name, count, centres, edges, bool(step.parameters)))
    return rows


def _edges(window: Window, count: int, before: int) -> tuple[tuple[int, int, int], ...]:
    """Return the connections of a window along the last axis; what lies in the padding has none."""
    kernel, stride, dilation = window.kernel[-1], window.stride[-1], window.dilation[-1]
    zoom = window.zoom[-1] if window.zoom else 1
    found = []
    for i in range(count):
        for tap in range(kernel):
            place, between = divmod(i * stride - window.padding[-1][0] + tap * dilation, zoom)
            if between == 0 and 0 <= place < before:
                found.append((i, place, tap))
    return tuple(found)


def _seen(rows: Sequence[_Row], unit: int) -> list[set[int]]:
    """Return which positions of every row the unit depends on."""
    seen = [{unit}]
    for row in reversed(rows[1:]):
        seen.append({j for i, j, _ in row.edges if i in seen[-1]})
    return seen[::-1]


def _draw_edges(
    axes: Any, n: int, before: _Row, row: _Row, shown: tuple[set[int], set[int]], seen: set[int]
) -> None:
    from matplotlib.collections import LineCollection

    for strong in (False, True):
        lines, colours = [], []
        for i, j, tap in row.edges:
            if (i in seen) != strong or i not in shown[1] or j not in shown[0]:
                continue
            lines.append([(before.centres[j], n - 1), (row.centres[i], n)])
            colours.append(TAPS[tap % len(TAPS)] if row.weighted and tap >= 0 else "#6b6b6b")
        width, alpha = (1.3, 0.95) if strong else (0.6, 0.28)
        axes.add_collection(LineCollection(lines, colors=colours, linewidths=width, alpha=alpha, zorder=1 + strong))


def _draw_row(axes: Any, n: int, row: _Row, shown: Sequence[int], seen: set[int]) -> None:
    for some, colour in ((False, "#ffffff"), (True, "#ffd24d")):
        places = [row.centres[p] for p in shown if (p in seen) == some]
        axes.plot(places, [n] * len(places), "o", color=colour, markeredgecolor="#1a1a1a", markersize=6, zorder=4)


def _finish(axes: Any, rows: Sequence[_Row], unit: int, size: int, shown: int) -> None:
    larger = max(1.0, axes.figure.get_figwidth() / READABLE)  # wide drawings are shown smaller
    axes.set_yticks(range(len(rows)), [f"{row.name} ({row.count})" for row in rows], fontsize=8 * larger)
    axes.set_ylim(-0.4, len(rows) - 0.6)
    whole_ticks(axes, "x")
    part = f" (only {shown} of {rows[0].count}: the receptive field and what surrounds it)"
    label = "position along the last axis of the input" + (part if shown < rows[0].count else "")
    axes.set_xlabel(label, fontsize=8 * larger)
    axes.tick_params(axis="x", labelsize=7 * larger)
    axes.tick_params(axis="y", length=0)
    axes.spines[["top", "right", "left"]].set_visible(False)
    title = f"{rows[-1].name}, position {unit}, sees {size} of {rows[0].count} input positions"
    set_title(axes, title, round(9 * larger))
