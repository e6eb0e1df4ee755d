"""Layers that put values at the maxima of a max pooling, or take values from there."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import ClassVar, Self

from striate.errors import ShapeError, UsageError
from striate.layers.base import Shape, Window, format_shape, format_shapes
from striate.layers.pooling import MaxPool1d, MaxPool2d, MaxPool3d, MaxPooling, Pooling


@dataclass(frozen=True, repr=False)
class AtMaxima(Pooling):
    """Base of unpooling and gathering: the maxima of a second input say where values go, or come from.

    The positions are those of the maxima in the second input (of equal ones the first), so nothing has to be
    remembered between the pooling and this layer. Gradients flow to the first input only.

    The arguments are those of the pooling; ``of`` copies them.
    """

    arity: ClassVar[int | None] = 2
    linear: ClassVar[bool] = True

    @classmethod
    def of(cls, pool: MaxPooling, name: str | None = None) -> Self:
        """Return the layer that matches ``pool``; raises UsageError if that is another kind of layer."""
        if not isinstance(pool, MaxPooling) or pool.rank != cls.rank:
            raise UsageError(f"{cls.__name__}: needs a MaxPool{cls.rank}d; got {pool!r}. Use the matching layer.")
        fields = {item.name: getattr(pool, item.name) for item in dataclasses.fields(pool) if item.name != "name"}
        return cls(**fields, name=name)

    def pool(self) -> MaxPooling:
        """Return the pooling that this layer matches."""
        fields = {item.name: getattr(self, item.name) for item in dataclasses.fields(self) if item.name != "name"}
        return {1: MaxPool1d, 2: MaxPool2d, 3: MaxPool3d}[self.rank](**fields)


@dataclass(frozen=True, repr=False)
class MaxUnpooling(AtMaxima):
    """Put each value where the maximum of its window was, and zeros elsewhere.

    ``y[c, p] = sum(x[c, w] for all windows w with their maximum at p)``

    It has two inputs: the values, and what the max pooling took as its input. Where windows overlap, values add
    up. It is the adjoint of the selection that the pooling made.

    References
    ----------
    Zeiler and Fergus (2014), "Visualizing and understanding convolutional networks", section 2.1.
    """

    kind: ClassVar[str] = "unpool"
    symbols: ClassVar[str] = "sum of the values whose window had its maximum here"

    def window(self, *inputs: Shape) -> Window:
        """Return the window of the pooling over the values, spread out by its stride."""
        pooled = super().window(inputs[1])
        ones = (1,) * self.rank
        extents = (d * (k - 1) for k, d in zip(pooled.kernel, pooled.dilation, strict=True))
        padding = tuple((e - b, e - a) for e, (b, a) in zip(extents, pooled.padding, strict=True))
        return Window(pooled.kernel, ones, pooled.dilation, padding, zoom=pooled.stride)

    def output_shape(self, *inputs: Shape) -> Shape:
        """Return the shape of the second input, which the pooling turned into the first.

        Raises ShapeError if the shapes do not belong together.
        """
        pooled = self.pool().output_shape(inputs[1])
        if inputs[0] != pooled:
            raise ShapeError(
                f"the first input must have the shape that pooling gives the second, {format_shape(pooled)}; got "
                f"{format_shapes(inputs)}. Call it with (values, input of the pooling)."
            )
        return inputs[1]


@dataclass(frozen=True, repr=False)
class MaxGathering(AtMaxima):
    """Take from each window the value at the position where another input has its maximum.

    It has two inputs of the same shape: the values, and what the max pooling took as its input. If the values are
    numbers of positions, the output is what other programs call the indices of a max pooling. It is the adjoint of
    ``MaxUnpool``.
    """

    kind: ClassVar[str] = "max_gather"
    symbols: ClassVar[str] = "x1 where x2 is largest in the window"

    def output_shape(self, *inputs: Shape) -> Shape:
        """Return the shape that pooling gives for the inputs; raises ShapeError if their shapes differ."""
        if inputs[0] != inputs[1]:
            raise ShapeError(
                f"both inputs must have the same shape; got {format_shapes(inputs)}. "
                "Call it with (values, input of the pooling)."
            )
        return self.pool().output_shape(inputs[1])


@dataclass(frozen=True, repr=False)
class MaxUnpool1d(MaxUnpooling):
    """Max unpooling over (C, length)."""

    rank: ClassVar[int] = 1


@dataclass(frozen=True, repr=False)
class MaxUnpool2d(MaxUnpooling):
    """Max unpooling over (C, rows, columns).

    Examples
    --------
    >>> MaxUnpool2d(2).output_shape((6, 14, 14), (6, 28, 28))
    (6, 28, 28)
    """

    rank: ClassVar[int] = 2


@dataclass(frozen=True, repr=False)
class MaxUnpool3d(MaxUnpooling):
    """Max unpooling over (C, depth, rows, columns)."""

    rank: ClassVar[int] = 3


@dataclass(frozen=True, repr=False)
class MaxGather1d(MaxGathering):
    """Values at the maxima of another input, over (C, length)."""

    rank: ClassVar[int] = 1


@dataclass(frozen=True, repr=False)
class MaxGather2d(MaxGathering):
    """Values at the maxima of another input, over (C, rows, columns).

    Examples
    --------
    >>> MaxGather2d(2).output_shape((6, 28, 28), (6, 28, 28))
    (6, 14, 14)
    """

    rank: ClassVar[int] = 2


@dataclass(frozen=True, repr=False)
class MaxGather3d(MaxGathering):
    """Values at the maxima of another input, over (C, depth, rows, columns)."""

    rank: ClassVar[int] = 3
