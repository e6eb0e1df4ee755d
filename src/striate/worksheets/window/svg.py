"""The sliding window as SVG, still or moving."""

from __future__ import annotations

from striate.drawing.html import Markup, element
from striate.drawing.svg import document
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
    return _document(scene, [element("g", *map(_shape, scene.frames[0]))])


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


def _timed(shapes: list[Shape], start: float, end: float, seconds: float) -> Markup:
    """Return a group that is visible from `start` to `end`, fractions of a loop of `seconds`."""
    values, times = ["visible"], [start]
    if start > 0:
        values, times = ["hidden", *values], [0.0, *times]
    if end < 1:
        values, times = [*values, "hidden"], [*times, end]
    if len(values) == 1:
        return element("g", *map(_shape, shapes))
    animation = element(
        "animate",
        attributeName="visibility",
        values=";".join(values),
        keyTimes=";".join(f"{time:.6g}" for time in times),
        calcMode="discrete",
        dur=f"{seconds:.6g}s",
        repeatCount="indefinite",
    )
    return element("g", animation, *map(_shape, shapes), visibility=values[0])


def check_seconds(seconds: float) -> None:
    """Raise UsageError unless `seconds` is a positive time."""
    if not 0 < seconds < 3600:
        raise UsageError(f"window: a position is shown for a positive time in seconds; got {seconds}.")


def _document(scene: Scene, groups: list[Markup]) -> str:
    title = next(shape.text for shape in scene.still if isinstance(shape, Word))
    still = element("g", *map(_shape, scene.still))
    font = {"font-family": "DejaVu Sans, Verdana, sans-serif"}
    return document(scene.width, scene.height, title, still, *groups, **font)


def _shape(shape: Shape) -> Markup:
    match shape:
        case Rectangle():
            return element(
                "rect",
                **_tenths(x=shape.x, y=shape.y, width=shape.width, height=shape.height),
                fill=shape.fill or "none",
                stroke=shape.stroke,
                stroke_width=f"{shape.line:g}",
                **({"stroke_dasharray": "4 3"} if shape.dashed else {}),
            )
        case Line():
            ends = _tenths(x1=shape.x1, y1=shape.y1, x2=shape.x2, y2=shape.y2)
            return element("line", **ends, stroke=shape.stroke, stroke_opacity="0.55")
        case Word():
            return element(
                "text",
                shape.text,
                **_tenths(x=shape.x, y=shape.y + shape.size * 0.36, font_size=shape.size),
                fill=shape.fill,
                text_anchor="start" if shape.left else "middle",
            )


def _tenths(**values: float) -> dict[str, str]:
    return {name: f"{value:.1f}" for name, value in values.items()}
