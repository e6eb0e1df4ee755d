"""Models of texts: the words of a sample, and the part of the model after its word vectors, which is explained."""

from __future__ import annotations

import numpy as np

from striate import reference
from striate.data.text import Vocabulary
from striate.layers import Input
from striate.layers.base import Node
from striate.layers.embedding import Embedding
from striate.model import Model
from striate.model.part import carried_over, named
from striate.network import Network, Step


def words_of(model: Model, raw: np.ndarray) -> list[str]:
    """Return the words of a sample by position; "" after its end, "?" for unknown words; [] for other models."""
    text = (model.metadata.get("preparation") or {}).get("text")
    if not text:
        return []
    vocabulary = Vocabulary.from_dict(text)
    symbols = np.ravel(raw)
    if not ((symbols >= 0) & (symbols < vocabulary.symbols)).all():
        return []
    return vocabulary.decode(symbols)


def embedding_of(network: Network) -> Step | None:
    """Return the only layer that reads the input, if it is an Embedding."""
    readers = [step for step in network.steps if network.steps[0].name in step.inputs]
    return readers[0] if len(readers) == 1 and isinstance(readers[0].layer, Embedding) else None


def vectors(model: Model, embedding: Step, raw: np.ndarray) -> np.ndarray:
    """Return the word vectors of a sample (symbols [1, length]), float64[dimensions, length]."""
    theta, states = model.theta.astype(np.float64), model.states.astype(np.float64)
    found = reference.forward(model.network, theta, raw[None], states=states).values[embedding.name]
    return np.asarray(found[0], np.float64)


def behind(model: Model, embedding: Step) -> Model:
    """Return the model that takes word vectors: the network without its Embedding, with the same parameters."""
    network = model.network
    nodes: dict[str, Node] = {embedding.name: Input(embedding.shape)}
    for step in network.steps:
        if step.inputs and step.name != embedding.name:
            nodes[step.name] = named(step)(*(nodes[source] for source in step.inputs))
    rest = Network(nodes[network.steps[-1].name], network.name)
    theta, states = carried_over(model, rest)
    metadata = {key: value for key, value in model.metadata.items() if key != "preparation"}
    return Model(rest, theta, states, model.classes, metadata=metadata, threads=model.threads)
