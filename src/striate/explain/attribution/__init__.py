"""Attribution: how much each pixel, or each region, speaks for a class."""

from __future__ import annotations

from striate.explain.attribution.draw import draw_attribution, draw_attributions
from striate.explain.attribution.methods import METHODS, Attribution, attribute, attribute_all
from striate.explain.attribution.sanity import randomised, rank_correlation, sanity_check

__all__ = [
    "METHODS",
    "Attribution",
    "attribute",
    "attribute_all",
    "draw_attribution",
    "draw_attributions",
    "randomised",
    "rank_correlation",
    "sanity_check",
]
