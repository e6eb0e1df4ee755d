"""Explain a model, number by number: traces, decompositions, attributions and learnt features."""

from __future__ import annotations

from striate.drawing.mosaic import draw_sample
from striate.explain.approximation import Approximation, approximate
from striate.explain.attribution import (
    Attribution,
    attribute,
    attribute_all,
    draw_attribution,
    draw_attributions,
    randomised,
    sanity_check,
)
from striate.explain.diagram import draw_connections, draw_network
from striate.explain.draw_approximation import draw_approximation
from striate.explain.draw_sweep import draw_score_map
from striate.explain.draw_terms import draw_gradient_path, draw_why
from striate.explain.dropout import DropoutMasks, draw_dropout, dropout_masks
from striate.explain.features import (
    deconvolution,
    draw_feature_grid,
    draw_feature_maps,
    draw_filters,
    draw_patches,
    feature_grid,
    feature_maps,
    layer_filters,
    maximise_activation,
    part_of,
    top_patches,
)
from striate.explain.field import Field, draw_field
from striate.explain.gradient_path import GradientPath, gradient_path
from striate.explain.invariance_measure import Invariance, draw_invariance, invariance
from striate.explain.loss_slices import draw_loss_line, draw_loss_plane, loss_line, loss_plane
from striate.explain.race import Race, draw_race, race
from striate.explain.sample_grid import draw_predictions, draw_samples
from striate.explain.score_map import ScoreMap
from striate.explain.sweep import sweep
from striate.explain.tracing import Trace, trace

__all__ = [
    "Approximation",
    "Attribution",
    "DropoutMasks",
    "Field",
    "GradientPath",
    "Invariance",
    "Race",
    "ScoreMap",
    "Trace",
    "approximate",
    "attribute",
    "attribute_all",
    "deconvolution",
    "draw_approximation",
    "draw_attribution",
    "draw_attributions",
    "draw_connections",
    "draw_dropout",
    "draw_feature_grid",
    "draw_feature_maps",
    "draw_field",
    "draw_filters",
    "draw_gradient_path",
    "draw_invariance",
    "draw_loss_line",
    "draw_loss_plane",
    "draw_network",
    "draw_patches",
    "draw_predictions",
    "draw_race",
    "draw_sample",
    "draw_samples",
    "draw_score_map",
    "draw_why",
    "dropout_masks",
    "feature_grid",
    "feature_maps",
    "gradient_path",
    "invariance",
    "layer_filters",
    "loss_line",
    "loss_plane",
    "maximise_activation",
    "part_of",
    "race",
    "randomised",
    "sanity_check",
    "sweep",
    "top_patches",
    "trace",
]
