"""Convolution of functions: continuous, sampled, as a matrix and as a layer, on one page."""

from __future__ import annotations

from striate.worksheets.continuous.functions import FUNCTIONS, Convolved, convolve_functions
from striate.worksheets.continuous.page import convolution_page

__all__ = ["FUNCTIONS", "Convolved", "convolution_page", "convolve_functions"]
