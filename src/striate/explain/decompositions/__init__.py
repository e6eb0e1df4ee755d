"""One value of any layer taken apart into the numbers it came from."""

from __future__ import annotations

from striate.explain.decompositions import dense, functions, moves, statistics, windows
from striate.explain.decompositions.linearised import linearised
from striate.explain.decompositions.terms import DECOMPOSERS, Cell, Decomposition, Terms, decomposes

__all__ = [
    "Cell",
    "Decomposition",
    "Terms",
    "decompose",
    "decomposes",
    "dense",
    "functions",
    "moves",
    "statistics",
    "windows",
]


def decompose(cell: Cell) -> Decomposition:
    """Return how the value of ``cell`` comes about; a layer without a decomposer is linearised."""
    for cls in type(cell.layer).__mro__:
        if cls in DECOMPOSERS:
            return DECOMPOSERS[cls](cell)
    return linearised(cell)
