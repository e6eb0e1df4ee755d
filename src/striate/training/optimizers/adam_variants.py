"""Variants of Adam: Nesterov's momentum, a rectified start, the largest gradient in place of the mean."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from striate.checks import real
from striate.training.optimizers.adaptive import Adam
from striate.training.optimizers.base import OptimizerState


@dataclass(frozen=True)
class NAdam(Adam):
    """Adam with Nesterov's momentum.

    ``m <- beta1 m + (1 - beta1) g``, ``v <- beta2 v + (1 - beta2) g^2``
    ``mu_t = beta1 (1 - 0.96^(t psi) / 2)``
    ``theta <- theta - alpha [(1 - mu_t) g / (1 - mu_1 ... mu_t) + mu_t+1 m / (1 - mu_1 ... mu_t+1)]``
    ``/ (sqrt(v / (1 - beta2^t)) + epsilon)``

    Parameters
    ----------
    beta1, beta2, epsilon : float
        As in Adam.
    psi : float
        How fast the momentum grows to beta1, from 0.

    References
    ----------
    Dozat (2016), "Incorporating Nesterov momentum into Adam", algorithm 2 and section 4.
    """

    kernel: ClassVar[str] = "nadam"
    learning_rate: ClassVar[float] = 0.002

    psi: float = 0.004

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "psi", real(self.psi, "psi", above=0, closed=True))

    def momentum(self, step: int) -> float:
        """Return ``mu_t``, the momentum of step t."""
        return float(self.beta1 * (1.0 - 0.5 * 0.96 ** (step * self.psi)))

    def product(self, step: int) -> float:
        """Return ``mu_1 ... mu_t``."""
        known = self._products
        while len(known) <= step:
            known.append(known[-1] * self.momentum(len(known)))
        return known[step]

    @cached_property
    def _products(self) -> list[float]:
        """The products so far; that of no step is 1."""
        return [1.0]

    def _shares(self, step: int, learning_rate: float) -> tuple[float, float]:
        """Return what the gradient and the momentum count in a step."""
        now = (1.0 - self.momentum(step)) / (1.0 - self.product(step))
        return learning_rate * now, learning_rate * self.momentum(step + 1) / (1.0 - self.product(step + 1))

    def numbers(self, step: int, learning_rate: float) -> tuple[float, ...]:
        """Return (share of g, share of m, beta1, beta2, epsilon, 1/(1 - beta2^t))."""
        beta1, beta2 = self._rounded
        return (*self._shares(step, learning_rate), beta1, beta2, self.epsilon, 1.0 / (1.0 - beta2**step))

    def update(
        self, theta: np.ndarray, gradient: np.ndarray, state: OptimizerState, step: int, learning_rate: float
    ) -> np.ndarray:
        """Return the parameters after one step, as above."""
        state.first[:] = self.beta1 * state.first + (1.0 - self.beta1) * gradient
        state.second[:] = self.beta2 * state.second + (1.0 - self.beta2) * gradient**2
        of_gradient, of_momentum = self._shares(step, learning_rate)
        scale = np.sqrt(state.second / (1.0 - self.beta2**step)) + self.epsilon
        return theta - (of_gradient * gradient + of_momentum * state.first) / scale


@dataclass(frozen=True)
class RAdam(Adam):
    """Adam that takes plain momentum steps until its variance estimate is reliable, then rectified ones.

    ``rho = 2 / (1 - beta2) - 1``, ``rho_t = rho - 2 t beta2^t / (1 - beta2^t)``, ``m' = m / (1 - beta1^t)``
    ``theta <- theta - alpha m'`` while ``rho_t <= 5``, then
    ``theta <- theta - alpha r m' sqrt(1 - beta2^t) / (sqrt(v) + epsilon)`` with
    ``r = sqrt[(rho_t - 4)(rho_t - 2) rho / ((rho - 4)(rho - 2) rho_t)]``

    Parameters
    ----------
    beta1, beta2, epsilon : float
        As in Adam.

    References
    ----------
    Liu et al. (2020), "On the variance of the adaptive learning rate and beyond", algorithm 2.
    """

    kernel: ClassVar[str] = "radam"

    def _rectified(self, step: int, beta2: float) -> float | None:
        """Return ``r sqrt(1 - beta2^t)``, or None while the variance is not known."""
        power = beta2**step
        limit = 2.0 / (1.0 - beta2) - 1.0
        length = limit - 2.0 * step * power / (1.0 - power)
        if length <= 5.0:
            return None
        ratio = (length - 4.0) * (length - 2.0) * limit / ((limit - 4.0) * (limit - 2.0) * length)
        return math.sqrt(ratio * (1.0 - power))

    def numbers(self, step: int, learning_rate: float) -> tuple[float, ...]:
        """Return (share of m, beta1, beta2, what sqrt(v) counts, what is added to it)."""
        beta1, beta2 = self._rounded
        rectified = self._rectified(step, self.beta2)
        share = learning_rate / (1.0 - beta1**step)
        if rectified is None:
            return (share, beta1, beta2, 0.0, 1.0)
        return (share * rectified, beta1, beta2, 1.0, self.epsilon)

    def update(
        self, theta: np.ndarray, gradient: np.ndarray, state: OptimizerState, step: int, learning_rate: float
    ) -> np.ndarray:
        """Return the parameters after one step, as above."""
        state.first[:] = self.beta1 * state.first + (1.0 - self.beta1) * gradient
        state.second[:] = self.beta2 * state.second + (1.0 - self.beta2) * gradient**2
        mean = state.first / (1.0 - self.beta1**step)
        rectified = self._rectified(step, self.beta2)
        if rectified is None:
            return theta - learning_rate * mean
        return np.asarray(theta - learning_rate * rectified * mean / (np.sqrt(state.second) + self.epsilon))


@dataclass(frozen=True)
class Adamax(Adam):
    """Adam with the decaying maximum of past gradients in place of the mean of squares.

    ``m <- beta1 m + (1 - beta1) g``
    ``u <- max(beta2 u, |g| + epsilon)``
    ``theta <- theta - alpha m / (1 - beta1^t) / u``

    Parameters
    ----------
    beta1, beta2, epsilon : float
        As in Adam.

    References
    ----------
    Kingma and Ba (2015), "Adam: a method for stochastic optimization", algorithm 2.
    """

    kernel: ClassVar[str] = "adamax"
    learning_rate: ClassVar[float] = 0.002

    def numbers(self, step: int, learning_rate: float) -> tuple[float, ...]:
        """Return (alpha / (1 - beta1^t), beta1, beta2, epsilon)."""
        beta1, beta2 = self._rounded
        return (learning_rate / (1.0 - beta1**step), beta1, beta2, self.epsilon)

    def update(
        self, theta: np.ndarray, gradient: np.ndarray, state: OptimizerState, step: int, learning_rate: float
    ) -> np.ndarray:
        """Return the parameters after one step, as above."""
        state.first[:] = self.beta1 * state.first + (1.0 - self.beta1) * gradient
        state.second[:] = np.maximum(self.beta2 * state.second, np.abs(gradient) + self.epsilon)
        return np.asarray(theta - learning_rate / (1.0 - self.beta1**step) * state.first / state.second)


@dataclass(frozen=True)
class AMSGrad(Adam):
    """Adam whose steps are divided by the largest mean square so far, so that they never grow again.

    ``m <- beta1 m + (1 - beta1) g``, ``v <- beta2 v + (1 - beta2) g^2``, ``w <- max(w, v)``
    ``theta <- theta - alpha (m / (1 - beta1^t)) / (sqrt(w / (1 - beta2^t)) + epsilon)``

    Parameters
    ----------
    beta1, beta2, epsilon : float
        As in Adam.

    References
    ----------
    Reddi, Kale and Kumar (2018), "On the convergence of Adam and beyond", algorithm 2; with Adam's corrections
    for the start.
    """

    kernel: ClassVar[str] = "amsgrad"

    def update(
        self, theta: np.ndarray, gradient: np.ndarray, state: OptimizerState, step: int, learning_rate: float
    ) -> np.ndarray:
        """Return the parameters after one step, as above."""
        state.first[:] = self.beta1 * state.first + (1.0 - self.beta1) * gradient
        state.second[:] = self.beta2 * state.second + (1.0 - self.beta2) * gradient**2
        state.largest[:] = np.maximum(state.largest, state.second)
        m = state.first / (1.0 - self.beta1**step)
        w = state.largest / (1.0 - self.beta2**step)
        return np.asarray(theta - learning_rate * m / (np.sqrt(w) + self.epsilon))


@dataclass(frozen=True)
class LAMB(Adam):
    """Adam for very large batches: each parameter's step is scaled to the parameter's norm.

    ``m <- beta1 m + (1 - beta1) g``, ``v <- beta2 v + (1 - beta2) g^2``
    ``r = (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon) + weight_decay theta``
    ``theta <- theta - alpha |theta| / |r| r`` for every parameter (the weights of a layer, its biases); where one
    of the norms is 0, ``theta <- theta - alpha r``

    Parameters
    ----------
    beta1, beta2 : float
        As in Adam.
    epsilon : float
    weight_decay : float
        Decay of the parameters, as a part of the step.

    References
    ----------
    You et al. (2020), "Large batch optimization for deep learning: training BERT in 76 minutes", algorithm 2, with
    the identity as phi.
    """

    kernel: ClassVar[str] = "lamb"
    learning_rate: ClassVar[float] = 0.01

    epsilon: float = 1e-6
    weight_decay: float = 0.01

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "weight_decay", real(self.weight_decay, "weight_decay", above=0, closed=True))

    def numbers(self, step: int, learning_rate: float) -> tuple[float, ...]:
        """Return (alpha, beta1, beta2, epsilon, 1/(1 - beta1^t), 1/(1 - beta2^t), decay)."""
        return (*super().numbers(step, learning_rate)[:6], self.weight_decay)

    def update(
        self, theta: np.ndarray, gradient: np.ndarray, state: OptimizerState, step: int, learning_rate: float
    ) -> np.ndarray:
        """Return the parameters after one step, as above; ``state.parameters`` says where each lies."""
        state.first[:] = self.beta1 * state.first + (1.0 - self.beta1) * gradient
        state.second[:] = self.beta2 * state.second + (1.0 - self.beta2) * gradient**2
        m, v = state.first / (1.0 - self.beta1**step), state.second / (1.0 - self.beta2**step)
        r = m / (np.sqrt(v) + self.epsilon) + self.weight_decay * theta
        new = theta.copy()
        for first, end in state.parameters or [(0, len(theta))]:
            part = slice(first, end)
            norms = np.linalg.norm(theta[part]), np.linalg.norm(r[part])
            new[part] -= learning_rate * (norms[0] / norms[1] if all(norms) else 1.0) * r[part]
        return new
