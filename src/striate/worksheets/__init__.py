"""Worksheets: the arithmetic of layers, filtering, back-propagation and descent, number by number, without a model.

Sizes and costs of layers are in `striate.worksheets.arithmetic`.
"""

from __future__ import annotations

from striate.drawing.pictures import as_picture
from striate.worksheets import arithmetic
from striate.worksheets.check import check
from striate.worksheets.descent import descend, draw_descent, draw_losses
from striate.worksheets.expression import backprop, draw_graph, finite_differences
from striate.worksheets.filtering import convolve
from striate.worksheets.filters import make_filter
from striate.worksheets.matrix import draw_toeplitz, toeplitz
from striate.worksheets.pooling import pool
from striate.worksheets.repair import repair
from striate.worksheets.template import draw_template_search, template_search
from striate.worksheets.window import animated_gif, animated_svg, sliding_window, window_image, window_svg

__all__ = [
    "animated_gif",
    "animated_svg",
    "arithmetic",
    "as_picture",
    "backprop",
    "check",
    "convolve",
    "descend",
    "draw_descent",
    "draw_graph",
    "draw_losses",
    "draw_template_search",
    "draw_toeplitz",
    "finite_differences",
    "make_filter",
    "pool",
    "repair",
    "sliding_window",
    "template_search",
    "toeplitz",
    "window_image",
    "window_svg",
]
