"""The sliding window as SVG, still or moving."""

from __future__ import annotations

from html import escape

from striate.errors import UsageError
from striate.worksheets.window.geometry import SlidingWindow
from striate.worksheets.window.scene import Line, Rectangle, Scene, Shape, Word, make_scene


def window_svg(window: SlidingWindow, position: tuple[int, ...] | None = None) -> str:
    """Return the window over one output cell (the first if not given) as SVG text.

    Raises
    ------
    ShapeError
        For a position outside the output.
    """
    scene = make_scene(window, position if position is not None else (0,) * len(window.layer.axes))
    return _document(scene, [f"<g>{_shapes(scene.frames[0])}</g>"])


def animated_svg(window: SlidingWindow, seconds: float = 0.7) -> str:
    """Return the window at every position in turn, `seconds` each, as SVG text that moves by itself.

    Raises
    ------
    UsageError
        For a time that is not positive.
    """
    check_seconds(seconds)
    scene = make_scene(window)
    count = len(scene.frames)
    groups = []
    for i, (frame, lasting) in enumerate(zip(scene.frames, scene.lasting, strict=True)):
        if lasting and i + 1 < count:
            groups.append(_timed(lasting, (i + 1) / count, 1.0, count * seconds))
        groups.append(_timed(frame, i / count, (i + 1) / count, count * seconds))
    return _document(scene, groups)


def _timed(shapes: list[Shape], start: float, end: float, seconds: float) -> str:
    """Return a group that is visible from `start` to `end`, fractions of a loop of `seconds`."""
    values, times = ["visible"], [start]
    if start > 0:
        values, times = ["hidden", *values], [0.0, *times]
    if end < 1:
        values, times = [*values, "hidden"], [*times, end]
    shown = "hidden" if start > 0 else "visible"
    if len(values) == 1:
        return f"<g>{_shapes(shapes)}</g>"
    return (
        f'<g visibility="{shown}"><animate attributeName="visibility" values="{";".join(values)}" '
        f'keyTimes="{";".join(f"{time:.6g}" for time in times)}" calcMode="discrete" dur="{seconds:.6g}s" '
        f'repeatCount="indefinite"/>{_shapes(shapes)}</g>'
    )


def check_seconds(seconds: float) -> None:
    """Raise UsageError unless `seconds` is a positive time."""
    if not 0 < seconds < 3600:
        raise UsageError(f"window: a position is shown for a positive time in seconds; got {seconds}.")


def _document(scene: Scene, groups: list[str]) -> str:
    size = f'width="{scene.width:g}" height="{scene.height:g}" viewBox="0 0 {scene.width:g} {scene.height:g}"'
    title = next(shape.text for shape in scene.still if isinstance(shape, Word))
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" '
            f'font-family="DejaVu Sans, Verdana, sans-serif">',
            f"<title>{escape(title)}</title>",
            '<rect width="100%" height="100%" fill="#ffffff"/>',
            f"<g>{_shapes(scene.still)}</g>",
            *groups,
            "</svg>",
            "",
        ]
    )


def _shapes(shapes: list[Shape]) -> str:
    return "".join(map(_shape, shapes))


def _shape(shape: Shape) -> str:
    match shape:
        case Rectangle():
            dashes = ' stroke-dasharray="4 3"' if shape.dashed else ""
            return (
                f'<rect x="{shape.x:.1f}" y="{shape.y:.1f}" width="{shape.width:.1f}" height="{shape.height:.1f}" '
                f'fill="{shape.fill or "none"}" stroke="{shape.stroke}" stroke-width="{shape.line:g}"{dashes}/>'
            )
        case Line():
            return (
                f'<line x1="{shape.x1:.1f}" y1="{shape.y1:.1f}" x2="{shape.x2:.1f}" y2="{shape.y2:.1f}" '
                f'stroke="{shape.stroke}" stroke-opacity="0.55"/>'
            )
        case Word():
            anchor = "start" if shape.left else "middle"
            return (
                f'<text x="{shape.x:.1f}" y="{shape.y + shape.size * 0.36:.1f}" font-size="{shape.size:.1f}" '
                f'fill="{shape.fill}" text-anchor="{anchor}">{escape(shape.text)}</text>'
            )
