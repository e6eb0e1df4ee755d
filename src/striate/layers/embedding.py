"""Learnt vectors for symbols."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from striate.errors import ShapeError
from striate.layers.arguments import integer
from striate.layers.base import Layer, Parameter, Shape, format_shape


@dataclass(frozen=True, repr=False)
class Embedding(Layer):
    """Look up a vector for each symbol: a text becomes a one-dimensional grid of vectors.

    ``out[e, p] = weight[x[p], e]`` for whole numbers x from 0 to ``entries - 1``. An input (length,) or
    (1, length) gives (dimensions, length), ready for Conv1d.

    Parameters
    ----------
    entries : int
        Number of symbols.
    dimensions : int

    References
    ----------
    Bengio et al. (2003), "A neural probabilistic language model".

    Examples
    --------
    >>> Embedding(1000, 32).output_shape((50,))
    (32, 50)
    """

    kind: ClassVar[str] = "embedding"
    symbols: ClassVar[str] = "weight[symbol, dimension]"

    entries: int
    dimensions: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "entries", integer(self.entries, "entries"))
        object.__setattr__(self, "dimensions", integer(self.dimensions, "dimensions"))

    def output_shape(self, *inputs: Shape) -> Shape:
        """Return (dimensions, length); raises ShapeError unless the input is one row of symbols."""
        shape = inputs[0]
        if len(shape) > 2 or (len(shape) == 2 and shape[0] != 1):
            raise ShapeError(
                f"needs one row of symbols; got {format_shape(shape)}. Flatten it, or use one channel."
            )
        return (self.dimensions, math.prod(shape))

    def parameters(self, *inputs: Shape) -> tuple[Parameter, ...]:
        """Return weight [entries, dimensions]."""
        return (Parameter("weight", (self.entries, self.dimensions), 1, self.dimensions, "weight"),)
