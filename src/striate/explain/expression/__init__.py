"""A small expression language whose back-propagation is shown step by step."""

from __future__ import annotations

from striate.explain.expression.check import finite_differences
from striate.explain.expression.evaluate import Backpropagation, Step, Term, backprop, differentiate
from striate.explain.expression.graph import Graph, Node
from striate.explain.expression.parse import parse
from striate.explain.expression.svg import draw_graph

__all__ = [
    "Backpropagation",
    "Graph",
    "Node",
    "Step",
    "Term",
    "backprop",
    "differentiate",
    "draw_graph",
    "finite_differences",
    "parse",
]
