"""Adam, with and without decoupled weight decay."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from striate.layers.arguments import real
from striate.training.optimizers.base import Optimizer, OptimizerState, fraction, positive


@dataclass(frozen=True)
class Adam(Optimizer):
    """Adaptive moments.

    ``m <- beta1 m + (1 - beta1) g``
    ``v <- beta2 v + (1 - beta2) g^2``
    ``theta <- theta - alpha (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon)``

    Parameters
    ----------
    beta1 : float
        How much of the running mean of g is kept, from 0 up to but not including 1.
    beta2 : float
        How much of the running mean of g^2 is kept, from 0 up to but not including 1.
    epsilon : float
        Above 0.

    References
    ----------
    Kingma and Ba (2015), "Adam: a method for stochastic optimization", algorithm 1.
    """

    kernel: ClassVar[str] = "adam"
    learning_rate: ClassVar[float] = 0.001

    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8

    def __post_init__(self) -> None:
        object.__setattr__(self, "beta1", fraction(self.beta1, "beta1"))
        object.__setattr__(self, "beta2", fraction(self.beta2, "beta2"))
        object.__setattr__(self, "epsilon", positive(self.epsilon, "epsilon"))

    def numbers(self, step: int, learning_rate: float) -> tuple[float, ...]:
        """Return (alpha, beta1, beta2, epsilon, 1/(1 - beta1^t), 1/(1 - beta2^t), decay)."""
        beta1, beta2 = self._rounded
        fix1, fix2 = 1.0 / (1.0 - beta1**step), 1.0 / (1.0 - beta2**step)
        return (learning_rate, beta1, beta2, self.epsilon, fix1, fix2, 0.0)

    @cached_property
    def _rounded(self) -> tuple[float, float]:
        """The betas as the kernel has them: m and v are corrected for just these."""
        return float(np.float32(self.beta1)), float(np.float32(self.beta2))

    def update(
        self, theta: np.ndarray, gradient: np.ndarray, state: OptimizerState, step: int, learning_rate: float
    ) -> np.ndarray:
        """Return the parameters after one step, as above."""
        state.first[:] = self.beta1 * state.first + (1.0 - self.beta1) * gradient
        state.second[:] = self.beta2 * state.second + (1.0 - self.beta2) * gradient**2
        m = state.first / (1.0 - self.beta1**step)
        v = state.second / (1.0 - self.beta2**step)
        return theta - learning_rate * m / (np.sqrt(v) + self.epsilon)


@dataclass(frozen=True)
class AdamW(Adam):
    """Adam with decoupled weight decay: first ``theta <- theta (1 - alpha decay)``, then Adam's step.

    Parameters
    ----------
    beta1, beta2, epsilon : float
        As in Adam.
    weight_decay : float
        From 0.

    References
    ----------
    Loshchilov and Hutter (2019), "Decoupled weight decay regularization", algorithm 2.
    """

    weight_decay: float = 0.01

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "weight_decay", real(self.weight_decay, "weight_decay", above=0, closed=True))

    def numbers(self, step: int, learning_rate: float) -> tuple[float, ...]:
        """Return Adam's numbers with the decay."""
        return (*super().numbers(step, learning_rate)[:-1], self.weight_decay)

    def update(
        self, theta: np.ndarray, gradient: np.ndarray, state: OptimizerState, step: int, learning_rate: float
    ) -> np.ndarray:
        """Return the parameters after the decay and one step of Adam."""
        theta = theta * (1.0 - learning_rate * self.weight_decay)
        return super().update(theta, gradient, state, step, learning_rate)
