"""The graph of a network: steps in topological order, shapes, and named places in the flat vectors."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from striate.errors import ModelFileError, ShapeError, UsageError, unknown_name
from striate.layers.base import Layer, Node, Parameter, Shape
from striate.layers.registry import from_dict, to_dict
from striate.layers.shape import Input, InputLayer


@dataclass(frozen=True)
class Slot:
    """Where a named array lies in a flat vector."""

    name: str
    spec: Parameter
    offset: int

    def view(self, vector: np.ndarray) -> np.ndarray:
        """Return the array as a view into ``vector`` (any dtype, [size of the whole vector])."""
        return vector[self.offset : self.offset + self.spec.size].reshape(self.spec.shape)


@dataclass(frozen=True)
class Step:
    """One operation of a network with everything that is known about it before any number flows."""

    name: str
    layer: Layer
    inputs: tuple[str, ...]
    input_shapes: tuple[Shape, ...]
    shape: Shape
    parameters: tuple[Slot, ...]
    states: tuple[Slot, ...]


class Network:
    """An immutable network: a graph of layers from one input to one output.

    Parameters
    ----------
    output : Node
        The node whose value the network computes; everything it depends on belongs to the network.
    name : str
        What messages and files call it.

    Attributes
    ----------
    steps : tuple of Step
        In topological order, the input first and the output last.
    parameter_count, state_count : int
        Lengths of the flat vectors that hold all parameters and all states.

    Raises
    ------
    ShapeError
        If there is not exactly one input.
    UsageError
        If two layers have the same name.

    Examples
    --------
    >>> from striate.layers import Conv2d, Flatten, Input, Linear
    >>> x = Input((1, 28, 28))
    >>> net = Network(Linear(10)(Flatten()(Conv2d(6, 5, padding=2)(x))))
    >>> net.parameter_count
    47206
    >>> [step.name for step in net.steps]
    ['input', 'conv1', 'flatten1', 'linear1']
    """

    def __init__(self, output: Node, name: str = "network") -> None:
        self.name = name
        order = _topological_order(output)
        inputs = [node for node in order if isinstance(node.layer, InputLayer)]
        if len(inputs) != 1:
            raise ShapeError(f"{name}: a network has one input; got {len(inputs)}. Join them before.")
        names = _name_all(order)
        parameters, states = _Places(), _Places()
        self.steps: tuple[Step, ...] = tuple(_step(node, names, parameters, states) for node in order)
        self.parameter_count = parameters.size
        self.state_count = states.size
        self._by_name = {step.name: step for step in self.steps}

    @property
    def input_shape(self) -> Shape:
        """The shape of one sample."""
        return next(step.shape for step in self.steps if isinstance(step.layer, InputLayer))

    @property
    def output_shape(self) -> Shape:
        """The shape of one output."""
        return self.steps[-1].shape

    @property
    def parameters(self) -> tuple[Slot, ...]:
        """Every learnt array, in the order of the flat vector."""
        return tuple(slot for step in self.steps for slot in step.parameters)

    @property
    def states(self) -> tuple[Slot, ...]:
        """Every array that is carried along without being learnt."""
        return tuple(slot for step in self.steps for slot in step.states)

    def step(self, name: str) -> Step:
        """Return the step called ``name``; raises UsageError with the nearest names."""
        if name not in self._by_name:
            raise unknown_name(f"{self.name}: layer", name, self._by_name)
        return self._by_name[name]

    def views(self, theta: np.ndarray) -> dict[str, np.ndarray]:
        """Return every parameter by name as a view into ``theta`` ([parameter_count])."""
        return {slot.name: slot.view(theta) for slot in self.parameters}

    def describe(self) -> dict[str, Any]:
        """Return the network as JSON types; ``from_description`` is the inverse."""
        layers = [{"name": step.name, "inputs": list(step.inputs), **to_dict(step.layer)} for step in self.steps]
        return {"name": self.name, "layers": layers}

    def __repr__(self) -> str:
        lines = [f"  {step.name}: {step.layer!r}" for step in self.steps]
        return "\n".join([f"Network {self.name!r}, {self.parameter_count:,} parameters", *lines])


def Sequential(layers: Iterable[Layer], input_shape: int | Sequence[int], name: str = "network") -> Network:
    """Return the network that applies ``layers`` one after the other.

    Examples
    --------
    >>> from striate.layers import Linear, ReLU
    >>> Sequential([Linear(100), ReLU(), Linear(100), ReLU(), Linear(10)], 784).parameter_count
    89610
    """
    return Network(chain(layers, Input(input_shape)), name)


def chain(layers: Iterable[Layer], node: Node) -> Node:
    """Apply ``layers`` one after the other to ``node`` and return the last output.

    Layers without a name are numbered already here, so that an error can say which one it means.
    """
    counts: dict[str, int] = {}
    for layer in layers:
        try:
            node = layer(node)
        except ShapeError as error:
            label = layer.name or f"{layer.kind}{counts.get(layer.kind, 0) + 1}"
            raise ShapeError(f"{label}: {error}") from None
        counts[layer.kind] = counts.get(layer.kind, 0) + 1
    return node


def from_description(description: dict[str, Any]) -> Network:
    """Return the network that ``Network.describe`` wrote.

    Raises
    ------
    ModelFileError
        If it names unknown layers, refers to layers that do not come before, or its shapes do not fit.
    """
    nodes: dict[str, Node] = {}
    try:
        for item in description["layers"]:
            fields = dict(item)
            name, inputs = fields.pop("name"), fields.pop("inputs")
            if name in nodes:
                raise ModelFileError(f"{name}: a name belongs to one layer; the description uses it twice.")
            missing = [source for source in inputs if source not in nodes]
            if missing:
                raise ModelFileError(f"{name}: inputs come before their layer; got {missing[0]!r}.")
            nodes[name] = from_dict(fields, name)(*(nodes[source] for source in inputs))
        network = Network(list(nodes.values())[-1], str(description.get("name", "network")))
    except (KeyError, TypeError, AttributeError, IndexError, ValueError) as error:
        detail = error if isinstance(error, UsageError) else repr(error)
        raise ModelFileError(f"description: not a network of striate; {detail}") from None
    if len(network.steps) != len(nodes):
        raise ModelFileError("description: every layer leads to the output; some of this one do not.")
    return network


class _Places:
    """Hands out consecutive places in a flat vector."""

    def __init__(self) -> None:
        self.size = 0

    def take(self, owner: str, spec: Parameter) -> Slot:
        slot = Slot(f"{owner}.{spec.name}", spec, self.size)
        self.size += spec.size
        return slot


def _step(node: Node, names: dict[int, str], parameters: _Places, states: _Places) -> Step:
    name = names[id(node)]
    shapes = tuple(source.shape for source in node.inputs)
    return Step(
        name=name,
        layer=node.layer,
        inputs=tuple(names[id(source)] for source in node.inputs),
        input_shapes=shapes,
        shape=node.shape,
        parameters=tuple(parameters.take(name, spec) for spec in node.layer.parameters(*shapes)),
        states=tuple(states.take(name, spec) for spec in node.layer.states(*shapes)),
    )


def _topological_order(output: Node) -> list[Node]:
    order: list[Node] = []
    done: set[int] = set()
    stack: list[tuple[Node, bool]] = [(output, False)]
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


def _name_all(order: list[Node]) -> dict[int, str]:
    taken = [node.layer.name for node in order if node.layer.name]
    for name in taken:
        if taken.count(name) > 1:
            raise UsageError(f"{name}: a name belongs to one layer; two layers have it. Rename one.")
    names: dict[int, str] = {}
    counts: dict[str, int] = {}
    for node in order:
        name = node.layer.name or ""
        while not name:
            kind = node.layer.kind
            counts[kind] = counts.get(kind, 0) + 1
            candidate = f"{kind}{counts[kind]}"
            name = candidate if candidate not in taken else ""
        names[id(node)] = name
    return names
