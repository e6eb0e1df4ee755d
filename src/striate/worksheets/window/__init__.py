"""Pictures and animations of a window that slides over its padded input."""

from __future__ import annotations

from striate.worksheets.window.geometry import Frame, SlidingWindow, sliding_window
from striate.worksheets.window.raster import animated_gif, window_image
from striate.worksheets.window.svg import animated_svg, window_svg

__all__ = [
    "Frame",
    "SlidingWindow",
    "animated_gif",
    "animated_svg",
    "sliding_window",
    "window_image",
    "window_svg",
]
