"""Networks drawn: boxes for convolutional ones, a graph where they branch, units and edges for small dense ones."""

from __future__ import annotations

from striate.explain.diagram.connections import draw_connections
from striate.explain.diagram.draw import STYLES, draw_network

__all__ = ["STYLES", "draw_connections", "draw_network"]
