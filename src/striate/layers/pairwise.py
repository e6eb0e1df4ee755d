"""Layers of several values: maximum, minimum, choice, matrix product; and constants."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from striate.errors import ShapeError, UsageError
from striate.layers.arguments import axes, integer
from striate.layers.arithmetic import broadcast
from striate.layers.base import Layer, Parameter, Shape, format_shapes


@dataclass(frozen=True, repr=False)
class Maximum(Layer):
    """``max(x1, x2)``; if both are equal, the first gets the gradient; axes are broadcast as by Add."""

    kind: ClassVar[str] = "maximum"
    symbols: ClassVar[str] = "larger of the inputs"
    arity: ClassVar[int | None] = 2

    def output_shape(self, *inputs: Shape) -> Shape:
        """Return the shape that both inputs broadcast to."""
        return broadcast(inputs)


@dataclass(frozen=True, repr=False)
class Minimum(Layer):
    """``min(x1, x2)``; if both are equal, the first gets the gradient; axes are broadcast as by Add."""

    kind: ClassVar[str] = "minimum"
    symbols: ClassVar[str] = "smaller of the inputs"
    arity: ClassVar[int | None] = 2

    def output_shape(self, *inputs: Shape) -> Shape:
        """Return the shape that both inputs broadcast to."""
        return broadcast(inputs)


@dataclass(frozen=True, repr=False)
class Where(Layer):
    """``out = x2 if x1 > 0 else x3``: a choice between two values; axes are broadcast as by Add.

    The condition gets no gradient, nor does the value that was not chosen.

    Examples
    --------
    >>> Where().output_shape((1, 8, 8), (3, 8, 8), (3, 1, 1))
    (3, 8, 8)
    """

    kind: ClassVar[str] = "where"
    symbols: ClassVar[str] = "x2 if x1 > 0 else x3"
    arity: ClassVar[int | None] = 3

    def output_shape(self, *inputs: Shape) -> Shape:
        """Return the shape that all inputs broadcast to."""
        return broadcast(inputs)


@dataclass(frozen=True, repr=False)
class MatMul(Layer):
    """The product of two matrices: ``out[i, j] = sum over k of x1[i, k] * x2[k, j]``, as in attention.

    An axis before the matrices holds several of them, such as heads; it is the same in both inputs.

    References
    ----------
    Vaswani et al. (2017), "Attention is all you need", section 3.2.

    Examples
    --------
    >>> MatMul().output_shape((8, 50, 64), (8, 64, 50))
    (8, 50, 50)
    """

    kind: ClassVar[str] = "matmul"
    mixes_channels: ClassVar[bool] = True
    symbols: ClassVar[str] = "sum of x1 * x2"
    arity: ClassVar[int | None] = 2
    sees_all: ClassVar[bool] = True

    def output_shape(self, *inputs: Shape) -> Shape:
        """Return (..., rows of the first, columns of the second).

        Raises ShapeError if they cannot be multiplied.
        """
        a, b = inputs
        if not 2 <= len(a) == len(b) or a[:-2] != b[:-2] or a[-1] != b[-2]:
            raise ShapeError(
                "needs matrices (..., rows, k) and (..., k, columns) with the same leading axes; got "
                f"{format_shapes(inputs)}. Reshape or Permute them."
            )
        return (*a[:-1], b[-1])

    def multiply_adds(self, *inputs: Shape) -> int:
        """Return rows x columns x k for every matrix."""
        return math.prod(self.output_shape(*inputs)) * inputs[0][-1]


@dataclass(frozen=True, repr=False)
class Constant(Layer):
    """``out = value``, whatever the input: learnt numbers of any shape, such as the positions of a transformer.

    Parameters
    ----------
    shape : int or sequence of int
        Of the output, the same for every sample.

    Examples
    --------
    >>> Constant((16, 8)).output_shape((3, 32, 32))
    (16, 8)
    """

    kind: ClassVar[str] = "constant"
    linear: ClassVar[bool] = True
    sees_all: ClassVar[bool] = True
    symbols: ClassVar[str] = "value"

    shape: int | Sequence[int]

    def __post_init__(self) -> None:
        shape = self.shape if isinstance(self.shape, Sequence) else (self.shape,)
        if not 1 <= len(shape) <= 4:
            raise UsageError(f"shape: needs 1 to 4 axes; got {self.shape!r}.")
        object.__setattr__(self, "shape", tuple(integer(side, "shape") for side in shape))

    def output_shape(self, *inputs: Shape) -> Shape:
        """Return ``shape``."""
        return axes(self.shape)

    def parameters(self, *inputs: Shape) -> tuple[Parameter, ...]:
        """Return value [*shape]."""
        return (Parameter("value", axes(self.shape)),)
