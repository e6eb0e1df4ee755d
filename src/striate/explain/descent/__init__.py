"""Loss surfaces of two parameters, and the paths that optimizers take on them."""

from __future__ import annotations

from striate.explain.descent.draw import draw_descent, draw_losses
from striate.explain.descent.paths import METHODS, Descent, Path, descend
from striate.explain.descent.problem import PROBLEMS, Problem, Surface, problem

__all__ = [
    "METHODS",
    "PROBLEMS",
    "Descent",
    "Path",
    "Problem",
    "Surface",
    "descend",
    "draw_descent",
    "draw_losses",
    "problem",
]
