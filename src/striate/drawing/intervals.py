"""Metrics with their confidence intervals, one below the other: inline SVG."""

from __future__ import annotations

from collections.abc import Mapping

from striate.drawing.html import Markup, element, number
from striate.drawing.svg import COLOURS, ticks

WIDTH, ROW, LEFT, RIGHT, TOP, BOTTOM = 620, 24, 190, 20, 28, 26
LONGEST = 26  # characters of a name that fit beside the chart


def intervals(title: str, rows: Mapping[str, tuple[float, float, float]]) -> Markup:
    """Return a chart with a point and a bar for each name.

    Parameters
    ----------
    title : str
    rows : mapping of a name to (value, low, high)
    """
    low, high = min(row[1] for row in rows.values()), max(row[2] for row in rows.values())
    margin = 0.06 * (high - low) or 0.5
    low, high, height = low - margin, high + margin, TOP + ROW * len(rows) + BOTTOM

    def across(value: float) -> float:
        return round(LEFT + (value - low) / (high - low) * (WIDTH - LEFT - RIGHT), 1)

    pieces = [element("text", title, x=LEFT, y=16, class_="title")]
    for tick in ticks(low, high):
        x = across(tick)
        pieces.append(element("line", x1=x, x2=x, y1=TOP, y2=height - BOTTOM, class_="grid"))
        pieces.append(element("text", f"{tick:.6g}", x=x, y=height - 8, text_anchor="middle"))
    for place, (name, (value, least, most)) in enumerate(rows.items()):
        y, colour = TOP + ROW * (place + 0.5), COLOURS[place % len(COLOURS)]
        shown = element("title", f"{name}: {number(value)} ({number(least)} to {number(most)})")
        pieces.append(element("line", x1=across(least), x2=across(most), y1=y, y2=y, stroke=colour, stroke_width=3))
        pieces.append(element("circle", shown, cx=across(value), cy=y, r=5, fill=colour))
        short = name if len(name) <= LONGEST else f"…{name[1 - LONGEST :]}"
        pieces.append(element("text", short, x=LEFT - 10, y=y + 4, text_anchor="end"))
    box = f"0 0 {WIDTH} {height}"
    return element("svg", *pieces, viewBox=box, width=WIDTH, height=height, role="img", aria_label=title)
