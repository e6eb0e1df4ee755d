"""Sizes, parameters, work and memory of layers, with the formulas filled in."""

from __future__ import annotations

from striate.worksheets.arithmetic.axis import Axis, same_padding
from striate.worksheets.arithmetic.build import convolution, pooling, transposed_convolution
from striate.worksheets.arithmetic.dense import DenseArithmetic, dense
from striate.worksheets.arithmetic.formula import filled, symbols
from striate.worksheets.arithmetic.inverse import Solutions, solve
from striate.worksheets.arithmetic.layer import LayerArithmetic

__all__ = [
    "Axis",
    "DenseArithmetic",
    "LayerArithmetic",
    "Solutions",
    "convolution",
    "dense",
    "filled",
    "pooling",
    "same_padding",
    "solve",
    "symbols",
    "transposed_convolution",
]
