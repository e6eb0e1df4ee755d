"""Optimizers that divide every parameter's step by the size of its past gradients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from striate.training.optimizers.base import Optimizer, State, fraction, positive


@dataclass(frozen=True)
class RMSprop(Optimizer):
    """``v <- rho v + (1 - rho) g^2``, ``theta <- theta - alpha g / (sqrt(v) + epsilon)``.

    Parameters
    ----------
    rho : float
        How much of the running mean of g^2 is kept, from 0 up to but not including 1.
    epsilon : float
        Above 0.

    References
    ----------
    Tieleman and Hinton (2012), "Lecture 6.5 - RMSProp", COURSERA: Neural networks for machine learning.
    """

    kernel: ClassVar[str] = "rmsprop"
    learning_rate: ClassVar[float] = 0.001

    rho: float = 0.99
    epsilon: float = 1e-8

    def __post_init__(self) -> None:
        object.__setattr__(self, "rho", fraction(self.rho, "rho"))
        object.__setattr__(self, "epsilon", positive(self.epsilon, "epsilon"))

    def numbers(self, step: int, learning_rate: float) -> tuple[float, ...]:
        """Return (alpha, rho, epsilon)."""
        return (learning_rate, self.rho, self.epsilon)

    def update(
        self, theta: np.ndarray, gradient: np.ndarray, state: State, step: int, learning_rate: float
    ) -> np.ndarray:
        """Return the parameters after one step, as above."""
        state.second[:] = self.rho * state.second + (1.0 - self.rho) * gradient**2
        return theta - learning_rate * gradient / (np.sqrt(state.second) + self.epsilon)


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
        self, theta: np.ndarray, gradient: np.ndarray, state: State, step: int, learning_rate: float
    ) -> np.ndarray:
        """Return the parameters after one step, as above."""
        state.second[:] = state.second + gradient**2
        return theta - learning_rate * gradient / (np.sqrt(state.second) + self.epsilon)


@dataclass(frozen=True)
class Adadelta(Optimizer):
    """A step as large as past steps were, so that it has the unit of the parameters.

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
        self, theta: np.ndarray, gradient: np.ndarray, state: State, step: int, learning_rate: float
    ) -> np.ndarray:
        """Return the parameters after one step, as above."""
        state.second[:] = self.rho * state.second + (1.0 - self.rho) * gradient**2
        delta = np.sqrt(state.first + self.epsilon) / np.sqrt(state.second + self.epsilon) * gradient
        state.first[:] = self.rho * state.first + (1.0 - self.rho) * delta**2
        return theta - learning_rate * delta
