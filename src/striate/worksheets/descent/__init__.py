"""Loss surfaces of two parameters, and the paths that optimizers take on them."""

from __future__ import annotations

from striate.worksheets.descent.draw import draw_descent, draw_losses
from striate.worksheets.descent.paths import METHODS, RATES, Descent, Path, descend
from striate.worksheets.descent.problem import PROBLEMS, Problem, Surface, problem

__all__ = [
    "METHODS",
    "PROBLEMS",
    "RATES",
    "Descent",
    "Path",
    "Problem",
    "Surface",
    "descend",
    "draw_descent",
    "draw_losses",
    "problem",
]
