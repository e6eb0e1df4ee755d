"""Charts of a search as inline SVG: trials in order, parallel coordinates, and a Pareto front."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from striate.drawing.html import Markup, element, number
from striate.drawing.svg import COLOURS, ticks

WIDTH, HEIGHT = 460, 280
LEFT, RIGHT, TOP, BOTTOM = 58, 16, 30, 40
MOST_LABELS = 8  # of the values on an axis
MARGIN = 76  # beside the first and the last of parallel axes: half of a long name


def scatter(
    title: str, across: str, points: Mapping[str, tuple[float, float]], front: Sequence[str] = (), log: bool = False
) -> Markup:
    """Return points with a line through some of them.

    Parameters
    ----------
    title, across : str
        What the values are, and what runs from left to right.
    points : mapping of a name to (x, y)
    front : sequence of str
        The points on the line, from left to right; they are drawn larger.
    log : bool
        The axis across counts orders of magnitude.
    """
    if not points:
        return Markup()

    def placed(x: float) -> float:
        return math.log10(x) if log else x

    left, right = _span([placed(x) for x, _ in points.values()])
    low, high = _span([y for _, y in points.values()])

    def place(x: float, y: float) -> tuple[float, float]:
        over = LEFT + (placed(x) - left) / (right - left) * (WIDTH - LEFT - RIGHT)
        return round(over, 1), round(HEIGHT - BOTTOM - (y - low) / (high - low) * (HEIGHT - TOP - BOTTOM), 1)

    pieces = [element("text", title, x=LEFT, y=16, class_="title")]
    for tick in ticks(low, high):
        y = place(10**left if log else left, tick)[1]
        pieces.append(element("line", x1=LEFT, x2=WIDTH - RIGHT, y1=y, y2=y, class_="grid"))
        pieces.append(element("text", f"{tick:.6g}", x=LEFT - 6, y=y + 4, text_anchor="end"))
    for tick in ticks(left, right, 4):
        value = 10**tick if log else tick
        pieces.append(element("text", _short(value), x=place(value, low)[0], y=HEIGHT - 24, text_anchor="middle"))
    pieces.append(element("text", across, x=(LEFT + WIDTH - RIGHT) / 2, y=HEIGHT - 6, text_anchor="middle"))
    line = " ".join("{},{}".format(*place(*points[name])) for name in front)
    pieces.append(element("polyline", points=line, fill="none", stroke=COLOURS[1], stroke_width=1.5))
    for name, point in points.items():
        x, y = place(*point)
        shown = element("title", f"{name}: {number(point[1])} at {number(point[0])}")
        large = name in front
        colour = COLOURS[1 if large else 0]
        pieces.append(element("circle", shown, cx=x, cy=y, r=5 if large else 3.5, fill=colour, fill_opacity=0.75))
    box = f"0 0 {WIDTH} {HEIGHT}"
    return element("svg", *pieces, viewBox=box, width=WIDTH, height=HEIGHT, role="img", aria_label=title)


def parallel(rows: Sequence[tuple[Mapping[str, Any], float]], logged: Sequence[str], metric: str) -> Markup:
    """Return parallel coordinates: an axis for each setting and the metric, a line for each trial.

    Parameters
    ----------
    rows : sequence of (settings, metric)
        The darker a line, the higher the metric; a line stops at an axis that its trial does not have.
    logged : sequence of str
        The settings whose axes count orders of magnitude.
    metric : str
        What the last axis is called.
    """
    names = [*dict.fromkeys(name for values, _ in rows for name in values), metric]
    columns = {name: [row.get(name) for row in ({**values, metric: v} for values, v in rows)] for name in names}
    width = max(WIDTH, 110 * len(names))
    places = {
        name: MARGIN + index * (width - 2 * MARGIN) / max(1, len(names) - 1) for index, name in enumerate(names)
    }
    axes = {name: _axis(columns[name], name in logged) for name in names}
    pieces: list[Markup] = []
    low, high = min(value for _, value in rows), max(value for _, value in rows)
    for number_of_row in sorted(range(len(rows)), key=lambda row: rows[row][1]):
        strength = 0.12 + 0.8 * (rows[number_of_row][1] - low) / ((high - low) or 1.0)
        known = [name for name in names if columns[name][number_of_row] is not None]
        points = " ".join(f"{places[name]:.1f},{axes[name][0][number_of_row]:.1f}" for name in known)
        pieces.append(element("polyline", points=points, fill="none", stroke=COLOURS[0], stroke_opacity=strength))
    for name in names:
        x = places[name]
        pieces.append(
            element("line", x1=x, x2=x, y1=TOP + 10, y2=HEIGHT - 20, class_="axis", stroke="currentColor")
        )
        pieces.append(element("text", name, x=x, y=16, text_anchor="middle", class_="title"))
        pieces += [element("text", text, x=x + 4, y=y + 4) for text, y in axes[name][1]]
    box = f"0 0 {width:.0f} {HEIGHT}"
    chart = element("svg", *pieces, viewBox=box, width=f"{width:.0f}", height=HEIGHT, role="img")
    return element("div", chart, class_="wide")


def _axis(values: Sequence[Any], log: bool) -> tuple[list[float], list[tuple[str, float]]]:
    """Return where each value of an axis lies, and its labels with their places."""
    known = [value for value in values if value is not None]
    bottom, top = HEIGHT - 24.0, TOP + 16.0
    if any(isinstance(value, str | bool) for value in known):
        names = sorted({str(value) for value in known})
        step = (bottom - top) / max(1, len(names) - 1)
        places = {name: bottom - index * step for index, name in enumerate(names)}
        return [places.get(str(value), bottom) for value in values], list(places.items())[:MOST_LABELS]
    numbers = [math.log10(value) if log else float(value) for value in known]
    low, high = _span(numbers)

    def place(value: float) -> float:
        return bottom - (value - low) / (high - low) * (bottom - top)

    lines = [bottom if v is None else place(math.log10(v) if log else float(v)) for v in values]
    marks = [(min(numbers), min(known)), (max(numbers), max(known))]
    return lines, [(_short(shown), place(at)) for at, shown in dict.fromkeys(marks)]


def _short(value: float) -> str:
    return f"{value:.3g}" if abs(value) < 1000 else f"{value / 1000:.3g}k"


def _span(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    margin = 0.04 * (high - low) or 0.5
    return low - margin, high + margin
