"""Layers that change shapes, or enlarge by repetition and interpolation."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from striate.errors import ShapeError, UsageError
from striate.layers.arguments import axes, choice, integer, per_axis
from striate.layers.base import Layer, Node, Shape, Window, format_shape


@dataclass(frozen=True, repr=False)
class InputLayer(Layer):
    """Where samples enter the network: ``out = sample``."""

    kind: ClassVar[str] = "input"
    arity: ClassVar[int | None] = 0

    shape: Sequence[int]

    def __post_init__(self) -> None:
        shape = self.shape if isinstance(self.shape, Sequence) else (self.shape,)
        if not 1 <= len(shape) <= 4:
            raise UsageError(f"input: a sample has 1 to 4 axes (channels first); got {self.shape!r}.")
        object.__setattr__(self, "shape", tuple(integer(side, "input shape") for side in shape))

    def output_shape(self, *inputs: Shape) -> Shape:
        """Return the declared shape."""
        return tuple(self.shape)


def Input(shape: int | Sequence[int], name: str = "input") -> Node:
    """Return the node where samples of ``shape`` (C, *space) enter a network.

    Examples
    --------
    >>> Input((1, 28, 28)).shape
    (1, 28, 28)
    """
    sides = (shape,) if isinstance(shape, int) else shape
    return InputLayer(sides, name=name)()


@dataclass(frozen=True, repr=False)
class Flatten(Layer):
    """One row of features for each sample: ``out[(c * rows + y) * columns + x] = in[c, y, x]``.

    Examples
    --------
    >>> Flatten().output_shape((16, 5, 5))
    (400,)
    """

    kind: ClassVar[str] = "flatten"
    keeps_quantisation: ClassVar[bool] = True
    linear: ClassVar[bool] = True
    pointwise: ClassVar[bool] = True
    symbols: ClassVar[str] = "x"

    def output_shape(self, *inputs: Shape) -> Shape:
        """Return (C x space,)."""
        return (math.prod(inputs[0]),)


@dataclass(frozen=True, repr=False)
class Reshape(Layer):
    """The same values in another shape: ``out.ravel() = in.ravel()``, the last axis running fastest.

    Parameters
    ----------
    shape : int or sequence of int
        Of a sample; one -1 stands for what is left.

    Examples
    --------
    >>> Reshape((1, -1, 28)).output_shape((784,))
    (1, 28, 28)
    """

    kind: ClassVar[str] = "reshape"
    sees_all: ClassVar[bool] = True
    linear: ClassVar[bool] = True
    pointwise: ClassVar[bool] = True
    symbols: ClassVar[str] = "x"

    shape: int | Sequence[int]

    def __post_init__(self) -> None:
        shape = self.shape if isinstance(self.shape, Sequence) else (self.shape,)
        sides = tuple(side if side == -1 else integer(side, "shape") for side in shape)
        if not 1 <= len(sides) <= 4 or sides.count(-1) > 1:
            raise UsageError(f"shape: needs 1 to 4 axes, one of them at most -1; got {self.shape!r}.")
        object.__setattr__(self, "shape", sides)

    def output_shape(self, *inputs: Shape) -> Shape:
        """Return the shape with -1 filled in; raises ShapeError unless it holds as many values as the input."""
        sides, total = axes(self.shape), math.prod(inputs[0])
        known = math.prod(side for side in sides if side != -1)
        if total % known or (-1 not in sides and total != known):
            raise ShapeError(
                f"{format_shape(sides)} must hold as many values as the input ({total}); "
                f"got {format_shape(inputs[0])}. Use -1 for one axis, or change the others."
            )
        return tuple(total // known if side == -1 else side for side in sides)


@dataclass(frozen=True, repr=False)
class Upsample(Layer):
    """Enlarge the space of every channel by a whole number.

    Parameters
    ----------
    scale_factor : int or one int per axis
    mode : {"nearest", "bilinear"}
        "nearest" repeats values: ``out[c, p] = x[c, floor(p / scale)]``. "bilinear" interpolates linearly
        along each axis (in 1 dimension linear, in 3 trilinear) at ``(p + 1/2) / scale - 1/2``, values beyond
        the edge being those at the edge.

    Examples
    --------
    >>> Upsample(2).output_shape((16, 7, 7))
    (16, 14, 14)
    """

    kind: ClassVar[str] = "upsample"
    per_axis: ClassVar[frozenset[str]] = frozenset()  # one number means any number of axes here
    linear: ClassVar[bool] = True
    symbols: ClassVar[str] = "{0.mode} values, weighted by nearness"

    scale_factor: int | Sequence[int]
    mode: str = "nearest"

    def __post_init__(self) -> None:
        factor = self.scale_factor
        rank = len(factor) if isinstance(factor, Sequence) and not isinstance(factor, str) else 1
        canonical = per_axis(factor, rank, "scale_factor")
        object.__setattr__(self, "scale_factor", canonical if isinstance(factor, Sequence) else canonical[0])
        object.__setattr__(self, "mode", choice(self.mode, "mode", ("nearest", "bilinear")))

    def factors(self, shape: Shape) -> tuple[int, ...]:
        """Return the factor for each axis of space of the input ``shape``.

        Raises ShapeError unless there is one for each.
        """
        rank = len(shape) - 1
        factor = self.scale_factor
        if rank < 1 or (isinstance(factor, Sequence) and len(factor) != rank):
            raise ShapeError(
                f"scale_factor must be one number, or one for each axis of space; got {format_shape(shape)}. "
                "Change it, or Reshape first."
            )
        return axes(factor) if isinstance(factor, Sequence) else (factor,) * rank

    def window(self, *inputs: Shape) -> Window:
        """Return the taps of the interpolation over the input spread out."""
        factors = self.factors(inputs[0])
        linear = self.mode == "bilinear"
        kernel = tuple(2 * s - s % 2 if linear else s for s in factors)
        padding = tuple((s - 1 + s // 2, s - 1) if linear else (s - 1, 0) for s in factors)
        ones = (1,) * len(factors)
        return Window(kernel, ones, ones, padding, zoom=factors, beyond="replicate")

    def output_shape(self, *inputs: Shape) -> Shape:
        """Return (C, *space * factor)."""
        factors = self.factors(inputs[0])
        return (inputs[0][0], *(n * s for n, s in zip(inputs[0][1:], factors, strict=True)))
