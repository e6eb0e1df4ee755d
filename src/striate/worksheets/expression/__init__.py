"""A small expression language whose back-propagation is shown step by step."""

from __future__ import annotations

from striate.expression.graph import Graph, Node
from striate.expression.parse import parse
from striate.worksheets.expression.check import finite_differences
from striate.worksheets.expression.evaluate import Backpropagation, backprop, differentiate, draw_graph
from striate.worksheets.expression.steps import Step, Term

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
