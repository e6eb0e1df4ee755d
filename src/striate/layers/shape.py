"""Layers that only move numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from striate.errors import UsageError
from striate.layers.arguments import integer
from striate.layers.base import Layer, Node, Shape


@dataclass(frozen=True, repr=False)
class InputLayer(Layer):
    """Where samples enter the network."""

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
    """One row of features for each sample: channel by channel, row by row.

    Examples
    --------
    >>> Flatten().output_shape((16, 5, 5))
    (400,)
    """

    kind: ClassVar[str] = "flatten"

    def output_shape(self, *inputs: Shape) -> Shape:
        """Return (C x space,)."""
        return (math.prod(inputs[0]),)
