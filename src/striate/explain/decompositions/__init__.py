"""One value of any layer taken apart into the numbers it came from.

Linear layers and activations follow from what the layer says of itself; what is left has a function of its own.
"""

from __future__ import annotations

from striate.explain.decompositions import integers, maximum, nonlinear, pairwise, recurrent, statistics
from striate.explain.decompositions.linear import linear, linearised
from striate.explain.decompositions.terms import DECOMPOSERS, Cell, Decomposition, Terms, decomposes

__all__ = [
    "Cell",
    "Decomposition",
    "Terms",
    "decompose",
    "decomposes",
    "integers",
    "maximum",
    "nonlinear",
    "pairwise",
    "recurrent",
    "statistics",
]


def decompose(cell: Cell) -> Decomposition:
    """Return how the value of ``cell`` comes about."""
    for cls in type(cell.layer).__mro__:
        if cls in DECOMPOSERS:
            return DECOMPOSERS[cls](cell)
    if cell.layer.linear:
        return linear(cell)
    return nonlinear.elementwise(cell) if cell.layer.pointwise else linearised(cell)
