"""The subsampling of LeNet-5: a pooling that learns a coefficient and a bias for each map."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import ClassVar

from striate.layers.arguments import axes
from striate.layers.base import Parameter, Shape
from striate.layers.pooling import Pooling


@dataclass(frozen=True, repr=False)
class Subsampling(Pooling):
    """``out[c, p] = weight[c] * sum over t of x[c, p * stride + t] + bias[c]``.

    The coefficient starts at 1 / (size of the window), which makes it the mean.

    References
    ----------
    LeCun et al. (1998), "Gradient-based learning applied to document recognition", section II.B.
    """

    kind: ClassVar[str] = "subsample"
    linear: ClassVar[bool] = True
    symbols: ClassVar[str] = "weight * sum of x + bias"

    def unpadded(self) -> Subsampling:
        """Return the subsampling of whole windows."""
        return dataclasses.replace(self, padding=0)

    def parameters(self, *inputs: Shape) -> tuple[Parameter, ...]:
        """Return weight [C] and bias [C]."""
        taps = math.prod(axes(self.kernel_size))
        return (Parameter("weight", inputs[0][:1], taps, 1, 1.0 / taps), Parameter("bias", inputs[0][:1]))

    def multiply_adds(self, *inputs: Shape) -> int:
        """Return one for each output."""
        return math.prod(self.output_shape(*inputs))


@dataclass(frozen=True, repr=False)
class Subsample1d(Subsampling):
    """Trainable subsampling over (C, length)."""

    rank: ClassVar[int] = 1


@dataclass(frozen=True, repr=False)
class Subsample2d(Subsampling):
    """Trainable subsampling over (C, rows, columns).

    Examples
    --------
    >>> Subsample2d(2).output_shape((6, 28, 28))
    (6, 14, 14)
    """

    rank: ClassVar[int] = 2


@dataclass(frozen=True, repr=False)
class Subsample3d(Subsampling):
    """Trainable subsampling over (C, depth, rows, columns)."""

    rank: ClassVar[int] = 3
