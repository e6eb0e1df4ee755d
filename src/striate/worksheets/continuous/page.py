"""The page: an animation of the integral, the samples, the matrix and the layer."""

from __future__ import annotations

import html
import json
from importlib import resources

import numpy as np

from striate.drawing.html import Markup, element, join, section
from striate.drawing.svg import curves
from striate.numbers import format_number
from striate.worksheets.continuous.functions import Convolved


def convolution_page(found: Convolved) -> str:
    """Return a page without anything to fetch: two functions, their product and its area as time goes on, then the
    same with samples, as a matrix and as a layer.
    """
    data = {name: np.round(values, 5).tolist() for name, values in _lines(found).items()}
    data["names"] = list(found.names)
    parts = {
        "title": html.escape(f"{found.names[0]} * {found.names[1]}"),
        "sections": str(join([_sampled(found), _matrix(found), _layer(found)])),
        "data": json.dumps(data, separators=(",", ":")).replace("</", "<\\/"),
    }
    page = resources.files("striate.worksheets.continuous").joinpath("page.html").read_text("utf-8")
    for key in ("title", "sections", "data"):
        before, _, after = page.partition(f"@@{key}@@")
        page = before + parts[key] + after
    return page


def _lines(found: Convolved) -> dict[str, np.ndarray]:
    """Return what the script draws, at every third step."""
    third = {"t": found.t, "f": found.f, "g": found.g, "times": found.times, "result": found.result}
    return {name: values[::3] for name, values in third.items()}


def _sampled(found: Convolved) -> Markup:
    places = found.spacing * (np.arange(len(found.kernel)) - len(found.kernel) // 2)
    drawn = curves(
        "samples",
        "t",
        {
            f"f: {found.names[0]}": _points(places, found.samples[0]),
            f"g: {found.names[1]}": _points(places, found.samples[1]),
        },
    )
    compared = curves(
        "convolution",
        "t",
        {"integral": _points(found.times[::12], found.result[::12]), "sums": _points(found.sum_times, found.sums)},
    )
    best = int(np.abs(found.sums).argmax())
    said = (
        f"Instead of an integral, a sum: f and g are known every {found.spacing:g}, and each product stands for a "
        f"strip of this width. Here the sums differ from the integral by at most {found.error:.2g}. The largest is"
    )
    return section("2. Sampled", element("p", said), element("pre", str(found.step(best))), drawn, compared)


def _points(x: np.ndarray, y: np.ndarray) -> list[tuple[float, float]]:
    return list(zip(x.tolist(), y.tolist(), strict=True))


def _matrix(found: Convolved) -> Markup:
    limit = float(np.abs(found.kernel).max()) or 1.0
    rows = []
    for n, row in enumerate(found.matrix):
        cells = [_cell(value, limit) for value in row]
        total = element("td", format_number(round(float(found.sums[n]), 4)), class_="sum")
        rows.append(element("tr", *cells, element("td", "→"), total))
    said = (
        "All sums at once: a matrix times the samples of f. Its rows hold g turned around, moved on by one from "
        "row to row; the same number along every diagonal is what a network calls shared weights."
    )
    table = element("div", element("table", *rows, class_="matrix"), class_="wide")
    return section("3. As a matrix", element("p", said), table)


def _cell(value: float, limit: float) -> Markup:
    red, green, blue = (178, 24, 43) if value > 0 else (33, 102, 172)
    style = f"background: rgba({red}, {green}, {blue}, {0.7 * abs(value) / limit:.2f})"
    return element("td", f"{value:.2f}".lstrip("0") if value else "·", style=style)


def _layer(found: Convolved) -> Markup:
    count = len(found.kernel)
    difference = float(np.abs(found.layer() - found.sums).max())
    code = (
        f"Conv1d(1, {count}, padding={count - 1}, bias=False)  # weights: g turned around, times {found.spacing:g}"
    )
    said = (
        "Layers compute cross-correlations, so the kernel is reversed beforehand. A layer that learns finds the "
        f"reversed kernel by itself. Computed in float32, its {len(found.sums)} outputs differ from the "
        f"sums above by at most {difference:.1e}."
    )
    return section("4. As a layer", element("pre", code), element("p", said))
