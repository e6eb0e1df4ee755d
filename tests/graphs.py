"""Random networks: chains, branches, sums, products and concatenations over all families of layers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from striate import layers
from striate.layers import Input, Layer
from striate.layers.base import Node
from striate.network import Network

MOST_VALUES = 3000
Choices = list[Callable[[np.random.Generator], Layer]]


def odd(rng: np.random.Generator) -> int:
    return int(rng.choice([1, 3]))


SPATIAL: Choices = [
    lambda rng: layers.Conv2d(int(rng.integers(1, 5)), odd(rng), padding="same"),
    lambda rng: layers.Conv2d(int(rng.integers(1, 5)), 3, stride=2, padding=1, bias=bool(rng.integers(2))),
    lambda rng: layers.Conv2d(4, 3, padding=2, dilation=2, padding_mode="replicate"),
    lambda rng: layers.ConvTranspose2d(int(rng.integers(1, 4)), 3, stride=2, padding="same"),
    lambda rng: layers.MaxPool2d(2, stride=int(rng.integers(1, 3)), padding="same"),
    lambda rng: layers.AvgPool2d(3, stride=2, padding=1, count_padding=bool(rng.integers(2))),
    lambda rng: layers.Subsample2d(2, padding="same"),
    lambda rng: layers.BatchNorm(),
    lambda rng: layers.InstanceNorm(),
    lambda rng: layers.LayerNorm("channels"),
    lambda rng: layers.LocalResponseNorm(3, alpha=0.5),
    lambda rng: layers.Upsample(2, "bilinear"),
    lambda rng: layers.Pad(1, "reflect"),
    lambda rng: layers.SpatialDropout(0.3),
]
ANY: Choices = [
    lambda rng: layers.ReLU(),
    lambda rng: layers.LeakyReLU(0.1),
    lambda rng: layers.PReLU(),
    lambda rng: layers.Tanh(),
    lambda rng: layers.Sigmoid(),
    lambda rng: layers.SiLU(),
    lambda rng: layers.GELU(),
    lambda rng: layers.ELU(),
    lambda rng: layers.Softplus(),
    lambda rng: layers.ChannelScale(),
    lambda rng: layers.Scale(0.5, 0.1),
    lambda rng: layers.Dropout(0.2),
]
FLAT: Choices = [
    lambda rng: layers.Linear(int(rng.integers(2, 7))),
    lambda rng: layers.LogSoftmax(),
    lambda rng: layers.BatchNorm(),
]


def random_network(seed: int) -> Network:
    """Return a network of 4 to 14 layers on images of up to 8x8, the same one for the same seed."""
    rng = np.random.default_rng(seed)
    nodes = [Input((int(rng.integers(1, 4)), int(rng.integers(4, 9)), int(rng.integers(4, 9))))]
    for _ in range(int(rng.integers(3, 12))):
        made = _join(rng, nodes) if rng.random() < 0.35 else _apply(rng, nodes)
        if np.prod(made.shape) <= MOST_VALUES and min(made.shape[1:], default=9) >= 2:
            nodes.append(made)
    return Network(_end(rng, nodes), f"random{seed}")


def _recent(rng: np.random.Generator, nodes: list[Node]) -> Node:
    """Pick a node, a recent one more often, so that chains grow and values fan out."""
    return nodes[max(0, len(nodes) - 1 - int(rng.geometric(0.5)) + 1)]


def _apply(rng: np.random.Generator, nodes: list[Node]) -> Node:
    node = _recent(rng, nodes)
    choices = ANY + (SPATIAL * 2 if len(node.shape) > 1 else FLAT * 2)
    return choices[int(rng.integers(len(choices)))](rng)(node)


def _join(rng: np.random.Generator, nodes: list[Node]) -> Node:
    first = _recent(rng, nodes)
    equal = [node for node in nodes if node.shape == first.shape]
    alike = [node for node in nodes if node.shape[1:] == first.shape[1:] and len(node.shape) == len(first.shape)]
    kind = int(rng.integers(3))
    pool, layer = [(equal, layers.Add()), (equal, layers.Multiply()), (alike, layers.Concatenate())][kind]
    return layer(first, *(pool[int(i)] for i in rng.integers(len(pool), size=int(rng.integers(1, 3)))))


def _end(rng: np.random.Generator, nodes: list[Node]) -> Node:
    """Bring the last values together and end in a few outputs."""
    ends = [node if len(node.shape) == 1 else _flat(rng, node) for node in nodes[-2:]]
    node = layers.Concatenate()(*ends) if len(ends) > 1 else ends[0]
    return layers.Linear(3)(node)


def _flat(rng: np.random.Generator, node: Node) -> Node:
    return (layers.Flatten() if rng.random() < 0.6 else layers.GlobalAvgPool())(node)
