"""Pictures as SVG: curves and matrices inside a page, and documents of their own."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from striate.drawing.html import Markup, element, join, number

WIDTH, HEIGHT = 460, 260
LEFT, RIGHT, TOP, BOTTOM = 58, 12, 30, 40
COLOURS = (
    *("#0b6e99", "#c2570c", "#3f7d20", "#7b3fa0", "#b0922a", "#a8326e"),
    *("#4f5d75", "#2a9d8f", "#d62728", "#5b8ff9", "#8c5a3c", "#e377c2"),
)
Points = Sequence[tuple[float, float]]


def document(width: float, height: float, title: str, *pieces: Markup, **attributes: str) -> str:
    """Return the text of an SVG file: pieces on white."""
    size = {"width": f"{width:g}", "height": f"{height:g}", "viewBox": f"0 0 {width:g} {height:g}"}
    ground = element("rect", width="100%", height="100%", fill="#ffffff")
    head = {"xmlns": "http://www.w3.org/2000/svg", **size, "role": "img", **attributes}
    return str(element("svg", element("title", title), ground, *pieces, **head)) + "\n"


def curves(
    title: str, across: str, series: Mapping[str, Points], least: float | None = None, *, named: bool = True
) -> Markup:
    """Return a chart of several lines; empty if there is nothing to draw.

    Parameters
    ----------
    title, across : str
        What the values are, and what runs from left to right.
    series : mapping of a name to points (x, y)
    least : float, optional
        A value that the axis holds in any case.
    named : bool
        Write the names into the chart; without them the colours are those of `COLOURS` in the order of ``series``.
    """
    colours = {name: COLOURS[place % len(COLOURS)] for place, name in enumerate(series)}
    drawn = {name: [p for p in points if math.isfinite(p[1])] for name, points in series.items()}
    drawn = {name: points for name, points in drawn.items() if points}
    if not drawn:
        return Markup()
    xs = [x for points in drawn.values() for x, _ in points]
    ys = [y for points in drawn.values() for _, y in points]
    frame = _Frame(_span(xs), _span(ys if least is None else [*ys, least]))
    whole = all(x == round(x) for x in xs)
    pieces = [element("text", title, x=LEFT, y=16, class_="title"), frame.grid(across, whole=whole)]
    for place, (name, points) in enumerate(drawn.items()):
        pieces.append(frame.line(name, points, colours[name]))
        if named:
            right = WIDTH - RIGHT - 110 * place
            style = f"fill: {colours[name]}"
            pieces.append(element("text", name, x=right, y=16, text_anchor="end", style=style))
    box = f"0 0 {WIDTH} {HEIGHT}"
    return element("svg", *pieces, viewBox=box, width=WIDTH, height=HEIGHT, role="img", aria_label=title)


def scatter(title: str, across: str, x: np.ndarray, y: np.ndarray) -> Markup:
    """Return points (x, y) with the line on which both are equal; empty without finite points."""
    finite = np.isfinite(x) & np.isfinite(y)
    if not finite.any():
        return Markup()
    points = np.stack([x[finite], y[finite]], axis=1).astype(float)
    span = _span(points.ravel().tolist())
    frame = _Frame(span, span)
    (x0, y0), (x1, y1) = frame.place(span[0], span[0]), frame.place(span[1], span[1])
    line = element("line", x1=x0, y1=y0, x2=x1, y2=y1, class_="equal")
    dots = "".join("M{} {}h0".format(*frame.place(a, b)) for a, b in points.tolist())
    cloud = element("path", d=dots, stroke=COLOURS[0], stroke_width=4, stroke_linecap="round", stroke_opacity=0.45)
    heading = element("text", title, x=LEFT, y=16, class_="title")
    box = f"0 0 {WIDTH} {HEIGHT}"
    shown = [heading, frame.grid(across), line, cloud]
    return element("svg", *shown, viewBox=box, width=WIDTH, height=HEIGHT, role="img", aria_label=title)


class _Frame:
    """Axes of a chart: from values to places."""

    def __init__(self, x: tuple[float, float], y: tuple[float, float]) -> None:
        self.x, self.y = x, y

    def place(self, x: float, y: float) -> tuple[float, float]:
        across = LEFT + (x - self.x[0]) / (self.x[1] - self.x[0]) * (WIDTH - LEFT - RIGHT)
        down = HEIGHT - BOTTOM - (y - self.y[0]) / (self.y[1] - self.y[0]) * (HEIGHT - TOP - BOTTOM)
        return round(across, 1), round(down, 1)

    def grid(self, across: str, *, whole: bool = False) -> Markup:
        pieces = []
        for tick in ticks(*self.y):
            _, down = self.place(self.x[0], tick)
            pieces.append(element("line", x1=LEFT, x2=WIDTH - RIGHT, y1=down, y2=down, class_="grid"))
            pieces.append(element("text", f"{tick:.6g}", x=LEFT - 6, y=down + 4, text_anchor="end"))
        for tick in ticks(*self.x, whole=whole):
            right, _ = self.place(tick, self.y[0])
            pieces.append(element("text", f"{tick:g}", x=right, y=HEIGHT - BOTTOM + 16, text_anchor="middle"))
        middle = (LEFT + WIDTH - RIGHT) / 2
        pieces.append(element("text", across, x=middle, y=HEIGHT - 6, text_anchor="middle"))
        return join(pieces)

    def line(self, name: str, points: Points, colour: str) -> Markup:
        places = [self.place(*point) for point in points]
        path = " ".join(f"{x},{y}" for x, y in places)
        pieces = [element("polyline", points=path, fill="none", stroke=colour, stroke_width=2)]
        if len(points) <= 60:
            for (x, y), point in zip(places, points, strict=True):
                title = element("title", f"{name}: {number(float(point[1]))} at {point[0]:g}")
                pieces.append(element("circle", title, cx=x, cy=y, r=2.5, fill=colour))
        return join(pieces)


def confusion(matrix: np.ndarray, classes: Sequence[str]) -> Markup:
    """Return a confusion matrix (int64[K, K]) as a table, darker where a larger share of the row is."""
    totals = np.maximum(matrix.sum(axis=1), 1)
    names = [element("th", name, scope="col") for name in classes]
    header = element("tr", element("td", "true \\ predicted"), *names)
    rows = []
    for i, name in enumerate(classes):
        cells = [_shaded(int(count), count / totals[i], i == j) for j, count in enumerate(matrix[i])]
        rows.append(element("tr", element("th", name, scope="row"), *cells))
    return element("div", element("table", header, *rows, class_="confusion"), class_="wide")


def _shaded(count: int, share: float, right: bool) -> Markup:
    colour = "11, 110, 153" if right else "194, 87, 12"
    strength = 0.0 if count == 0 else 0.08 + 0.77 * math.sqrt(share)
    style = f"background: rgba({colour}, {strength:.2f})" + ("; color: #fff" if strength > 0.55 else "")
    return element("td", f"{count:,}" if count else "·", style=style, title=f"{share:.1%} of the row")


def ticks(low: float, high: float, wanted: int = 5, *, whole: bool = False) -> list[float]:
    """Return round numbers from ``low`` to ``high``, about ``wanted`` of them, fewer if only whole ones are.

    Examples
    --------
    >>> ticks(0.0, 1.0)
    [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    >>> ticks(1.0, 3.0, whole=True)
    [1.0, 2.0, 3.0]
    """
    rough = max((high - low) / wanted, 1.0 if whole else 0.0)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= rough * (1 - 1e-9))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(n * step, 12) for n in range(first, last + 1)]


def _span(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    if high - low < 1e-12 * max(1.0, abs(high)):
        return low - 0.5, high + 0.5
    return low, high
