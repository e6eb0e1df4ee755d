"""Activations: functions of one number, applied elementwise; and softmax, over the channels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from striate.errors import UsageError
from striate.layers.arguments import choice, flag, real
from striate.layers.base import Layer, Parameter, Shape


@dataclass(frozen=True, repr=False)
class Activation(Layer):
    """Base of all activations: the output has the shape of the input."""

    pointwise: ClassVar[bool] = True

    def output_shape(self, *inputs: Shape) -> Shape:
        """Return the shape of the input."""
        return inputs[0]


@dataclass(frozen=True, repr=False)
class Identity(Activation):
    """``x``."""

    kind: ClassVar[str] = "identity"
    linear: ClassVar[bool] = True
    symbols: ClassVar[str] = "x"


@dataclass(frozen=True, repr=False)
class ReLU(Activation):
    """``max(x, 0)``; the gradient at 0 is 0 (Nair and Hinton 2010)."""

    kind: ClassVar[str] = "relu"
    symbols: ClassVar[str] = "max(x, 0)"


@dataclass(frozen=True, repr=False)
class LeakyReLU(Activation):
    """``x`` above 0, ``slope * x`` elsewhere; the gradient at 0 is the slope (Maas et al. 2013)."""

    kind: ClassVar[str] = "leaky_relu"
    symbols: ClassVar[str] = "x if x > 0 else {0.slope:.6g} * x"

    slope: float = 0.01

    def __post_init__(self) -> None:
        object.__setattr__(self, "slope", real(self.slope, "slope"))


@dataclass(frozen=True, repr=False)
class PReLU(Activation):
    """``x`` above 0, ``weight[c] * x`` elsewhere, with a slope that is learnt (He et al. 2015).

    Parameters
    ----------
    shared : bool
        One slope for all channels rather than one for each.
    initial : float
        Where the slopes begin.
    """

    kind: ClassVar[str] = "prelu"
    symbols: ClassVar[str] = "x if x > 0 else weight * x"

    shared: bool = False
    initial: float = 0.25

    def __post_init__(self) -> None:
        object.__setattr__(self, "shared", flag(self.shared, "shared"))
        object.__setattr__(self, "initial", real(self.initial, "initial"))

    def parameters(self, *inputs: Shape) -> tuple[Parameter, ...]:
        """Return weight [C], or [1] if shared."""
        return (Parameter("weight", (1,) if self.shared else inputs[0][:1], initial=self.initial),)


@dataclass(frozen=True, repr=False)
class ELU(Activation):
    """``x`` above 0, ``alpha * (exp(x) - 1)`` elsewhere (Clevert, Unterthiner and Hochreiter 2016)."""

    kind: ClassVar[str] = "elu"
    symbols: ClassVar[str] = "x if x > 0 else {0.alpha:.6g} * (exp(x) - 1)"

    alpha: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "alpha", real(self.alpha, "alpha"))


@dataclass(frozen=True, repr=False)
class SELU(Activation):
    """``scale * ELU(x, alpha)`` with the constants that keep mean 0 and variance 1 (Klambauer et al. 2017)."""

    kind: ClassVar[str] = "selu"
    alpha: ClassVar[float] = 1.6732632423543772848170429916717
    scale: ClassVar[float] = 1.0507009873554804934193349852946
    symbols: ClassVar[str] = "{0.scale:.6g} * (x if x > 0 else {0.alpha:.6g} * (exp(x) - 1))"


@dataclass(frozen=True, repr=False)
class GELU(Activation):
    """``x * P(Z <= x)`` for a standard normal Z (Hendrycks and Gimpel 2016).

    Parameters
    ----------
    approximate : {"none", "tanh"}
        "none": ``x / 2 * (1 + erf(x / sqrt 2))``;
        "tanh": ``x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3)))``.
    """

    kind: ClassVar[str] = "gelu"
    symbols: ClassVar[str] = "x / 2 * (1 + erf(x / sqrt(2)))"

    approximate: str = "none"

    def __post_init__(self) -> None:
        object.__setattr__(self, "approximate", choice(self.approximate, "approximate", ("none", "tanh")))

    @property
    def formula(self) -> str:
        """The formula of the approximation, or the exact one."""
        tanh = "x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x^3)))"
        return tanh if self.approximate == "tanh" else super().formula


@dataclass(frozen=True, repr=False)
class SiLU(Activation):
    """``x / (1 + exp(-x))``, also called swish (Elfwing, Uchibe and Doya 2018)."""

    kind: ClassVar[str] = "silu"
    symbols: ClassVar[str] = "x / (1 + exp(-x))"


@dataclass(frozen=True, repr=False)
class Softplus(Activation):
    """``log(1 + exp(beta * x)) / beta``: a smooth ReLU (Dugas et al. 2001)."""

    kind: ClassVar[str] = "softplus"
    symbols: ClassVar[str] = "log(1 + exp({0.beta:.6g} * x)) / {0.beta:.6g}"

    beta: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "beta", real(self.beta, "beta", above=0))


@dataclass(frozen=True, repr=False)
class Sigmoid(Activation):
    """``1 / (1 + exp(-x))``."""

    kind: ClassVar[str] = "sigmoid"
    symbols: ClassVar[str] = "1 / (1 + exp(-x))"


@dataclass(frozen=True, repr=False)
class Tanh(Activation):
    """``tanh(x)``."""

    kind: ClassVar[str] = "tanh"
    symbols: ClassVar[str] = "tanh(x)"


@dataclass(frozen=True, repr=False)
class ScaledTanh(Activation):
    """``amplitude * tanh(slope * x)``; with the default numbers -1 and 1 map to themselves (LeCun et al. 1998).

    Parameters
    ----------
    amplitude : float
    slope : float
    """

    kind: ClassVar[str] = "scaled_tanh"
    symbols: ClassVar[str] = "{0.amplitude:.6g} * tanh({0.slope:.6g} * x)"

    amplitude: float = 1.7159
    slope: float = 2.0 / 3.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "amplitude", real(self.amplitude, "amplitude", above=0))
        object.__setattr__(self, "slope", real(self.slope, "slope"))


@dataclass(frozen=True, repr=False)
class HardSigmoid(Activation):
    """``min(max(x / 6 + 1/2, 0), 1)``; the gradient at -3 and 3 is 0."""

    kind: ClassVar[str] = "hard_sigmoid"
    symbols: ClassVar[str] = "min(max(x / 6 + 1/2, 0), 1)"


@dataclass(frozen=True, repr=False)
class HardTanh(Activation):
    """``min(max(x, low), high)``; the gradient at both ends is 0."""

    kind: ClassVar[str] = "hard_tanh"
    symbols: ClassVar[str] = "min(max(x, {0.low:.6g}), {0.high:.6g})"

    low: float = -1.0
    high: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "low", real(self.low, "low"))
        object.__setattr__(self, "high", real(self.high, "high"))
        if self.low >= self.high:
            raise UsageError(f"low: must be below high; got {self.low:g} and {self.high:g}.")


@dataclass(frozen=True, repr=False)
class HardSwish(Activation):
    """``x * min(max(x / 6 + 1/2, 0), 1)`` (Howard et al. 2019); the gradient is 0 at -3 and 1 at 3."""

    kind: ClassVar[str] = "hard_swish"
    symbols: ClassVar[str] = "x * min(max(x / 6 + 1/2, 0), 1)"


@dataclass(frozen=True, repr=False)
class Step(Activation):
    """``1`` where x is at least 0, ``0`` elsewhere: the unit of the perceptron (Rosenblatt 1958).

    Parameters
    ----------
    straight_through : bool
        The gradient is 0 everywhere; if True, it is passed on as if the layer were not there. With half
        the squared error, gradient descent is then the perceptron's learning rule.
    """

    kind: ClassVar[str] = "step"
    symbols: ClassVar[str] = "1 if x >= 0 else 0"

    straight_through: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "straight_through", flag(self.straight_through, "straight_through"))


@dataclass(frozen=True, repr=False)
class Softmax(Activation):
    """``exp(x[c]) / sum over channels of exp(x)``, computed after subtracting the largest x."""

    kind: ClassVar[str] = "softmax"
    mixes_channels: ClassVar[bool] = True
    pointwise: ClassVar[bool] = False
    symbols: ClassVar[str] = "exp(x - m) / sum of exp(x - m), m the largest x"


@dataclass(frozen=True, repr=False)
class LogSoftmax(Activation):
    """``x[c] - log(sum over channels of exp(x))``, computed after subtracting the largest x."""

    kind: ClassVar[str] = "log_softmax"
    mixes_channels: ClassVar[bool] = True
    pointwise: ClassVar[bool] = False
    symbols: ClassVar[str] = "x - m - log(sum of exp(x - m)), m the largest x"


SOFTMAXES = (Softmax, LogSoftmax)
"""The layers whose outputs are class probabilities, or their logarithms."""
