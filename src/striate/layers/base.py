"""The base class of layers: shape rule, parameters, cost, and the graph they form."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from striate.checks import LONGEST
from striate.errors import ShapeError, UsageError
from striate.layers.graph import names_at

MOST_NUMBERS = 2**40
"""Most numbers that a value of one sample, or all parameters together, may have."""
Shape = tuple[int, ...]
"""The shape of one sample without the batch axis: (C, *space), or (features,) after Flatten."""


@dataclass(frozen=True)
class Parameter:
    """A named array that a layer learns (or, as a state, updates without learning).

    Parameters
    ----------
    name : str
        Its name within the layer, such as ``weight``.
    shape : tuple of int
    fan_in, fan_out : int
        Terms that enter one output and outputs that one input enters; used by initialisers.
    initial : {"weight", "zeros", "ones"} or float
        ``weight`` is drawn by the network's initialiser, the others are constants.
    stored : {"float32", "int8", "int32"}
        What a file holds; in memory all parameters are float32, which the whole numbers here fit.
    """

    name: str
    shape: Shape
    fan_in: int = 0
    fan_out: int = 0
    initial: str | float = "zeros"
    stored: str = "float32"

    @property
    def size(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)


@dataclass(frozen=True)
class Window:
    """The part of the input that one output sees, per axis, from which receptive fields are computed.

    Parameters
    ----------
    kernel, stride, dilation : one int per axis
    padding : one (before, after) per axis
        Negative where the input is cropped.
    zoom : one int per axis, optional
        The input is first spread out by this factor (upsampling, transposed convolution); none by default.
    beyond : {"zeros", "replicate", "reflect", "circular"}
        What stands beyond the edges of the input.
    """

    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    dilation: tuple[int, ...]
    padding: tuple[tuple[int, int], ...]
    zoom: tuple[int, ...] | None = None
    beyond: str = "zeros"


@dataclass(frozen=True)
class Quantisation:
    """The values that integers q from 0 to 255 represent: ``scale * (q - zero_point)``.

    Parameters
    ----------
    scale : float
    zero_point : int
        The number that stands for 0.
    """

    scale: float
    zero_point: int


@dataclass(frozen=True, eq=False)
class Node:
    """A value in a network under construction: a layer applied to other nodes.

    Nodes are made by calling a layer; they cannot be changed, so a graph of them has no cycles.
    """

    layer: Layer
    inputs: tuple[Node, ...]
    shape: Shape
    quantisation: Quantisation | None = None

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
    mixes_channels : bool
        Whether one output depends on other channels at its position; on a row of features, on other features.
    linear : bool
        Whether, once trained, an output is a weighted sum of inputs plus a constant. Explanations take the
        weights from the reference's gradient.
    pointwise : bool
        Whether output n depends on nothing but input n, counted row by row.
    channel_affine : bool
        Whether, once trained, the output is ``weight[c] * (x - running_mean[c]) / sqrt(running_variance[c] +
        epsilon) + bias[c]``, or this without some of them, so that a layer before it can absorb the map.
    keeps_quantisation : bool
        Whether the layer treats quantised values like any others, so that its outputs stand for the same.
    symbols : str
        The formula of one output value; ``{0.slope:.6g}`` stands for an argument of the layer.
    per_axis : set of str
        Arguments with one value for each axis of space, which ``repr`` shortens when all are equal.
    """

    kind: ClassVar[str] = "layer"
    arity: ClassVar[int | None] = 1
    sees_all: ClassVar[bool] = False
    linear: ClassVar[bool] = False
    pointwise: ClassVar[bool] = False
    channel_affine: ClassVar[bool] = False
    symbols: ClassVar[str] = ""
    mixes_channels: ClassVar[bool] = False
    keeps_quantisation: ClassVar[bool] = False
    per_axis: ClassVar[frozenset[str]] = frozenset(
        ("kernel_size", "stride", "padding", "dilation", "output_padding", "output_size")
    )
    name: str | None = field(default=None)

    def output_shape(self, *inputs: Shape) -> Shape:
        """Return the shape of one output sample; raises ShapeError when the inputs do not fit."""
        raise NotImplementedError

    def parameters(self, *inputs: Shape) -> tuple[Parameter, ...]:
        """Return the parameters of the layer, given the shapes of its inputs."""
        return ()

    def states(self, *inputs: Shape) -> tuple[Parameter, ...]:
        """Return the states that the layer updates without learning them (running statistics)."""
        return ()

    def multiply_adds(self, *inputs: Shape) -> int:
        """Return the number of multiply-adds in the forward pass of one sample."""
        return 0

    def quantisation(self, *inputs: Quantisation | None) -> Quantisation | None:
        """Return what integers of the output represent, None for floats; raises ShapeError for bad inputs."""
        if self.keeps_quantisation:
            return inputs[0]
        if any(found is not None for found in inputs):
            raise ShapeError("takes floats; got integers. Leave out the output_scale of the layer before it.")
        return None

    def window(self, *inputs: Shape) -> Window | None:
        """Return what one output sees of the input's space; None where it sees one position."""
        return None

    def unpadded(self) -> Layer | None:
        """Return the layer without padding if it then treats all windows alike; None otherwise."""
        return None

    @property
    def formula(self) -> str:
        """One output value in symbols; of the layer's inputs ``x`` and parameters."""
        text = self.symbols.format(self) or f"{type(self).__name__}(x)"
        return text + " + bias" * (getattr(self, "bias", False) is True)

    def __call__(self, *nodes: Node) -> Node:
        """Apply the layer to nodes of a graph and return the node of its output.

        Raises
        ------
        ShapeError
            If the shapes do not fit; the message names this layer and the layers before it.
        UsageError
            If something else than a node is given.
        """
        for node in nodes:
            if not isinstance(node, Node):
                raise UsageError(
                    f"{self.name or self.kind}: a layer is applied to nodes; got {type(node).__name__}. Start "
                    "with Input(shape)."
                )
        check_arity(self, nodes)
        try:
            shape = self.output_shape(*(node.shape for node in nodes))
            check_size(shape, nodes)
            quantisation = self.quantisation(*(node.quantisation for node in nodes))
        except ShapeError as error:
            own, sources = names_at(self, nodes)
            shapes = [node.shape for node in nodes]
            got, named = f"got {format_shapes(shapes)}", f"got {format_shapes(shapes, sources)}"
            raise ShapeError(f"{own}: {str(error).replace(got, named, 1)}") from None
        return Node(self, tuple(nodes), shape, quantisation)

    def config(self) -> dict[str, Any]:
        """Return the arguments that differ from their defaults, as JSON types."""
        return {key: _plain(getattr(self, key)) for key in self._stated()}

    def _stated(self) -> list[str]:
        """Return the names of the arguments that differ from their defaults in canonical form."""
        return [
            item.name
            for item in dataclasses.fields(self)
            if item.name != "name" and not self._is_default(item.name, item.default)
        ]

    def _is_default(self, key: str, default: Any) -> bool:
        if default is dataclasses.MISSING:
            return False
        try:
            canonical = getattr(dataclasses.replace(self, **{key: default}), key)
        except UsageError:
            return False
        return bool(getattr(self, key) == canonical)

    def __repr__(self) -> str:
        required = [item.name for item in dataclasses.fields(self) if item.default is dataclasses.MISSING]
        arguments = []
        for key in sorted(self._stated(), key=lambda key: key not in required):
            value = getattr(self, key)
            text = repr(_brief(value) if key in self.per_axis else value)
            arguments.append(text if key in required else f"{key}={text}")
        if self.name:
            arguments.append(f"name={self.name!r}")
        return f"{type(self).__name__}({', '.join(arguments)})"


