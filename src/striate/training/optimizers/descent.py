"""Gradient descent and its two forms with momentum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from striate.errors import UsageError
from striate.training.optimizers.base import Optimizer, OptimizerState, fraction


@dataclass(frozen=True)
class GradientDescent(Optimizer):
    """Gradient descent: ``theta <- theta - alpha g``.

    With batches of one sample it is stochastic gradient descent, with the whole data set in one batch the
    classic method, and in between mini-batch descent.

    References
    ----------
    Robbins and Monro (1951), "A stochastic approximation method".
    """

    kernel: ClassVar[str] = "gradient_descent"
    learning_rate: ClassVar[float] = 0.01

    def numbers(self, step: int, learning_rate: float) -> tuple[float, ...]:
        """Return (alpha,)."""
        return (learning_rate,)

    def update(
        self, theta: np.ndarray, gradient: np.ndarray, state: OptimizerState, step: int, learning_rate: float
    ) -> np.ndarray:
        """Return ``theta - alpha g``."""
        return theta - learning_rate * gradient


@dataclass(frozen=True)
class Momentum(Optimizer):
    """Gradient descent with momentum: ``v <- beta v + g``, ``theta <- theta - alpha v``.

    Parameters
    ----------
    beta : float
        How much of the velocity is kept, from 0 up to but not including 1.

    References
    ----------
    Polyak (1964), "Some methods of speeding up the convergence of iteration methods".
    """

    kernel: ClassVar[str] = "momentum"
    learning_rate: ClassVar[float] = 0.01

    beta: float = 0.9

    def __post_init__(self) -> None:
        object.__setattr__(self, "beta", fraction(self.beta, "beta"))

    def numbers(self, step: int, learning_rate: float) -> tuple[float, ...]:
        """Return (alpha, beta)."""
        return (learning_rate, self.beta)

    def update(
        self, theta: np.ndarray, gradient: np.ndarray, state: OptimizerState, step: int, learning_rate: float
    ) -> np.ndarray:
        """Return ``theta - alpha v`` with the new velocity ``v``."""
        state.first[:] = self.beta * state.first + gradient
        return theta - learning_rate * state.first


@dataclass(frozen=True)
class Nesterov(Optimizer):
    """Nesterov's momentum: ``v <- beta v + g``, ``theta <- theta - alpha (g + beta v)``.

    Parameters
    ----------
    beta : float
        How much of the velocity is kept, from 0 up to but not including 1.

    References
    ----------
    Nesterov (1983), "A method of solving a convex programming problem with convergence rate O(1/k^2)";
    in this form Sutskever, Martens, Dahl and Hinton (2013), "On the importance of initialization and
    momentum in deep learning".
    """

    kernel: ClassVar[str] = "nesterov"
    learning_rate: ClassVar[float] = 0.01

    beta: float = 0.9

    def __post_init__(self) -> None:
        object.__setattr__(self, "beta", fraction(self.beta, "beta"))

    def numbers(self, step: int, learning_rate: float) -> tuple[float, ...]:
        """Return (alpha, beta)."""
        return (learning_rate, self.beta)

    def update(
        self, theta: np.ndarray, gradient: np.ndarray, state: OptimizerState, step: int, learning_rate: float
    ) -> np.ndarray:
        """Return ``theta - alpha (g + beta v)`` with the new velocity ``v``."""
        state.first[:] = self.beta * state.first + gradient
        return theta - learning_rate * (gradient + self.beta * state.first)


def SGD(momentum: float = 0.0, nesterov: bool = False) -> Optimizer:
    """Return gradient descent, or one of its forms with momentum, under their usual name.

    Raises
    ------
    UsageError
        If Nesterov's form is asked for without momentum, or the momentum is not from 0 to below 1.

    Examples
    --------
    >>> SGD(momentum=0.9)
    Momentum(beta=0.9)
    """
    if nesterov and momentum == 0:
        raise UsageError("SGD: Nesterov's form needs a momentum; got 0. Use for example momentum=0.9.")
    if nesterov:
        return Nesterov(momentum)
    return GradientDescent() if momentum == 0 else Momentum(momentum)
