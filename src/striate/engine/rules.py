"""How layers are lowered: one table, by layout and layer."""

from __future__ import annotations

from typing import Any

from striate.layers.base import Layer

SAMPLES, CHANNELS = "samples", "channels"
"""Layouts: what lies in the lanes of a vector."""
RULES: dict[tuple[str, type[Layer]], Any] = {}
"""(layout, layer) -> a ``lowering.context.Rule`` or a ``channels.context.ChannelRule``; a layer without one in its
layout uses that of the class it derives from."""


def find(layout: str, layer: Layer) -> Any:
    """Return the rule of a layer in a layout, or None if it has none."""
    return next((RULES[layout, cls] for cls in type(layer).__mro__ if (layout, cls) in RULES), None)
