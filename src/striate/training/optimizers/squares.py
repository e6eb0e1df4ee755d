"""Optimizers that divide every parameter's step by the size of its past gradients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from striate.checks import flag
from striate.training.optimizers.base import Optimizer, OptimizerState, fraction, positive


@dataclass(frozen=True)
class RMSprop(Optimizer):
    """``v <- rho v + (1 - rho) g^2``, ``theta <- theta - alpha g / (sqrt(v) + epsilon)``.

    Centred, v is the variance: ``c <- rho c + (1 - rho) g``, and ``max(0, v - c^2)`` stands below the root. With
    a momentum, ``b <- momentum b + g / (sqrt(...) + epsilon)`` and ``theta <- theta - alpha b``.

    Parameters
    ----------
    rho : float
        How much of the running means of g^2 and g is kept, from 0 up to but not including 1.
    epsilon : float
        Above 0.
    momentum : float
        How much of the last step is kept, from 0 up to but not including 1.
    centred : bool
        Divide by the deviation of past gradients from their mean.

    References
    ----------
    Tieleman and Hinton (2012), "Lecture 6.5 - RMSProp", COURSERA: Neural networks for machine learning; Graves
    (2013), "Generating sequences with recurrent neural networks", section 4.2 (centred, with momentum).
    """

    learning_rate: ClassVar[float] = 0.001

    rho: float = 0.99
    epsilon: float = 1e-8
    momentum: float = 0.0
    centred: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "rho", fraction(self.rho, "rho"))
        object.__setattr__(self, "epsilon", positive(self.epsilon, "epsilon"))
        object.__setattr__(self, "momentum", fraction(self.momentum, "momentum"))
        object.__setattr__(self, "centred", flag(self.centred, "centred"))

    @property
    def _plain(self) -> bool:
        return not self.momentum and not self.centred

    @property
    def kernel(self) -> str:  # type: ignore[override]
        """The plain form keeps one vector, the others three."""
        return "rmsprop" if self._plain else "centred_rmsprop"

    def numbers(self, step: int, learning_rate: float) -> tuple[float, ...]:
        """Return (alpha, rho, epsilon), and for the other kernel momentum and 1 or 0 for centred."""
        more = () if self._plain else (self.momentum, float(self.centred))
        return (learning_rate, self.rho, self.epsilon, *more)

    def update(
        self, theta: np.ndarray, gradient: np.ndarray, state: OptimizerState, step: int, learning_rate: float
    ) -> np.ndarray:
        """Return the parameters after one step, as above."""
        state.second[:] = self.rho * state.second + (1.0 - self.rho) * gradient**2
        if self._plain:
            return np.asarray(theta - learning_rate * gradient / (np.sqrt(state.second) + self.epsilon))
        state.mean[:] = self.rho * state.mean + (1.0 - self.rho) * gradient
        variance = np.maximum(0.0, state.second - self.centred * state.mean**2)
        state.first[:] = self.momentum * state.first + gradient / (np.sqrt(variance) + self.epsilon)
        return theta - learning_rate * state.first


@dataclass(frozen=True)
class Adagrad(Optimizer):
    """``v <- v + g^2``, ``theta <- theta - alpha g / (sqrt(v) + epsilon)``.

    Parameters
    ----------
    epsilon : float
        Above 0.

    References
    ----------
    Duchi, Hazan and Singer (2011), "Adaptive subgradient methods for online learning and stochastic
    optimization".
    """

    kernel: ClassVar[str] = "adagrad"
    learning_rate: ClassVar[float] = 0.01

    epsilon: float = 1e-10

    def __post_init__(self) -> None:
        object.__setattr__(self, "epsilon", positive(self.epsilon, "epsilon"))

    def numbers(self, step: int, learning_rate: float) -> tuple[float, ...]:
        """Return (alpha, epsilon)."""
        return (learning_rate, self.epsilon)

    def update(
        self, theta: np.ndarray, gradient: np.ndarray, state: OptimizerState, step: int, learning_rate: float
    ) -> np.ndarray:
        """Return the parameters after one step, as above."""
        state.second[:] = state.second + gradient**2
        return np.asarray(theta - learning_rate * gradient / (np.sqrt(state.second) + self.epsilon))


@dataclass(frozen=True)
class Adadelta(Optimizer):
    """Steps are scaled to the size of past steps, so that they have the unit of the parameters.

    ``v <- rho v + (1 - rho) g^2``
    ``d = sqrt(u + epsilon) / sqrt(v + epsilon) g``
    ``u <- rho u + (1 - rho) d^2``
    ``theta <- theta - alpha d``

    Parameters
    ----------
    rho : float
        How much of the running means of g^2 and d^2 is kept, from 0 up to but not including 1.
    epsilon : float
        Above 0.

    References
    ----------
    Zeiler (2012), "ADADELTA: an adaptive learning rate method", algorithm 1.
    """

    kernel: ClassVar[str] = "adadelta"
    learning_rate: ClassVar[float] = 1.0

    rho: float = 0.9
    epsilon: float = 1e-6

    def __post_init__(self) -> None:
        object.__setattr__(self, "rho", fraction(self.rho, "rho"))
        object.__setattr__(self, "epsilon", positive(self.epsilon, "epsilon"))

    def numbers(self, step: int, learning_rate: float) -> tuple[float, ...]:
        """Return (alpha, rho, epsilon)."""
        return (learning_rate, self.rho, self.epsilon)

    def update(
        self, theta: np.ndarray, gradient: np.ndarray, state: OptimizerState, step: int, learning_rate: float
    ) -> np.ndarray:
        """Return the parameters after one step, as above."""
        state.second[:] = self.rho * state.second + (1.0 - self.rho) * gradient**2
        delta = np.sqrt(state.first + self.epsilon) / np.sqrt(state.second + self.epsilon) * gradient
        state.first[:] = self.rho * state.first + (1.0 - self.rho) * delta**2
        return np.asarray(theta - learning_rate * delta)
