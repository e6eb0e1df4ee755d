"""Order and names of the nodes of a graph."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, Protocol, TypeVar


class Described(Protocol):
    """The part of a layer that naming needs."""

    kind: ClassVar[str]

    @property
    def name(self) -> str | None:
        """The name it was given."""


class Linked(Protocol):
    """The part of a node that sorting needs."""

    @property
    def layer(self) -> Any:
        """The layer applied."""

    @property
    def inputs(self) -> tuple[Any, ...]:
        """The nodes it is applied to."""


N = TypeVar("N", bound=Linked)


def topological_order(outputs: Iterable[N]) -> list[N]:
    """Return everything that ``outputs`` depend on, each node after its inputs, the outputs in their order."""
    order: list[N] = []
    done: set[int] = set()
    stack: list[tuple[N, bool]] = [(node, False) for node in reversed(list(outputs))]
    while stack:
        node, ready = stack.pop()
        if id(node) in done:
            continue
        if ready:
            done.add(id(node))
            order.append(node)
        else:
            stack.append((node, True))
            stack.extend((source, False) for source in reversed(node.inputs))
    return order


def layer_names(layers: Sequence[Described]) -> list[str]:
    """Return a name for each layer: its own, or its kind with a number that makes it unique.

    Examples
    --------
    >>> from striate.layers import Conv2d, ReLU
    >>> layer_names([Conv2d(6, 5), ReLU(), Conv2d(6, 5, name="conv2"), Conv2d(6, 5)])
    ['conv1', 'relu1', 'conv2', 'conv3']
    """
    taken = {layer.name for layer in layers if layer.name}
    counts: dict[str, int] = {}
    names = []
    for layer in layers:
        name = layer.name or ""
        while not name:
            counts[layer.kind] = counts.get(layer.kind, 0) + 1
            candidate = f"{layer.kind}{counts[layer.kind]}"
            name = candidate if candidate not in taken else ""
        names.append(name)
    return names


def names_at(layer: Described, inputs: Sequence[Linked]) -> tuple[str, list[str]]:
    """Return the names that ``layer`` and its ``inputs`` would have in a network that ended here."""
    order = topological_order(inputs)
    *names, own = layer_names([*(node.layer for node in order), layer])
    by_node = {id(node): name for node, name in zip(order, names, strict=True)}
    return own, [by_node[id(node)] for node in inputs]
