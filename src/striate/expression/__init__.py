"""Arithmetic written as text: parsed to a graph, evaluated, differentiated."""

from __future__ import annotations

from striate.expression.derivative import ELEMENTWISE, slope, straight_code
from striate.expression.graph import Graph, Node
from striate.expression.parse import parse

__all__ = ["ELEMENTWISE", "Graph", "Node", "parse", "slope", "straight_code"]
