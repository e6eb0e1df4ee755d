"""Random networks: chains, branches, sums, products and concatenations of the layers of a menu."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from striate import layers
from striate.layers import Input, Layer
from striate.layers.base import Node
from striate.network import Network

Choices = list[Callable[[np.random.Generator], Layer]]


@dataclass(frozen=True)
class Menu:
    """What random networks are made of.

    Parameters
    ----------
    spatial, anywhere, flat : list of functions of a generator
        Layers for values with a space, for all values, for values without a space.
    joins : tuple of str
        Layers of several inputs: of equal shapes, but for "Concatenate".
    channels, sides : (int, int)
        Least and largest of the input.
    outputs : int
    averages : float
        How often a value with a space ends in its averages instead of being flattened.
    most_values, least_side : int
        Of any value.
    """

    spatial: Choices
    anywhere: Choices
    flat: Choices
    joins: tuple[str, ...] = ("Add", "Multiply", "Concatenate")
    channels: tuple[int, int] = (1, 3)
    sides: tuple[int, int] = (4, 8)
    outputs: int = 3
    averages: float = 0.4
    most_values: int = 3000
    least_side: int = 2


def odd(rng: np.random.Generator) -> int:
    return int(rng.choice([1, 3]))


_SPATIAL: Choices = [
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
_ANYWHERE: Choices = [
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
_FLAT: Choices = [
    lambda rng: layers.Linear(int(rng.integers(2, 7))),
    lambda rng: layers.LogSoftmax(),
    lambda rng: layers.BatchNorm(),
]


EVERYTHING = Menu(_SPATIAL, _ANYWHERE, _FLAT)
"""All families of layers."""


def random_network(seed: int, menu: Menu = EVERYTHING) -> Network:
    """Return a network of 4 to 14 layers, the same one for the same seed."""
    rng = np.random.default_rng(seed)
    nodes = [
        Input(tuple(int(rng.integers(low, high + 1)) for low, high in (menu.channels, menu.sides, menu.sides)))
    ]
    for _ in range(int(rng.integers(3, 12))):
        made = _join(rng, nodes, menu) if rng.random() < 0.35 else _apply(rng, nodes, menu)
        if made is None or np.prod(made.shape) > menu.most_values:
            continue
        if min(made.shape[1:], default=9) >= menu.least_side:
            nodes.append(made)
    return Network(_end(rng, nodes, menu), f"random{seed}")


def _recent(rng: np.random.Generator, nodes: list[Node]) -> Node:
    """Pick a node, a recent one more often, so that chains grow and values fan out."""
    return nodes[max(0, len(nodes) - 1 - int(rng.geometric(0.5)) + 1)]


def _apply(rng: np.random.Generator, nodes: list[Node], menu: Menu) -> Node | None:
    """Return what a layer makes of a node; None if it does not fit on so small an image."""
    node = _recent(rng, nodes)
    choices = menu.anywhere + (menu.spatial * 2 if len(node.shape) > 1 else menu.flat * 2)
    try:
        return choices[int(rng.integers(len(choices)))](rng)(node)
    except ValueError:
        return None


def _join(rng: np.random.Generator, nodes: list[Node], menu: Menu) -> Node:
    first = _recent(rng, nodes)
    equal = [node for node in nodes if node.shape == first.shape]
    alike = [node for node in nodes if node.shape[1:] == first.shape[1:] and len(node.shape) == len(first.shape)]
    kind = menu.joins[int(rng.integers(len(menu.joins)))]
    pool = alike if kind == "Concatenate" else equal
    others = (pool[int(i)] for i in rng.integers(len(pool), size=int(rng.integers(1, 3))))
    return getattr(layers, kind)()(first, *others)


def _end(rng: np.random.Generator, nodes: list[Node], menu: Menu) -> Node:
    """Bring the last values together and end in a few outputs."""
    ends = [node if len(node.shape) == 1 else _flat(rng, node, menu) for node in nodes[-2:]]
    node = layers.Concatenate()(*ends) if len(ends) > 1 else ends[0]
    return layers.Linear(menu.outputs)(node)


def _flat(rng: np.random.Generator, node: Node, menu: Menu) -> Node:
    return (layers.Flatten() if rng.random() < 1.0 - menu.averages else layers.GlobalAvgPool())(node)
