"""What every layer description shares: shape rule, parameters, cost, and its place in a graph."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass, field
from typing import Any, ClassVar

from striate.errors import ShapeError

Shape = tuple[int, ...]
"""The shape of one sample without the batch axis: (C, *space), or (features,) after Flatten."""


@dataclass(frozen=True)
class Parameter:
    """A named array that a layer learns (or, as a state, carries along).

    Parameters
    ----------
    name : str
        Its name within the layer, such as ``weight``.
    shape : tuple of int
    fan_in, fan_out : int
        Terms that enter one output and outputs that one input enters; used by initialisers.
    initial : {"weight", "zeros", "ones"} or float
        ``weight`` is drawn by the network's initialiser, the others are constants.
    """

    name: str
    shape: Shape
    fan_in: int = 0
    fan_out: int = 0
    initial: str | float = "zeros"

    @property
    def size(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)


@dataclass(frozen=True)
class Window:
    """The part of the input that one output sees, per axis; what receptive fields are made from.

    Parameters
    ----------
    kernel, stride, dilation : one int per axis
    padding : one (before, after) per axis
        Negative where the input is cropped.
    zoom : one int per axis, optional
        The input is first spread out by this factor (upsampling, transposed convolution); none by default.
    """

    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    dilation: tuple[int, ...]
    padding: tuple[tuple[int, int], ...]
    zoom: tuple[int, ...] | None = None


@dataclass(frozen=True, eq=False)
class Node:
    """A value in a network under construction: a layer applied to other nodes.

    Nodes are made by calling a layer; they cannot be changed, so a graph of them has no cycles.
    """

    layer: Layer
    inputs: tuple[Node, ...]
    shape: Shape

    def __repr__(self) -> str:
        return f"<{self.layer!r} -> {format_shape(self.shape)}>"


@dataclass(frozen=True, kw_only=True)
class Layer:
    """An immutable description of one operation of a network.

    Subclasses are frozen dataclasses that bring their arguments into canonical form once, when they
    are built. ``name`` is optional: a network numbers unnamed layers by their ``kind``.

    Attributes
    ----------
    kind : str
        The stem of the names that a network gives.
    arity : int or None
        How many inputs the layer takes; None means one or more.
    sees_all : bool
        Whether one output depends on every position of the input.
    """

    kind: ClassVar[str] = "layer"
    arity: ClassVar[int | None] = 1
    sees_all: ClassVar[bool] = False
    name: str | None = field(default=None)

    def output_shape(self, *inputs: Shape) -> Shape:
        """Return the shape of one output sample; raises ShapeError when the inputs do not fit."""
        raise NotImplementedError

    def parameters(self, *inputs: Shape) -> tuple[Parameter, ...]:
        """Return what the layer learns, given the shapes of its inputs."""
        return ()

    def states(self, *inputs: Shape) -> tuple[Parameter, ...]:
        """Return what the layer carries along without learning it (running statistics)."""
        return ()

    def multiply_adds(self, *inputs: Shape) -> int:
        """Return the multiplications of the forward pass of one sample that go into sums."""
        return 0

    def window(self, *inputs: Shape) -> Window | None:
        """Return what one output sees of the input's space; None where it sees one position."""
        return None

    def __call__(self, *nodes: Node) -> Node:
        """Apply the layer to nodes of a graph and return the node of its output.

        Raises
        ------
        ShapeError
            If the shapes do not fit; the message names this layer and the layers before it.
        """
        check_arity(self, len(nodes))
        try:
            shape = self.output_shape(*(node.shape for node in nodes))
        except ShapeError as error:
            sources = ", ".join(describe(node.layer) for node in nodes)
            raise ShapeError(f"{describe(self)} (after {sources}): {error}") from None
        return Node(self, tuple(nodes), shape)

    def config(self) -> dict[str, Any]:
        """Return the arguments that differ from their defaults, as JSON types."""
        items = {}
        for item in dataclasses.fields(self):
            value = getattr(self, item.name)
            if item.name != "name" and value != item.default:
                items[item.name] = _plain(value)
        return items

    def __repr__(self) -> str:
        arguments = [f"{key}={value!r}" for key, value in self.config().items()]
        if self.name:
            arguments.append(f"name={self.name!r}")
        return f"{type(self).__name__}({', '.join(arguments)})"


def check_arity(layer: Layer, count: int) -> None:
    """Raise ShapeError unless ``layer`` can take ``count`` inputs."""
    if layer.arity is None and count >= 1:
        return
    if count != layer.arity:
        wanted = "at least 1 input" if layer.arity is None else f"{layer.arity} input(s)"
        raise ShapeError(f"{describe(layer)}: takes {wanted}; got {count}.")


def describe(layer: Layer) -> str:
    """Return the name that messages use for a layer that no network has numbered yet."""
    return layer.name or repr(layer)


def format_shape(shape: Shape) -> str:
    """Write a shape for people.

    Examples
    --------
    >>> format_shape((16, 5, 5))
    '16 x 5 x 5'
    """
    return " x ".join(map(str, shape)) or "scalar"


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value
