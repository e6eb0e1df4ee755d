"""Learnt features: filters, feature maps, and the pictures that units respond to."""

from __future__ import annotations

from striate.explain.features.deconvolution import deconvolution
from striate.explain.features.grid import ChannelFeatures, draw_feature_grid, feature_grid
from striate.explain.features.maps import draw_feature_maps, draw_filters, feature_maps, layer_filters
from striate.explain.features.maximisation import Maximised, maximise_activation
from striate.explain.features.patches import Patch, draw_patches, top_patches
from striate.model.part import part_of

__all__ = [
    "ChannelFeatures",
    "Maximised",
    "Patch",
    "deconvolution",
    "draw_feature_grid",
    "draw_feature_maps",
    "draw_filters",
    "draw_patches",
    "feature_grid",
    "feature_maps",
    "layer_filters",
    "maximise_activation",
    "part_of",
    "top_patches",
]
