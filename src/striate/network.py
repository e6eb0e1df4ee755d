"""The graph of a network: steps in topological order, shapes, and named places in the flat vectors."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Any

import numpy as np

from striate.errors import ShapeError, UsageError, unknown_name
from striate.layers.base import MOST_NUMBERS, Layer, Node, Parameter, Quantisation, Shape
from striate.layers.graph import layer_names, topological_order
from striate.layers.registry import to_dict
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
    """One operation of a network, with everything known about it before it runs."""

    name: str
    layer: Layer
    inputs: tuple[str, ...]
    input_shapes: tuple[Shape, ...]
    shape: Shape
    parameters: tuple[Slot, ...]
    states: tuple[Slot, ...]
    quantisation: Quantisation | None = None


class Network:
    """An immutable network: a graph of layers from one input to one output.

    Parameters
    ----------
    output : Node
        The node whose value the network computes; everything it depends on belongs to the network.
    name : str
        What messages and files call it.
    auxiliary : sequence of Node
        Further outputs, such as the heads that help GoogLeNet to learn; their steps come before the output.

    Attributes
    ----------
    steps : tuple of Step
        In topological order, the output last.
    auxiliary : tuple of str
        The names of the steps that are further outputs.
    parameter_count, state_count : int
        Lengths of the flat vectors that hold all parameters and all states.

    Raises
    ------
    ShapeError
        If there is not exactly one input, or nothing but an input.
    UsageError
        If two layers have the same name, or a name has other characters than letters, digits, _, - and /.

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

    def __init__(self, output: Node, name: str = "network", auxiliary: Sequence[Node] = ()) -> None:
        self.name = name
        for node in (*auxiliary, output):
            if not isinstance(node, Node):
                raise UsageError(
                    f"{name}: a network ends in a node; got {type(node).__name__}. Apply the last layer to a node."
                )
        order = [node for node in topological_order((*auxiliary, output)) if node is not output] + [output]
        self._check_ends(order, auxiliary)
        names = _name_all(order)
        self.auxiliary: tuple[str, ...] = tuple(names[id(node)] for node in auxiliary)
        parameters, states = _Places(), _Places()
        self.steps: tuple[Step, ...] = tuple(_step(node, names, parameters, states) for node in order)
        self.parameter_count = parameters.size
        if parameters.size + states.size > MOST_NUMBERS:
            raise ShapeError(f"{name}: a network has at most 2^40 parameters. Use fewer channels or features.")
        self.state_count = states.size
        self._by_name = {step.name: step for step in self.steps}

    def _check_ends(self, order: list[Node], auxiliary: Sequence[Node]) -> None:
        inputs = [node for node in order if isinstance(node.layer, InputLayer)]
        if len(inputs) != 1:
            raise ShapeError(
                f"{self.name}: a network has one input; got {len(inputs)}. Start every branch from the same input."
            )
        if len(order) == 1:
            raise ShapeError(f"{self.name}: a network has at least one layer; got only its input. Add a layer.")
        if any(source is order[-1] for node in order for source in node.inputs) or order[-1] in auxiliary:
            raise ShapeError(
                f"{self.name}: the output is the end of the network; got one that an auxiliary output depends on. "
                "Swap the two outputs."
            )

    @cached_property
    def input_shape(self) -> Shape:
        """The shape of one sample."""
        return next(step.shape for step in self.steps if isinstance(step.layer, InputLayer))

    @property
    def output_shape(self) -> Shape:
        """The shape of one output."""
        return self.steps[-1].shape

    @property
    def parameters(self) -> tuple[Slot, ...]:
        """Every array of parameters, in the order of the flat vector."""
        return tuple(slot for step in self.steps for slot in step.parameters)

    def matching(self, pattern: str) -> list[Slot]:
        """Return the parameters whose name, or the name of their layer, fits a pattern such as ``conv*``.

        Raises
        ------
        UsageError
            If it fits none.
        """
        found = [
            slot
            for slot in self.parameters
            if fnmatchcase(slot.name, pattern) or fnmatchcase(slot.name.rpartition(".")[0], pattern)
        ]
        if not found:
            known = ", ".join(step.name for step in self.steps if step.parameters)
            raise UsageError(
                f"{self.name}: a pattern must match a parameter; got {pattern!r}. Layers that learn: {known}."
            )
        return found

    @property
    def states(self) -> tuple[Slot, ...]:
        """Every array that is updated without a gradient, such as running statistics."""
        return tuple(slot for step in self.steps for slot in step.states)

    def step(self, name: str) -> Step:
        """Return the step called ``name``; raises UsageError with the nearest names."""
        if name not in self._by_name:
            raise unknown_name(f"{self.name}: layer", name, self._by_name)
        return self._by_name[name]

    @property
    def is_quantised(self) -> bool:
        """Whether any value consists of whole numbers."""
        return any(step.quantisation for step in self.steps)

    def views(self, theta: np.ndarray) -> dict[str, np.ndarray]:
        """Return every parameter by name as a view into ``theta`` ([parameter_count])."""
        return {slot.name: slot.view(theta) for slot in self.parameters}

    def initial_states(self) -> np.ndarray:
        """Return the states of a new network, float64[state_count]."""
        states = np.zeros(self.state_count)
        for slot in self.states:
            slot.view(states)[...] = {"zeros": 0.0, "ones": 1.0}.get(str(slot.spec.initial), slot.spec.initial)
        return states

    def describe(self) -> dict[str, Any]:
        """Return the network as JSON types; ``from_description`` is the inverse."""
        layers = [{"name": step.name, "inputs": list(step.inputs), **to_dict(step.layer)} for step in self.steps]
        extra = {"auxiliary": list(self.auxiliary)} if self.auxiliary else {}
        return {"name": self.name, "layers": layers, **extra}

    def __repr__(self) -> str:
        lines = [f"  {step.name}: {step.layer!r}" for step in self.steps]
        return "\n".join([f"Network {self.name!r}, {self.parameter_count:,} parameters", *lines])

    def _repr_html_(self) -> str:
        """Return the layers as a table, for notebooks."""
        from striate.drawing.html import element, table
        from striate.drawing.notebook import shown

        rows = []
        for step in self.steps:
            count = sum(slot.spec.size for slot in step.parameters)
            layer = replace(step.layer, name=None)
            rows.append((step.name, repr(layer), " x ".join(map(str, step.shape)), count))
        heading = element("p", element("b", self.name), f": {self.parameter_count:,} parameters")
        return shown(heading, table(("name", "layer", "output", "parameters"), rows))


