"""See why: the arithmetic of layers, filtering, back-propagation, descent and whole models, number by number.

Sizes and costs of layers are in `striate.explain.arithmetic`.
"""

from __future__ import annotations

from striate.explain import arithmetic
from striate.explain.attribution import (
    Attribution,
    attribute,
    attribute_all,
    draw_attribution,
    draw_attributions,
    randomised,
    sanity_check,
)
from striate.explain.convolution_matrix import draw_toeplitz, toeplitz
from striate.explain.descent import descend, draw_descent, draw_losses
from striate.explain.draw_terms import draw_gradient_path, draw_why
from striate.explain.expression import backprop, draw_graph, finite_differences
from striate.explain.field import Field, draw_field
from striate.explain.filtering import convolve
from striate.explain.filters import make_filter
from striate.explain.gradient_path import GradientPath, gradient_path
from striate.explain.invariance_measure import Invariance, draw_invariance, invariance
from striate.explain.learnt import (
    deconvolution,
    draw_feature_maps,
    draw_filters,
    draw_patches,
    feature_maps,
    layer_filters,
    maximise_activation,
    part_of,
    top_patches,
)
from striate.explain.loss_slices import draw_loss_line, draw_loss_plane, loss_line, loss_plane
from striate.explain.mosaic import draw_sample
from striate.explain.page import explain_page
from striate.explain.pictures import as_picture
from striate.explain.pooling import pool
from striate.explain.template import draw_template_search, template_search
from striate.explain.tracing import Trace, trace
from striate.explain.window import animated_gif, animated_svg, sliding_window, window_image, window_svg

__all__ = [
    "Attribution",
    "Field",
    "GradientPath",
    "Invariance",
    "Trace",
    "animated_gif",
    "animated_svg",
    "arithmetic",
    "as_picture",
    "attribute",
    "attribute_all",
    "backprop",
    "convolve",
    "deconvolution",
    "descend",
    "draw_attribution",
    "draw_attributions",
    "draw_descent",
    "draw_feature_maps",
    "draw_field",
    "draw_filters",
    "draw_gradient_path",
    "draw_graph",
    "draw_invariance",
    "draw_loss_line",
    "draw_loss_plane",
    "draw_losses",
    "draw_patches",
    "draw_sample",
    "draw_template_search",
    "draw_toeplitz",
    "draw_why",
    "explain_page",
    "feature_maps",
    "finite_differences",
    "gradient_path",
    "invariance",
    "layer_filters",
    "loss_line",
    "loss_plane",
    "make_filter",
    "maximise_activation",
    "part_of",
    "pool",
    "randomised",
    "sanity_check",
    "sliding_window",
    "template_search",
    "toeplitz",
    "top_patches",
    "trace",
    "window_image",
    "window_svg",
]
