"""Models that give a class for each position: the means of their scores are explained."""

from __future__ import annotations

from striate.explain.tracing import score_step
from striate.layers import GlobalAvgPool, Softmax
from striate.layers.base import Node
from striate.model import Model
from striate.model.part import carried_over, named
from striate.network import Network


def with_mean_scores(model: Model) -> Model:
    """Return a model whose scores are the means over all positions; the model itself if it has no positions."""
    network = model.network
    last = network.step(score_step(network))
    if len(last.shape) == 1 or last.shape[0] != len(model.classes):
        return model
    nodes: dict[str, Node] = {}
    for step in network.steps:
        nodes[step.name] = named(step)(*(nodes[source] for source in step.inputs))
        if step.name == last.name:
            break
    whole = Network(Softmax()(GlobalAvgPool()(nodes[last.name])), network.name)
    theta, states = carried_over(model, whole)
    return Model(whole, theta, states, model.classes, model.normalisation, model.metadata, model.threads)