def Sequential(layers: Iterable[Layer], input_shape: int | Sequence[int], name: str = "network") -> Network:
    """Return the network that applies ``layers`` one after the other.

    Raises
    ------
    UsageError
        If something else stands among the layers.
    ShapeError
        If shapes do not fit; it names the layer.

    Examples
    --------
    >>> from striate.layers import Linear, ReLU
    >>> Sequential([Linear(100), ReLU(), Linear(100), ReLU(), Linear(10)], 784).parameter_count
    89610
    """
    layers = [layers] if isinstance(layers, Layer) else list(layers)
    for layer in layers:
        if not isinstance(layer, Layer):
            call = isinstance(layer, type) and issubclass(layer, Layer)
            raise UsageError(
                f"{name}: a network consists of layers; got {layer.__name__ if call else repr(layer)}. "
                f"{f'Write {layer.__name__}(...).' if call else 'Give layers, such as Linear(10).'}"
            )
    return Network(chain(layers, Input(input_shape)), name)


def chain(layers: Iterable[Layer], node: Node) -> Node:
    """Apply ``layers`` one after the other to ``node`` and return the last output."""
    for layer in layers:
        node = layer(node)
    return node


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
        quantisation=node.quantisation,
    )


def _name_all(order: list[Node]) -> dict[int, str]:
    names = layer_names([node.layer for node in order])
    for name, count in Counter(names).items():
        if count > 1:
            raise UsageError(f"{name}: names must be unique; {count} layers have this one. Rename all but one.")
        if not re.fullmatch(r"[\w/-]+", name):
            raise UsageError(f"layer: a name may have letters, digits, _, - and /; got {name!r}. Rename it.")
    return {id(node): name for node, name in zip(order, names, strict=True)}
