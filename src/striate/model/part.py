"""The part of a model up to one of its layers, as a model of its own."""

from __future__ import annotations

import dataclasses

import numpy as np

from striate.layers.base import Layer, Node
from striate.model.core import Model
from striate.network import Network, Step


def part_of(model: Model, layer: str) -> Model:
    """Return the model whose output is the value of ``layer``, with the same parameters.

    Raises
    ------
    UsageError
        If there is no such layer, or it is the input.

    Examples
    --------
    >>> from striate.models import lenet5
    >>> part_of(Model(lenet5(), np.zeros(61706)), "pool1").network.output_shape
    (6, 14, 14)
    """
    network = model.network
    network.step(layer)
    nodes: dict[str, Node] = {}
    for step in network.steps:
        nodes[step.name] = named(step)(*(nodes[source] for source in step.inputs))
        if step.name == layer:
            break
    part = Network(nodes[layer], network.name)
    theta, states = np.zeros(part.parameter_count, np.float32), np.zeros(part.state_count, np.float32)
    whole = {slot.name: slot.view(model.theta) for slot in network.parameters}
    carried = {slot.name: slot.view(model.states) for slot in network.states}
    for slot in part.parameters:
        slot.view(theta)[...] = whole[slot.name]
    for slot in part.states:
        slot.view(states)[...] = carried[slot.name]
    return Model(part, theta, states, normalisation=model.normalisation, threads=model.threads)


def named(step: Step) -> Layer:
    """Return the layer of a step under the name that the network gave it."""
    return dataclasses.replace(step.layer, name=step.name)
