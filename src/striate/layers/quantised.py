"""Integer layers: 8-bit activations and weights, 32-bit sums, one rounding rule.

A value ``q`` from 0 to 255 stands for ``scale * (q - zero_point)``. To be rounded, a number is multiplied by a
fixed-point number, ``m / 2**s`` with a whole m of at most 21 bits. The product is exact and rounded to the nearest
whole number, halves to even, so every processor computes the same whole numbers.

References
----------
Jacob et al. (2018), "Quantization and training of neural networks for efficient integer-arithmetic-only inference",
section 2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar

from striate.layers import convolution, dense
from striate.layers.arguments import integer
from striate.layers.base import Layer, Quantisation, Shape
from striate.layers.quantised_sums import LARGEST, QuantisedSums, fixed_point, scale_argument


@dataclass(frozen=True, repr=False)
class Quantise(Layer):
    """Quantise to integers from 0 to 255: ``q = clip(round(multiplier * x) + zero_point, 0, 255)``.

    The multiplier is ``1 / scale`` as a fixed-point number.

    Parameters
    ----------
    scale : float
    zero_point : int
        The number that stands for 0.

    Examples
    --------
    >>> Quantise(0.5, 3).output_shape((2, 8, 8))
    (2, 8, 8)
    """

    kind: ClassVar[str] = "quantise"
    pointwise: ClassVar[bool] = True
    symbols: ClassVar[str] = "clip(round(x / {0.scale:.6g}) + {0.zero_point}, 0, 255)"

    scale: float
    zero_point: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "scale", scale_argument(self.scale, "scale"))
        object.__setattr__(self, "zero_point", integer(self.zero_point, "zero_point", 0, LARGEST))

    @property
    def multiplier(self) -> float:
        """``1 / scale`` as a fixed-point number."""
        return float(fixed_point(1.0 / self.scale))

    def output_shape(self, *inputs: Shape) -> Shape:
        """Return the shape of the input."""
        return inputs[0]

    def quantisation(self, *inputs: Quantisation | None) -> Quantisation:
        """Return scale and zero point; the input must be floats."""
        super().quantisation(*inputs)
        return Quantisation(self.scale, self.zero_point)


@dataclass(frozen=True, repr=False)
class QuantisedConvolution(QuantisedSums):
    """Base of the integer convolutions of all dimensions.

    Parameters
    ----------
    out_channels : int
        Number of filters.
    kernel_size : int or one int per axis
    stride, dilation : int or one int per axis
    padding : int, one item (int or (before, after)) per axis, "same" or "valid"
        Padded with zeros: with the input's zero point.
    """

    kind: ClassVar[str] = "conv"
    rank: ClassVar[int]

    out_channels: int
    kernel_size: int | Sequence[int]
    stride: int | Sequence[int] = 1
    padding: int | str | Sequence[int | Sequence[int]] = 0
    dilation: int | Sequence[int] = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        for key in self.geometry():
            object.__setattr__(self, key, getattr(self.plain, key))

    @classmethod
    def geometry(cls) -> list[str]:
        """Return the arguments that it shares with the float convolution."""
        return [item.name for item in fields(cls) if not item.kw_only]

    @property
    def plain(self) -> convolution.Convolution:
        """The float convolution with the same shapes and costs."""
        kind: Any = getattr(convolution, f"Conv{self.rank}d")
        found: convolution.Convolution = kind(**{key: getattr(self, key) for key in self.geometry()})
        return found


@dataclass(frozen=True, repr=False)
class QuantisedConv1d(QuantisedConvolution):
    """Integer convolution over signals: input (C, length).

    Examples
    --------
    >>> QuantisedConv1d(32, 3).output_shape((128, 10))
    (32, 8)
    """

    rank: ClassVar[int] = 1


@dataclass(frozen=True, repr=False)
class QuantisedConv2d(QuantisedConvolution):
    """Integer convolution over images: input (C, rows, columns).

    Examples
    --------
    >>> QuantisedConv2d(6, 5, padding=2).output_shape((1, 28, 28))
    (6, 28, 28)
    """

    rank: ClassVar[int] = 2


@dataclass(frozen=True, repr=False)
class QuantisedConv3d(QuantisedConvolution):
    """Integer convolution over volumes or clips: input (C, depth, rows, columns).

    Examples
    --------
    >>> QuantisedConv3d(8, 3, padding="same").output_shape((1, 16, 16, 16))
    (8, 16, 16, 16)
    """

    rank: ClassVar[int] = 3


@dataclass(frozen=True, repr=False)
class QuantisedLinear(QuantisedSums):
    """Integer fully connected layer.

    Parameters
    ----------
    out_features : int

    Examples
    --------
    >>> QuantisedLinear(10).output_shape((84,))
    (10,)
    """

    kind: ClassVar[str] = "linear"
    sees_all: ClassVar[bool] = True
    mixes_channels: ClassVar[bool] = True

    out_features: int

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "out_features", self.plain.out_features)

    @property
    def plain(self) -> dense.Linear:
        """The float fully connected layer with the same shapes and costs."""
        return dense.Linear(self.out_features)


WHOLE: tuple[type[Layer], ...] = (Quantise, QuantisedSums)
"""The layers that take or return integers, subclasses included; they are exact and cannot be trained."""
