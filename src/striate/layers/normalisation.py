"""Normalisation: values brought to mean 0 and variance 1, over the batch, the sample or groups of channels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from striate.errors import ShapeError, UsageError
from striate.layers.arguments import choice, flag, integer, real
from striate.layers.base import Layer, Parameter, Shape, format_shape


@dataclass(frozen=True, repr=False, kw_only=True)
class Normalisation(Layer):
    """Base of all normalisations: ``out = (x - mean) / sqrt(variance + epsilon) * weight + bias``.

    Parameters
    ----------
    epsilon : float
        Keeps the division away from zero.
    affine : bool
        Whether weight and bias are learnt; without, they are 1 and 0.
    """

    kind: ClassVar[str] = "norm"
    symbols: ClassVar[str] = "(x - mean) / sqrt(variance + epsilon)"

    epsilon: float = 1e-5
    affine: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "epsilon", real(self.epsilon, "epsilon", above=0))
        object.__setattr__(self, "affine", flag(self.affine, "affine"))

    def output_shape(self, *inputs: Shape) -> Shape:
        """Return the shape of the input."""
        return inputs[0]

    @property
    def formula(self) -> str:
        """The standardised value, weighted and shifted if the layer is affine."""
        return super().formula + " * weight + bias" * self.affine

    def parameter_shape(self, shape: Shape) -> Shape:
        """Return the shape of weight and bias: one number per channel."""
        return shape[:1]

    def parameters(self, *inputs: Shape) -> tuple[Parameter, ...]:
        """Return weight and bias, or nothing if not affine."""
        shape = self.parameter_shape(inputs[0])
        both = (Parameter("weight", shape, initial="ones"), Parameter("bias", shape))
        return both if self.affine else ()


@dataclass(frozen=True, repr=False, kw_only=True)
class BatchNorm(Normalisation):
    """Normalise each channel over the batch and all positions.

    In training the statistics are those of the batch, and running ones are updated:
    ``running = (1 - momentum) * running + momentum * batch``, the variance there divided by n - 1.
    At evaluation the running ones are used.

    Parameters
    ----------
    epsilon : float
    affine : bool
    momentum : float
        The weight of the newest batch, above 0 and at most 1.

    References
    ----------
    Ioffe and Szegedy (2015), "Batch normalization", algorithms 1 and 2.
    """

    linear: ClassVar[bool] = True
    pointwise: ClassVar[bool] = True
    channel_affine: ClassVar[bool] = True
    symbols: ClassVar[str] = "(x - running mean) / sqrt(running variance + epsilon)"

    momentum: float = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "momentum", real(self.momentum, "momentum", above=0))
        if self.momentum > 1:
            raise UsageError(f"momentum: must be at most 1; got {self.momentum:g}.")

    def states(self, *inputs: Shape) -> tuple[Parameter, ...]:
        """Return running_mean [C] and running_variance [C]."""
        shape = inputs[0][:1]
        return (Parameter("running_mean", shape), Parameter("running_variance", shape, initial="ones"))


@dataclass(frozen=True, repr=False)
class SampleNormalisation(Normalisation):
    """Base of normalisations with statistics within one sample."""

    def channels_together(self, channels: int) -> int | None:
        """Return how many neighbouring channels are normalised together, over all their positions.

        None where each position is normalised by itself, over all channels.
        """
        return channels


@dataclass(frozen=True, repr=False)
class LayerNorm(SampleNormalisation):
    """Normalise each sample over all its values, or each position over its channels.

    Parameters
    ----------
    epsilon : float
    affine : bool
    over : {"sample", "channels"}
        "sample" has a weight and a bias for every value, "channels" for every channel.

    References
    ----------
    Ba, Kiros and Hinton (2016), "Layer normalization".
    """

    mixes_channels: ClassVar[bool] = True

    over: str = "sample"

    @property
    def sees_all(self) -> bool:  # type: ignore[override]
        """Whether the statistics are those of the whole sample."""
        return self.over == "sample"

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "over", choice(self.over, "over", ("sample", "channels")))

    def parameter_shape(self, shape: Shape) -> Shape:
        """Return (C, *space) or (C,)."""
        return shape if self.over == "sample" else shape[:1]

    def channels_together(self, channels: int) -> int | None:
        """Return the number of channels, or None over channels."""
        return channels if self.over == "sample" else None


@dataclass(frozen=True, repr=False)
class GroupNorm(SampleNormalisation):
    """Normalise each sample over the positions and channels of a group of channels.

    Parameters
    ----------
    groups : int
        Divides the number of channels.
    epsilon : float
    affine : bool

    References
    ----------
    Wu and He (2018), "Group normalization".
    """

    sees_all: ClassVar[bool] = True

    groups: int

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "groups", integer(self.groups, "groups"))

    def output_shape(self, *inputs: Shape) -> Shape:
        """Return the shape of the input."""
        if inputs[0][0] % self.groups:
            raise ShapeError(
                f"{self.groups} groups must divide the channels; got {format_shape(inputs[0])}. "
                "Use a divisor of the number of channels."
            )
        return inputs[0]

    def channels_together(self, channels: int) -> int:
        """Return the channels of a group."""
        return channels // self.groups


@dataclass(frozen=True, repr=False)
class InstanceNorm(SampleNormalisation):
    """Normalise each channel of each sample over its positions.

    References
    ----------
    Ulyanov, Vedaldi and Lempitsky (2016), "Instance normalization".
    """

    sees_all: ClassVar[bool] = True

    def output_shape(self, *inputs: Shape) -> Shape:
        """Return the shape of the input."""
        if len(inputs[0]) < 2:
            raise ShapeError(f"needs an input with space; got {format_shape(inputs[0])}. Use a LayerNorm.")
        return inputs[0]

    def channels_together(self, channels: int) -> int:
        """Return 1."""
        return 1


@dataclass(frozen=True, repr=False)
class LocalResponseNorm(Layer):
    """Divide by a power of the squares of neighbouring channels.

    ``out[c] = x[c] / (k + alpha / size * sum of x[d]^2)^beta`` over the channels d from c - size // 2 to
    c + (size - 1) // 2 that exist.

    Parameters
    ----------
    size : int
    alpha : float
    beta : float
    k : float
        AlexNet's paper does not divide alpha by the size: its (5, 1e-4, 0.75, 2) is (5, 5e-4, 0.75, 2) here.

    References
    ----------
    Krizhevsky, Sutskever and Hinton (2012), "ImageNet classification with deep convolutional neural
    networks", section 3.3.
    """

    kind: ClassVar[str] = "lrn"
    mixes_channels: ClassVar[bool] = True
    symbols: ClassVar[str] = (
        "x * s^-{0.beta:.6g} with s = {0.k:.6g} + alpha / size * sum of the neighbours' squares"
    )

    size: int = 5
    alpha: float = 1e-4
    beta: float = 0.75
    k: float = 1.0

    def __post_init__(self) -> None:
        put = object.__setattr__
        put(self, "size", integer(self.size, "size"))
        put(self, "alpha", real(self.alpha, "alpha", above=0, closed=True))
        put(self, "beta", real(self.beta, "beta", above=0))
        put(self, "k", real(self.k, "k", above=0))

    def output_shape(self, *inputs: Shape) -> Shape:
        """Return the shape of the input."""
        return inputs[0]