def check_size(shape: Shape, nodes: Sequence[Node] = ()) -> None:
    """Raise ShapeError if a value of ``shape`` is larger than any machine can hold."""
    if math.prod(shape) <= MOST_NUMBERS and max(shape[1:], default=0) <= LONGEST:
        return
    got = f"got {format_shapes([node.shape for node in nodes])}" if nodes else f"got {format_shape(shape)}"
    raise ShapeError(
        f"a value has at most 2^40 numbers, and 2^24 positions on an axis of space; {got}"
        f"{f', which becomes {format_shape(shape)}' * bool(nodes)}. Use fewer channels or a smaller factor."
    )


def check_arity(layer: Layer, nodes: Sequence[Node]) -> None:
    """Raise ShapeError unless ``layer`` can take as many inputs as there are ``nodes``."""
    count = len(nodes)
    if (count >= 1) if layer.arity is None else (count == layer.arity):
        return
    wanted = "1 or more inputs" if layer.arity is None else f"{layer.arity} input{'s' * (layer.arity != 1)}"
    own, sources = names_at(layer, nodes)
    got = f"{count} ({', '.join(sources)})" if sources else str(count)
    raise ShapeError(f"{own}: takes {wanted}; got {got}. Call the layer with {wanted}.")


def format_shape(shape: Shape) -> str:
    """Return a shape as text.

    Examples
    --------
    >>> format_shape((16, 5, 5))
    '16 x 5 x 5'
    """
    return " x ".join(map(str, shape)) or "scalar"


def format_shapes(shapes: Sequence[Shape], sources: Sequence[str] = ()) -> str:
    """Return shapes as text, with the names of the layers they come from.

    Examples
    --------
    >>> format_shapes([(16, 5, 5), (8, 5, 5)], ["pool1", "conv3"])
    '16 x 5 x 5 from pool1 and 8 x 5 x 5 from conv3'
    """
    texts = [format_shape(shape) for shape in shapes]
    if sources:
        texts = [f"{text} from {source}" for text, source in zip(texts, sources, strict=True)]
    return " and ".join([", ".join(texts[:-1]), texts[-1]] if len(texts) > 1 else texts)


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value


def _brief(value: Any) -> Any:
    """Return the one number that stands for all axes, if it does."""
    if not isinstance(value, tuple):
        return value
    items = {_brief(item) for item in value}
    return items.pop() if len(items) == 1 and not isinstance(next(iter(items)), tuple) else value
