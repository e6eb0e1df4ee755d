"""Layers that add randomness in training so that the network generalises; at evaluation they do nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from striate.layers.arguments import real
from striate.layers.base import Layer, Shape


@dataclass(frozen=True, repr=False)
class Regulariser(Layer):
    """Base of dropout and noise: the output has the shape of the input and, at evaluation, its values.

    Random numbers are a pure function of (seed, step, name of the layer, sample, element), so a result
    does not depend on the number of threads or on the order of the work.
    """

    linear: ClassVar[bool] = True
    pointwise: ClassVar[bool] = True
    symbols: ClassVar[str] = "x"

    def output_shape(self, *inputs: Shape) -> Shape:
        """Return the shape of the input."""
        return inputs[0]


@dataclass(frozen=True, repr=False)
class Dropout(Regulariser):
    """``x * kept / (1 - rate)``: each value is set to 0 with probability ``rate``.

    References
    ----------
    Srivastava et al. (2014), "Dropout: a simple way to prevent neural networks from overfitting".
    """

    kind: ClassVar[str] = "dropout"

    rate: float = 0.5

    def __post_init__(self) -> None:
        object.__setattr__(self, "rate", real(self.rate, "rate", above=0, below=1, closed=True))


@dataclass(frozen=True, repr=False)
class SpatialDropout(Regulariser):
    """``x * kept[c] / (1 - rate)``: each whole channel is set to 0 with probability ``rate``.

    References
    ----------
    Tompson et al. (2015), "Efficient object localization using convolutional networks", section 3.2.
    """

    kind: ClassVar[str] = "spatial_dropout"

    rate: float = 0.5

    def __post_init__(self) -> None:
        object.__setattr__(self, "rate", real(self.rate, "rate", above=0, below=1, closed=True))


@dataclass(frozen=True, repr=False)
class GaussianNoise(Regulariser):
    """``x + deviation * z`` with standard normal z, drawn for each value.

    References
    ----------
    Bishop (1995), "Training with noise is equivalent to Tikhonov regularization".
    """

    kind: ClassVar[str] = "noise"

    deviation: float = 0.1

    def __post_init__(self) -> None:
        object.__setattr__(self, "deviation", real(self.deviation, "deviation", above=0, closed=True))
