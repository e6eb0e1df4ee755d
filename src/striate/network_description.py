"""Networks from their descriptions, as files hold them."""

from __future__ import annotations

from typing import Any

from striate.errors import ModelFileError, UsageError
from striate.layers.base import Node
from striate.layers.registry import from_dict
from striate.network import Network

MOST_LAYERS = 5000


def from_description(description: dict[str, Any]) -> Network:
    """Return the network that ``Network.describe`` wrote.

    Raises
    ------
    ModelFileError
        If it names unknown layers, refers to layers that do not come before, or its shapes do not fit.
    """
    nodes: dict[str, Node] = {}
    try:
        for item in _bounded(description["layers"]):
            fields = dict(item)
            name, inputs = fields.pop("name"), fields.pop("inputs")
            _check_place(name, inputs, nodes)
            nodes[name] = from_dict(fields, name)(*(nodes[source] for source in inputs))
        auxiliary = [nodes[name] for name in description.get("auxiliary", [])]
        network = Network(list(nodes.values())[-1], str(description.get("name", "network")), auxiliary)
    except (KeyError, TypeError, AttributeError, IndexError, ValueError) as error:
        detail = error if isinstance(error, UsageError) else repr(error)
        raise ModelFileError(f"description: is not a network of striate; {detail}") from None
    used = {step.name for step in network.steps}
    unused = [name for name in nodes if name not in used]
    if unused:
        raise ModelFileError(
            f"description: every layer must lead to the output; got {', '.join(unused)} unused. Leave them out."
        )
    return network


def without_last(network: Network) -> Network:
    """Return ``network`` without its last layer, which has one input and no parameters."""
    *items, last = network.describe()["layers"]
    (source,) = last["inputs"]
    items.sort(key=lambda item: item["name"] == source)  # the output comes last
    return from_description({**network.describe(), "layers": items})


def _bounded(layers: Any) -> Any:
    if isinstance(layers, list) and len(layers) > MOST_LAYERS:
        raise ModelFileError(f"description: a network has at most {MOST_LAYERS:,} layers; got {len(layers):,}.")
    return layers


def _check_place(name: Any, inputs: Any, nodes: dict[str, Node]) -> None:
    if name in nodes:
        raise ModelFileError(f"{name}: names must be unique; the description uses this one twice. Rename one.")
    if not isinstance(name, str):
        raise ModelFileError(f"{name}: the name of a layer is text; got {type(name).__name__}. Rename it.")
    for source in inputs:
        if source not in nodes:
            raise ModelFileError(
                f"{name}: a layer must come after its inputs; got {source!r}, which does not come before it. "
                "Put it first."
            )
