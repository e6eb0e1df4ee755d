"""Elementwise functions that occur in models of other frameworks: exp, log, roots, powers and the like."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from striate.layers.activation import Activation
from striate.layers.arguments import flag, real


@dataclass(frozen=True, repr=False)
class Absolute(Activation):
    """``abs(x)``; the gradient at 0 is 0."""

    kind: ClassVar[str] = "abs"
    symbols: ClassVar[str] = "abs(x)"


@dataclass(frozen=True, repr=False)
class CELU(Activation):
    """``x`` above 0, ``alpha * (exp(x / alpha) - 1)`` elsewhere (Barron 2017).

    Parameters
    ----------
    alpha : float
    """

    kind: ClassVar[str] = "celu"
    symbols: ClassVar[str] = "x if x > 0 else {0.alpha:.6g} * (exp(x / {0.alpha:.6g}) - 1)"

    alpha: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "alpha", real(self.alpha, "alpha", above=0))


@dataclass(frozen=True, repr=False)
class Erf(Activation):
    """``erf(x)``: the error function, ``2 / sqrt(pi)`` times the integral of ``exp(-t^2)`` from 0 to x."""

    kind: ClassVar[str] = "erf"
    symbols: ClassVar[str] = "erf(x)"


@dataclass(frozen=True, repr=False)
class Exp(Activation):
    """``exp(x)``."""

    kind: ClassVar[str] = "exp"
    symbols: ClassVar[str] = "exp(x)"


@dataclass(frozen=True, repr=False)
class Log(Activation):
    """``log(x)``, the natural logarithm; NaN below 0."""

    kind: ClassVar[str] = "log"
    symbols: ClassVar[str] = "log(x)"


@dataclass(frozen=True, repr=False)
class Mish(Activation):
    """``x * tanh(log(1 + exp(x)))`` (Misra 2019)."""

    kind: ClassVar[str] = "mish"
    symbols: ClassVar[str] = "x * tanh(log(1 + exp(x)))"


@dataclass(frozen=True, repr=False)
class Power(Activation):
    """``x^exponent = exp(exponent * log(x))``; NaN for a negative x unless the exponent is a whole number.

    Parameters
    ----------
    exponent : float
    """

    kind: ClassVar[str] = "power"
    symbols: ClassVar[str] = "x^({0.exponent:.6g})"

    exponent: float = 2.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "exponent", real(self.exponent, "exponent"))


@dataclass(frozen=True, repr=False)
class Round(Activation):
    """The multiple of ``step`` that is nearest to ``x``, halves to the even one.

    The quotient is a float32, as in other frameworks. Followed by `HardTanh`, it is what quantising and
    dequantising does to a value ("fake quantisation"; Jacob et al. 2018, section 3).

    Parameters
    ----------
    step : float
        Above 0.
    straight_through : bool
        The gradient is 0 everywhere; if True, it is passed on as if the layer were not there.
    """

    kind: ClassVar[str] = "round"
    symbols: ClassVar[str] = "{0.step:.6g} * round(x / {0.step:.6g})"

    step: float = 1.0
    straight_through: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "step", real(self.step, "step", above=0))
        object.__setattr__(self, "straight_through", flag(self.straight_through, "straight_through"))


@dataclass(frozen=True, repr=False)
class Sin(Activation):
    """``sin(x)``, of an angle in radians (periodic activations; Sitzmann et al. 2020)."""

    kind: ClassVar[str] = "sin"
    symbols: ClassVar[str] = "sin(x)"


@dataclass(frozen=True, repr=False)
class Softsign(Activation):
    """``x / (1 + abs(x))`` (Glorot and Bengio 2010)."""

    kind: ClassVar[str] = "softsign"
    symbols: ClassVar[str] = "x / (1 + abs(x))"


@dataclass(frozen=True, repr=False)
class Sqrt(Activation):
    """``sqrt(x)``; NaN below 0."""

    kind: ClassVar[str] = "sqrt"
    symbols: ClassVar[str] = "sqrt(x)"
