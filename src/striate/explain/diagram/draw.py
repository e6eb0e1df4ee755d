"""A drawing of any network, in the style that fits it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from striate.checks import integer
from striate.errors import UsageError
from striate.explain.diagram.boxes import draw_boxes
from striate.explain.diagram.graph import draw_graph
from striate.explain.diagram.parts import Part, is_chain, parts_of
from striate.explain.diagram.units import draw_units
from striate.layers.arguments import choice
from striate.model import Model
from striate.network import Network

if TYPE_CHECKING:
    from matplotlib.axes import Axes

STYLES = ("boxes", "graph", "units")


def draw_network(
    network: Network | Model, style: str | None = None, *, fold: int | None = None, axes: Axes | None = None
) -> Axes:
    """Draw a network.

    Parameters
    ----------
    network : Network or Model
        Of a model, small dense networks show their weights.
    style : {"boxes", "graph", "units"}, optional
        Boxes as large as the feature maps, for layers one after the other; a graph, also for branches; or every
        unit with its connections, for dense layers. By default the one that fits.
    fold : int, optional
        Draw layers whose names have the same first ``fold`` components as one block; see `parts_of`.
    axes : Axes, optional

    Raises
    ------
    UsageError
        If the style is unknown or does not fit the network, or ``fold`` is below 0.

    Examples
    --------
    >>> from striate.models import lenet5
    >>> axes = draw_network(lenet5())
    """
    model = network if isinstance(network, Model) else None
    graph = network.network if isinstance(network, Model) else network
    parts = parts_of(graph, None if fold is None else integer(fold, "fold", 0))
    chosen = _usual(parts) if style is None else choice(style, "style", STYLES)
    if chosen == "graph":
        return draw_graph(parts, graph.name, axes)
    if not is_chain(parts):
        raise UsageError(f"{graph.name}: style {chosen} needs layers one after the other; got branches. Use graph.")
    if chosen == "units":
        other = next((part for part in parts[1:] if part.kind not in ("dense", "other")), None)
        if other is not None:
            raise UsageError(
                f"{graph.name}: style units is for fully connected layers; got {other.lines[0]} ({other.name}). "
                "Use boxes."
            )
        return draw_units(parts, graph.name, model, axes)
    return draw_boxes(parts, graph.name, axes)


def _usual(parts: tuple[Part, ...]) -> str:
    if not is_chain(parts) or any(part.kind == "group" for part in parts):
        return "graph"
    features = all(part.kind == "dense" for part in parts[1:] if part.kind != "other")
    return "units" if features and len(parts[0].shape) == 1 else "boxes"
