"""Replace the end of a named network, which is built for classes, as its loss requires."""

from __future__ import annotations

from striate.data.dataset import Dataset
from striate.layers.activation import Softmax
from striate.layers.base import Layer
from striate.layers.registry import to_dict
from striate.losses import Loss, is_labelled
from striate.network import Network
from striate.network_description import from_description


def with_ending(network: Network, dataset: Dataset, loss: Loss) -> Network:
    """Return ``network`` with the ending that its loss requires in place of a last Softmax.

    A regression keeps the Softmax where it learns the shares of classes.
    """
    if isinstance(loss.ending, Softmax) or (loss.wants is None and is_labelled(dataset.targets)):
        return network
    return _replace_softmax(network, loss.ending)


def _replace_softmax(network: Network, layer: Layer | None) -> Network:
    description = network.describe()
    items = {item["name"]: item for item in description["layers"]}
    ends: list[str] = []
    for name in (*network.auxiliary, network.steps[-1].name):
        if not isinstance(network.step(name).layer, Softmax):
            ends.append(name)
            continue
        item = items.pop(name)
        ends.append(name.replace("softmax", "sigmoid") if layer else item["inputs"][0])
        if layer is not None:
            items[ends[-1]] = {"name": ends[-1], "inputs": item["inputs"], **to_dict(layer)}
    items[ends[-1]] = items.pop(ends[-1])  # the output is the last
    description["layers"] = list(items.values())
    if network.auxiliary:
        description["auxiliary"] = ends[:-1]
    return from_description(description)
