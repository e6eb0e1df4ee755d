"""A network without branches: boxes as large as its feature maps."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from striate.drawing.axes import new_axes, set_title
from striate.explain.diagram.parts import COLOURS, Part
from striate.layers.base import format_shape

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TALLEST, SMALLEST, THICKEST = 1.7, 0.16, 0.55  # inches
SLANT = np.array([0.38, 0.3])  # where a column of a map goes on the paper, of its length
PITCH, LETTER = 0.9, 0.066
Size = tuple[float, float, float]
"""Thickness, height and depth of a box, in inches."""


def draw_boxes(parts: Sequence[Part], title: str, axes: Axes | None = None) -> Axes:
    """Draw parts as boxes from left to right: rows upwards, columns into the paper, channels across.

    Sides grow with the square root of rows and columns, thickness with the logarithm of the channels. A window on a
    box is the kernel that the next part moves over it.
    """
    sizes = [_size(part, parts) for part in parts]
    lefts, x = [], 0.0
    for part, (thick, _, wide) in zip(parts, sizes, strict=True):
        label = LETTER * max(map(len, (*part.lines, _shape(part))))
        room = max(PITCH, thick + wide * SLANT[0] + 0.2, label + 0.12)
        lefts.append(x + (room - thick - wide * SLANT[0]) / 2)
        x += room
    axes = new_axes(axes, size=(x + 0.2, TALLEST + 1.6))
    top = max(tall / 2 + wide * SLANT[1] / 2 for _, tall, wide in sizes)
    for n, part in enumerate(parts):
        if n + 1 < len(parts):
            _join(axes, parts[n + 1], (lefts[n], sizes[n], part), (lefts[n + 1], sizes[n + 1]))
        _box(axes, part, lefts[n], sizes[n])
        middle = lefts[n] + (sizes[n][0] + sizes[n][2] * SLANT[0]) / 2
        axes.text(middle, top + 0.1, _shape(part), fontsize=7, ha="center", va="bottom")
        axes.text(middle, -top - 0.1, "\n".join(part.lines), fontsize=7, ha="center", va="top", linespacing=1.3)
    axes.set_xlim(-0.1, x + 0.1)
    axes.set_ylim(-top - 0.5, top + 0.4)
    axes.set_aspect("equal")
    axes.set_axis_off()
    set_title(axes, title)
    return axes


def _shape(part: Part) -> str:
    return format_shape(part.shape).replace("x", "×")


def _size(part: Part, parts: Sequence[Part]) -> Size:
    """Return the size of the box of a part."""
    spaces = [other.shape[1:] for other in parts if len(other.shape) > 1]
    most = max((max(space) for space in spaces), default=1)
    channels, *space = part.shape
    if not space:
        widest = max(math.log2(1 + other.shape[0]) for other in parts if len(other.shape) == 1)
        return 0.14, max(SMALLEST, 0.85 * TALLEST * math.log2(1 + channels) / widest), 0.0
    thickest = max(math.log2(1 + other.shape[0]) for other in parts if len(other.shape) > 1)
    thick = 0.05 + (THICKEST - 0.05) * math.log2(1 + channels) / max(thickest, 6)
    sides = [max(SMALLEST, TALLEST * math.sqrt(length / most)) for length in space]
    tall = sides[-2] if len(sides) > 1 else sides[0]
    return thick, tall, sides[-1] if len(sides) > 1 else 0.0


def _corner(left: float, size: Size, x: float, y: float, depth: float) -> np.ndarray:
    """Return where a point of a box is on the paper; x, y and depth go from 0 to 1."""
    thick, tall, wide = size
    low = -tall / 2 - wide * SLANT[1] / 2
    return np.array([left + x * thick, low + y * tall]) + depth * wide * SLANT


def _box(axes: Any, part: Part, left: float, size: Size) -> None:
    from matplotlib.colors import to_rgb
    from matplotlib.patches import Polygon

    face, edge = COLOURS[part.kind]
    faces = {
        1.0: ((0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0)),
        1.03: ((0, 1, 0), (1, 1, 0), (1, 1, 1), (0, 1, 1)),
        0.93: ((1, 0, 0), (1, 0, 1), (1, 1, 1), (1, 1, 0)),
    }
    for light, corners in faces.items():
        colour = tuple(np.clip(np.array(to_rgb(face)) * light, 0, 1))
        points = [_corner(left, size, *corner) for corner in corners]
        axes.add_patch(Polygon(points, facecolor=colour, edgecolor=edge, linewidth=0.8, zorder=2))


def _join(axes: Any, after: Part, one: tuple[float, Size, Part], other: tuple[float, Size]) -> None:
    """Draw the kernel of ``after`` on the box before it, and lines to its own box; an arrow without a kernel."""
    from matplotlib.patches import Polygon

    left, size, part = one
    target = _corner(*other, 0, 0.5, 0)
    window = after.steps[0].layer.window(*after.steps[0].input_shapes)
    if window is None or size[2] == 0:
        start = _corner(left, size, 1, 0.5, 0.5)
        arrow = {"arrowstyle": "-|>", "color": "#6b6b6b", "linewidth": 0.9, "shrinkA": 1, "shrinkB": 1}
        axes.annotate("", target, start, arrowprops=arrow, zorder=1)
        return
    tall, wide = (min(1.0, k / n) for k, n in zip(window.kernel[-2:], part.shape[-2:], strict=True))
    low, near = (1 - tall) * 0.6, (1 - wide) * 0.5
    patch = [(1, low, near), (1, low, near + wide), (1, low + tall, near + wide), (1, low + tall, near)]
    points = [_corner(left, size, *corner) for corner in patch]
    colour = COLOURS[after.kind][1]
    for point in points:
        axes.plot(*np.array([point, target]).T, color=colour, linewidth=0.5, alpha=0.8, zorder=3)
    axes.add_patch(Polygon(points, facecolor=colour, edgecolor=colour, alpha=0.45, linewidth=0.8, zorder=3))
