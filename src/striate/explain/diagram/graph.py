"""A network with branches: boxes in layers, joined by lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from striate.drawing.axes import new_axes, set_title
from striate.explain.diagram.parts import COLOURS, Part
from striate.layers.base import format_shape

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH, HEIGHT, DOWN, ACROSS = 1.7, 0.5, 0.26, 0.2  # inches: a box, and the room below and beside it
LETTER = 0.068  # inches that a letter of a label takes


def draw_graph(parts: Sequence[Part], title: str, axes: Axes | None = None) -> Axes:
    """Draw parts as boxes from top to bottom, each with what it computes and the shape of its output.

    References
    ----------
    Sugiyama, Tagawa and Toda (1981), "Methods for visual understanding of hierarchical system structures"; the
    layout is computed by Grandalf.
    """
    widths = {part.name: max(WIDTH, 0.2 + LETTER * max(map(len, _labels(part)))) for part in parts}
    places, routes = _layout(parts, widths)
    points = np.array([*places.values(), *(point for route in routes for point in route)])
    (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
    half = max(widths.values()) / 2
    size = (right - left + 2 * half + 0.3, bottom - top + HEIGHT + 0.7)
    axes = new_axes(axes, size=size)
    for route in routes:
        axes.plot(*np.array(route).T, color="#6b6b6b", linewidth=0.9, zorder=1, solid_joinstyle="round")
        _arrow(axes, route)
    for part in parts:
        _box(axes, part, places[part.name], widths[part.name])
    axes.set_xlim(left - half - 0.1, right + half + 0.1)
    axes.set_ylim(bottom + HEIGHT / 2 + 0.1, top - HEIGHT / 2 - 0.1)
    axes.set_aspect("equal")
    axes.set_axis_off()
    set_title(axes, title)
    return axes


def _labels(part: Part) -> tuple[str, ...]:
    return (*part.lines, format_shape(part.shape).replace("x", "×"))


def _box(axes: Any, part: Part, place: tuple[float, float], width: float) -> None:
    from matplotlib.patches import FancyBboxPatch

    face, edge = COLOURS[part.kind]
    x, y = place
    shape = FancyBboxPatch(
        (x - width / 2, y - HEIGHT / 2),
        width,
        HEIGHT,
        boxstyle="round,pad=0,rounding_size=0.06",
        facecolor=face,
        edgecolor=edge,
        zorder=2,
    )
    axes.add_patch(shape)
    text = "\n".join(_labels(part))
    axes.text(x, y, text, fontsize=6.5, ha="center", va="center", zorder=3, linespacing=1.15)


def _arrow(axes: Any, route: Sequence[tuple[float, float]]) -> None:
    x, y = route[-1]
    axes.plot([x], [y - 0.035], marker="v", color="#6b6b6b", markersize=3.5, zorder=2)


def _layout(
    parts: Sequence[Part], widths: dict[str, float]
) -> tuple[dict[str, tuple[float, float]], list[list[tuple[float, float]]]]:
    """Return where the middle of every box is, and the corners of every line, in inches from the top."""
    from grandalf.graphs import Edge, Graph, Vertex
    from grandalf.layouts import SugiyamaLayout, VertexViewer

    vertices = {part.name: Vertex(part.name) for part in parts}
    for name, vertex in vertices.items():
        vertex.view = VertexViewer(w=widths[name], h=HEIGHT)
    edges = [Edge(vertices[source], vertices[part.name]) for part in parts for source in part.inputs]
    core = Graph(list(vertices.values()), edges).C[0]
    layout = SugiyamaLayout(core)
    layout.xspace, layout.yspace, layout.dw, layout.dh = ACROSS, DOWN, ACROSS, HEIGHT
    layout.init_all(roots=[vertices[parts[0].name]])
    layout.draw(8)
    places = {name: (float(vertex.view.xy[0]), float(vertex.view.xy[1])) for name, vertex in vertices.items()}
    return places, [_route(layout, edge, places) for edge in edges]


def _route(layout: Any, edge: Any, places: dict[str, tuple[float, float]]) -> list[tuple[float, float]]:
    """Return the corners of a line: out of a box, past the layers between, into a box."""
    (x0, y0), (x1, y1) = (places[vertex.data] for vertex in edge.v)
    passed = layout.ctrls.get(edge, {})
    between = [tuple(passed[rank].view.xy) for rank in sorted(passed) if not _is_end(passed[rank], edge)]
    corners = [(x0, y0 + HEIGHT / 2)]
    for x, y in between:
        corners += [(float(x), float(y) - HEIGHT / 2), (float(x), float(y) + HEIGHT / 2)]
    return [*corners, (x1, y1 - HEIGHT / 2)]


def _is_end(vertex: Any, edge: Any) -> bool:
    return any(vertex is end for end in edge.v)
