"""Sizes, parameters, work and memory of layers, with the formulas filled in."""

from __future__ import annotations

from striate.explain.arithmetic.axis import Axis, same_padding
from striate.explain.arithmetic.build import convolution, pooling, transposed_convolution
from striate.explain.arithmetic.dense import DenseArithmetic, dense
from striate.explain.arithmetic.formula import filled, symbols
from striate.explain.arithmetic.inverse import Solutions, solve
from striate.explain.arithmetic.layer import LayerArithmetic

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
