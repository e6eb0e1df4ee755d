"""The sliding window as pixels: single pictures and an animated GIF."""

from __future__ import annotations

import io
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from striate.errors import UsageError
from striate.worksheets.window.geometry import SlidingWindow
from striate.worksheets.window.scene import Line, Rectangle, Scene, Shape, Word, make_scene
from striate.worksheets.window.svg import check_seconds

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw


def window_image(window: SlidingWindow, position: tuple[int, ...] | None = None, scale: int = 2) -> Image:
    """Return the window over one output cell (the first if not given) as a Pillow picture.

    Parameters
    ----------
    scale : int
        Pixels per unit of the SVG picture, 1 to 8.

    Raises
    ------
    ShapeError
        For a position outside the output.
    UsageError
        For another scale.
    """
    if scale not in range(1, 9):
        raise UsageError(f"window: scale is a whole number from 1 to 8; got {scale!r}.")
    scene = make_scene(window, position if position is not None else (0,) * len(window.layer.axes))
    return _paint(_paint(_blank(scene, scale), scene.still, scale), scene.frames[0], scale)


def animated_gif(window: SlidingWindow, seconds: float = 0.7) -> bytes:
    """Return the window at every position in turn, `seconds` each, as the bytes of an endless GIF.

    Raises
    ------
    UsageError
        For a time that is not positive.
    """
    check_seconds(seconds)
    scene = make_scene(window)
    palette = _palette(scene)
    images = (frame.quantize(palette=palette, dither=_no_dither()) for frame in _frames(scene))
    file = io.BytesIO()
    next(images).save(
        file,
        "GIF",
        save_all=True,
        append_images=images,
        duration=max(20, round(1000 * seconds)),
        loop=0,
        disposal=1,
    )
    return file.getvalue()


def _frames(scene: Scene) -> Iterator[Image]:
    base = _paint(_blank(scene, 1), scene.still, 1)
    for shapes, lasting in zip(scene.frames, scene.lasting, strict=True):
        yield _paint(base.copy(), shapes, 1)
        _paint(base, lasting, 1)


def _palette(scene: Scene) -> Image:
    """Return a picture whose palette holds the most common colours of a typical frame, exactly."""
    from PIL import Image

    middle = len(scene.frames) // 2
    parts = [scene.still, *scene.lasting[:middle], scene.frames[middle], scene.frames[0]]
    typical = _blank(scene, 1)
    for shapes in parts:
        _paint(typical, shapes, 1)
    counted: Any = typical.getcolors(scene.width * scene.height)
    chosen: list[tuple[int, ...]] = []
    for _, colour in sorted(counted, reverse=True):  # Pillow looks colours up in steps of 4, so keep them apart
        if all(max(abs(a - b) for a, b in zip(colour, other, strict=True)) > 8 for other in chosen):
            chosen.append(colour)
    palette = Image.new("P", (1, 1))
    palette.putpalette([level for colour in chosen[:256] for level in colour])
    return palette


def _no_dither() -> Any:
    from PIL import Image

    return Image.Dither.NONE


def _blank(scene: Scene, scale: int) -> Image:
    from PIL import Image

    return Image.new("RGB", (scene.width * scale, scene.height * scale), "#ffffff")


def _paint(image: Image, shapes: list[Shape], scale: int) -> Image:
    from PIL import ImageDraw

    draw = ImageDraw.Draw(image)
    for shape in shapes:
        match shape:
            case Rectangle():
                _rectangle(draw, shape, scale)
            case Line():
                ends = [(shape.x1 * scale, shape.y1 * scale), (shape.x2 * scale, shape.y2 * scale)]
                draw.line(ends, fill="#efb287", width=scale)
            case Word():
                anchor = "lm" if shape.left else "mm"
                place = (shape.x * scale, shape.y * scale)
                draw.text(place, shape.text, fill=shape.fill, font=_font(shape.size * scale), anchor=anchor)
    return image


def _rectangle(draw: ImageDraw, shape: Rectangle, scale: int) -> None:
    x, y = round(shape.x * scale), round(shape.y * scale)
    right, bottom = round((shape.x + shape.width) * scale), round((shape.y + shape.height) * scale)
    line = max(1, round(shape.line * scale))
    if not shape.dashed:
        draw.rectangle([x, y, right, bottom], fill=shape.fill or None, outline=shape.stroke, width=line)
        return
    dash, period = 4 * scale, 7 * scale
    for start in range(0, max(right - x, bottom - y), period):
        for edge in (y, bottom):
            draw.line([(x + start, edge), (min(x + start + dash, right), edge)], fill=shape.stroke, width=line)
        for edge in (x, right):
            draw.line([(edge, y + start), (edge, min(y + start + dash, bottom))], fill=shape.stroke, width=line)


@lru_cache(maxsize=64)
def _font(size: float) -> Any:
    from PIL import ImageFont

    return ImageFont.load_default(size=max(4.0, size))
