"""A graph of ONNX operators under construction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from striate.interop.onnx.messages import Attribute, Node, Tensor
from striate.interop.onnx.tensors import from_array
from striate.layers.base import Layer, Shape
from striate.network import Network, Step

FLOAT, INT, STRING, FLOATS, INTS, STRINGS = 1, 2, 3, 6, 7, 8  # AttributeProto.AttributeType


def attribute(name: str, value: Any) -> Attribute:
    """Return an attribute of a node; its type follows from ``value``."""
    if isinstance(value, str):
        return Attribute(name=name, s=value.encode(), type=STRING)
    if isinstance(value, float):
        return Attribute(name=name, f=value, type=FLOAT)
    if isinstance(value, int):
        return Attribute(name=name, i=int(value), type=INT)
    if len(value) and all(isinstance(item, str) for item in value):
        return Attribute(name=name, strings=[item.encode() for item in value], type=STRINGS)
    return Attribute(name=name, ints=[int(item) for item in value], type=INTS)


@dataclass
class GraphWriter:
    """Nodes and constants of the graph that computes a network.

    Parameters
    ----------
    network : Network
    theta, states : float32 vectors
        The parameters and states of the network.
    """

    network: Network
    theta: np.ndarray
    states: np.ndarray
    nodes: list[Node] = field(default_factory=list)
    constants: dict[str, Tensor] = field(default_factory=dict)
    values: dict[str, str] = field(default_factory=dict)
    prefix: str = ""
    _count: int = 0

    def add(self, operator: str, *inputs: str, outputs: int = 1, **attributes: Any) -> str:
        """Append a node and return the name of its (first) output; the others are called ``<name>:<number>``."""
        self._count += 1
        name = f"{self.prefix}/{operator}_{self._count}"
        names = [name, *(f"{name}:{number}" for number in range(1, outputs))]
        stated = [attribute(key, value) for key, value in attributes.items() if value is not None]
        self.nodes.append(Node(list(inputs), names, name, operator, stated))
        return name

    def constant(self, values: Any, dtype: Any = np.float32) -> str:
        """Return the name of a constant array."""
        self._count += 1
        return self._store(f"{self.prefix}/constant_{self._count}", np.asarray(values, dtype))

    def ints(self, values: Sequence[int]) -> str:
        """Return the name of a constant list of whole numbers, int64."""
        return self.constant(list(values), np.int64)

    def parameter(self, step: Step, name: str) -> np.ndarray:
        """Return a parameter or state of ``step``, float32."""
        for slots, vector in ((step.parameters, self.theta), (step.states, self.states)):
            for slot in slots:
                if slot.spec.name == name:
                    return slot.view(vector)
        raise KeyError(name)

    def stored(self, step: Step, name: str, values: np.ndarray | None = None) -> str:
        """Return the name of a parameter as a constant, under the name that the network gives it."""
        values = self.parameter(step, name) if values is None else values
        return self._store(f"{step.name}.{name}", np.asarray(values, np.float32))

    def _store(self, name: str, values: np.ndarray) -> str:
        self.constants[name] = from_array(values, name)
        return name

    def inputs(self, step: Step) -> list[str]:
        """Return the names of the inputs of ``step``."""
        return [self.values[name] for name in step.inputs]

    def reshape(self, x: str, shape: Sequence[int]) -> str:
        """Return ``x`` with samples of ``shape``; the batch stays."""
        return self.add("Reshape", x, self.ints((0, *shape)))

    def transpose(self, x: str, order: Sequence[int]) -> str:
        """Return ``x`` with the axes of samples exchanged; the batch stays first."""
        return self.add("Transpose", x, perm=(0, *(axis + 1 for axis in order)))

    def per_channel(self, values: np.ndarray, rank: int) -> str:
        """Return numbers of the first axes as a constant for samples of ``rank`` axes."""
        return self.constant(values.reshape(*values.shape, *(1,) * (rank - values.ndim)))

    def along(self, x: str, shape: Shape, axis: int, matrix: Any) -> str:
        """Return ``x`` (samples of ``shape``) with a sparse ``matrix`` [outputs, inputs] applied along ``axis``."""
        last = len(shape) - 1
        order = [*(a for a in range(len(shape)) if a != axis), axis]
        back = [order.index(a) for a in range(len(shape))]
        x = x if axis == last else self.transpose(x, order)
        x = self.add("MatMul", x, self.constant(matrix.toarray().T))
        return x if axis == last else self.transpose(x, back)


Translation = Callable[[GraphWriter, Step], str]
TRANSLATIONS: dict[type[Layer], Translation] = {}
"""How each layer is written: a function of (graph, step) that returns the name of the step's value."""


def writes(*layers: type[Layer]) -> Callable[[Translation], Translation]:
    """Register the decorated function as the one that writes ``layers``."""

    def register(function: Translation) -> Translation:
        TRANSLATIONS.update(dict.fromkeys(layers, function))
        return function

    return register


def translation(layer: Layer) -> Translation | None:
    """Return how ``layer`` is written, looking at its base classes too; None if it cannot be."""
    return next((TRANSLATIONS[cls] for cls in type(layer).__mro__ if cls in TRANSLATIONS), None)
