"""The part of a model up to one of its layers, as a model."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection

import numpy as np

from striate.layers.base import Layer, Node, Shape
from striate.layers.shape import Input
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
    theta, states = carried_over(model, part)
    return Model(part, theta, states, normalisation=model.normalisation, threads=model.threads)


def carried_over(model: Model, network: Network, skip: Collection[str] = ()) -> tuple[np.ndarray, np.ndarray]:
    """Return parameters and states, float32, of a network that consists of some of the model's layers.

    Those of the layers to ``skip`` are zeros.
    """
    theta, states = np.zeros(network.parameter_count, np.float32), np.zeros(network.state_count, np.float32)
    for vector, source, slots, own in (
        (theta, model.theta, model.network.parameters, network.parameters),
        (states, model.states, model.network.states, network.states),
    ):
        known = {slot.name: slot.view(source) for slot in slots}
        for slot in own:
            if slot.name.rpartition(".")[0] not in skip:
                slot.view(vector)[...] = known[slot.name]
    return theta, states


def rebuilt(network: Network, shape: Shape, first: Layer | None = None) -> Network:
    """Return the same layers on inputs of ``shape``, with the layer ``first`` between the input and all others."""
    nodes: dict[str, Node] = {}
    for step in network.steps:
        sources = [nodes[source] for source in step.inputs]
        node = named(step)(*sources) if sources else Input(shape, step.name)
        nodes[step.name] = first(node) if first is not None and not sources else node
    heads = [nodes[name] for name in network.auxiliary]
    return Network(nodes[network.steps[-1].name], network.name, heads)


def named(step: Step) -> Layer:
    """Return the layer of a step with the name that the network gave it."""
    return dataclasses.replace(step.layer, name=step.name)
