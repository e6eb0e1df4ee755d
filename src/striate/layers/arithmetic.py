"""Layers that join several values, or scale one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from striate.errors import ShapeError
from striate.layers.arguments import flag, real
from striate.layers.base import Layer, Parameter, Shape, format_shapes


def broadcast(inputs: tuple[Shape, ...]) -> Shape:
    """Return the shape that all ``inputs`` broadcast to: axes from the left are equal, 1 or missing.

    Examples
    --------
    >>> broadcast(((64, 8, 8), (64,), (1, 8, 1)))
    (64, 8, 8)

    Raises
    ------
    ShapeError
        If they do not.
    """
    shape = []
    for axis in range(max(map(len, inputs))):
        sizes = {s[axis] for s in inputs if len(s) > axis and s[axis] != 1}
        if len(sizes) > 1:
            raise ShapeError(
                f"inputs must have the same shape, or 1 on axes that are broadcast; got {format_shapes(inputs)}. "
                "Change a stride, a padding or a number of channels."
            )
        shape.append(sizes.pop() if sizes else 1)
    return tuple(shape)


@dataclass(frozen=True, repr=False)
class Add(Layer):
    """``x1 + x2 + ...``, the sum of all inputs; a missing axis or one of size 1 is broadcast.

    Examples
    --------
    >>> Add().output_shape((64, 8, 8), (64, 8, 8))
    (64, 8, 8)
    """

    kind: ClassVar[str] = "add"
    arity: ClassVar[int | None] = None
    linear: ClassVar[bool] = True
    symbols: ClassVar[str] = "sum of the inputs"

    def output_shape(self, *inputs: Shape) -> Shape:
        """Return the shape that all inputs broadcast to."""
        return broadcast(inputs)


@dataclass(frozen=True, repr=False)
class Multiply(Layer):
    """``x1 * x2 * ...``, the product of all inputs; a missing axis or one of size 1 is broadcast.

    With (C, rows, columns) and (C,) it weights channels, as in squeeze-and-excitation.
    """

    kind: ClassVar[str] = "multiply"
    arity: ClassVar[int | None] = None
    symbols: ClassVar[str] = "product of the inputs"

    def output_shape(self, *inputs: Shape) -> Shape:
        """Return the shape that all inputs broadcast to."""
        return broadcast(inputs)


@dataclass(frozen=True, repr=False)
class Concatenate(Layer):
    """The channels of all inputs, one after the other: ``out[c] = x1[c]``, then ``out[C1 + c] = x2[c]``, ...

    Examples
    --------
    >>> Concatenate().output_shape((64, 28, 28), (128, 28, 28))
    (192, 28, 28)
    """

    kind: ClassVar[str] = "concat"
    arity: ClassVar[int | None] = None
    linear: ClassVar[bool] = True
    symbols: ClassVar[str] = "x of the input that the channel belongs to"

    def output_shape(self, *inputs: Shape) -> Shape:
        """Return (sum of C, *space); raises ShapeError unless all inputs have the same space."""
        if len({shape[1:] for shape in inputs}) > 1:
            raise ShapeError(
                f"inputs must have the same space; got {format_shapes(inputs)}. Change a stride, or Crop."
            )
        return (sum(shape[0] for shape in inputs), *inputs[0][1:])


@dataclass(frozen=True, repr=False)
class Scale(Layer):
    """``factor * x + shift`` with two constants.

    Examples
    --------
    >>> Scale(1 / 255).output_shape((3, 32, 32))
    (3, 32, 32)
    """

    kind: ClassVar[str] = "scale"
    linear: ClassVar[bool] = True
    pointwise: ClassVar[bool] = True
    symbols: ClassVar[str] = "{0.factor:.6g} * x + {0.shift:.6g}"

    factor: float
    shift: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "factor", real(self.factor, "factor"))
        object.__setattr__(self, "shift", real(self.shift, "shift"))

    def output_shape(self, *inputs: Shape) -> Shape:
        """Return the shape of the input."""
        return inputs[0]


@dataclass(frozen=True, repr=False)
class ChannelScale(Layer):
    """``weight[c] * x + bias[c]``, learnt for each channel.

    Parameters
    ----------
    bias : bool
    """

    kind: ClassVar[str] = "channel_scale"
    linear: ClassVar[bool] = True
    pointwise: ClassVar[bool] = True
    channel_affine: ClassVar[bool] = True
    symbols: ClassVar[str] = "weight * x"

    bias: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "bias", flag(self.bias, "bias"))

    def output_shape(self, *inputs: Shape) -> Shape:
        """Return the shape of the input."""
        return inputs[0]

    def parameters(self, *inputs: Shape) -> tuple[Parameter, ...]:
        """Return weight [C] and bias [C]."""
        weight = Parameter("weight", inputs[0][:1], initial="ones")
        return (weight, Parameter("bias", inputs[0][:1])) if self.bias else (weight,)

    def multiply_adds(self, *inputs: Shape) -> int:
        """Return one for each value."""
        return math.prod(inputs[0])
