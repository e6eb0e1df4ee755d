"""End a named network, which is built for classes, as its loss wants it."""

from __future__ import annotations

import math

from striate.data.dataset import Dataset
from striate.engine.losses import Loss
from striate.layers.activation import Sigmoid, Softmax
from striate.layers.registry import to_dict
from striate.model.outputs import GAUSSIAN, REGRESSIONS, is_labelled
from striate.network import Network, from_description


def output_count(dataset: Dataset, loss: Loss) -> int:
    """Return how many outputs a network needs for the targets of ``dataset``.

    That is one for each class or number; one for two classes with the binary cross-entropy; a mean and a
    logarithm of a variance for each number with the Gaussian negative log-likelihood.
    """
    if not is_labelled(dataset.targets):
        return math.prod(dataset.targets.shape[1:]) * (2 if loss.name == GAUSSIAN else 1)
    classes = len(dataset.classes) or int(dataset.targets.max()) + 1
    return 1 if classes == 2 and loss.name == "binary_cross_entropy" else classes


def with_ending(network: Network, dataset: Dataset, loss: Loss) -> Network:
    """Return ``network`` with what its loss wants in the place of a last Softmax.

    The binary cross-entropy gets a Sigmoid; the hinge loss, and a regression of numbers, plain outputs.
    """
    if loss.name == "binary_cross_entropy":
        return _replace_softmax(network, Sigmoid())
    if loss.name == "hinge" or (loss.name in REGRESSIONS and not is_labelled(dataset.targets)):
        return _replace_softmax(network, None)
    return network


def _replace_softmax(network: Network, layer: Sigmoid | None) -> Network:
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
