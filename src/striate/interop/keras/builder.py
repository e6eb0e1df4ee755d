"""ONNX operators for layers of Keras: one way to read a graph serves both.

Values have their channels first, whatever their order in Keras; where Keras' own order shows, as in Flatten, a
transposition stands, and most of these cancel.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from striate.interop.keras.file import KerasError
from striate.interop.keras.graph import KerasLayer
from striate.interop.keras.weights import Arrays
from striate.interop.onnx.messages import Node
from striate.interop.onnx.writing.graph import attribute


@dataclass
class Builder:
    """Nodes and constants of the graph.

    Parameters
    ----------
    channels_first : bool
        Whether the model itself has its channels first.
    version : int
        The major version of Keras that wrote the file; some functions changed.
    ranks : dict
        The number of axes of every value.
    """

    channels_first: bool = False
    version: int = 3
    nodes: list[Node] = field(default_factory=list)
    constants: dict[str, np.ndarray] = field(default_factory=dict)
    ranks: dict[str, int] = field(default_factory=dict)
    layer: str = ""

    def add(self, operator: str, *inputs: Any, rank: int | None = None, **attributes: Any) -> str:
        """Append a node; arrays among its inputs become constants. Return the name of its output."""
        name = f"{self.layer}/{operator}_{len(self.nodes)}"
        sources = []
        for number, item in enumerate(inputs):
            if isinstance(item, str):
                sources.append(item)
            else:
                sources.append(f"{name}/{number}")
                self.constants[sources[-1]] = np.asarray(item, np.float32 if isinstance(item, float) else None)
        stated = [attribute(key, value) for key, value in attributes.items() if value is not None]
        self.nodes.append(Node(sources, [name], name, operator, stated))
        ranks = [self.ranks.get(item, 2) for item in inputs if isinstance(item, str)]
        self.ranks[name] = max(ranks, default=2) if rank is None else rank
        return name

    def place(self, x: str, axis: int) -> int:
        """Return where an axis of Keras is."""
        rank = self.ranks[x]
        axis %= rank
        if self.channels_first or axis == 0 or rank < 3:
            return axis
        return 1 if axis == rank - 1 else axis + 1

    def as_keras(self, x: str) -> str:
        """Return ``x`` with its axes in the order of Keras."""
        rank = self.ranks[x]
        return x if rank < 3 or self.channels_first else self.add("Transpose", x, perm=(0, *range(2, rank), 1))

    def from_keras(self, x: str) -> str:
        """Return a value in the order of Keras with its channels first."""
        rank = self.ranks[x]
        if rank < 3 or self.channels_first:
            return x
        return self.add("Transpose", x, perm=(0, rank - 1, *range(1, rank - 1)))

    def keras_constant(self, x: str, array: np.ndarray) -> np.ndarray:
        """Return an array that Keras broadcasts with ``x`` in the order of the axes of ``x``, all of them."""
        full = array.reshape((1,) * (self.ranks[x] - array.ndim) + array.shape)
        return full if full.ndim < 3 or self.channels_first else np.moveaxis(full, -1, 1)


Translation = Callable[[Builder, KerasLayer, list[Any], Arrays], str]
TRANSLATIONS: dict[str, Translation] = {}
"""By the class of the layer: functions of (builder, layer, operands, arrays) that return the name of the output."""


def translates(*kinds: str) -> Callable[[Translation], Translation]:
    """Register the decorated function for classes of layers; a * stands for 1D, 2D and 3D."""

    def register(function: Translation) -> Translation:
        for kind in kinds:
            names = [kind.replace("*", f"{rank}D") for rank in (1, 2, 3)] if "*" in kind else [kind]
            TRANSLATIONS.update(dict.fromkeys(names, function))
        return function

    return register


def one(layer: KerasLayer, operands: list[Any]) -> str:
    """Return the only operand; raises KerasError if there are others."""
    if len(operands) != 1 or not isinstance(operands[0], str):
        raise KerasError(f"{layer.name}: {layer.kind} with {len(operands)} operands is not supported")
    return operands[0]
