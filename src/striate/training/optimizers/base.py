"""The base class of optimizers, and the state that they carry."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from striate.engine.updates import UPDATES
from striate.layers.arguments import real


class OptimizerState:
    """The state of an optimizer between steps: vectors as long as theta, by name.

    Parameters
    ----------
    **vectors : float[parameter_count]
        They become attributes; the optimizer's kernel determines which there are (``striate.engine.updates``).

    Attributes
    ----------
    parameters : sequence of (first, end)
        Where each parameter lies in theta, for optimizers that need its norm; empty if theta is one parameter.

    Examples
    --------
    >>> OptimizerState(first=np.zeros(2)).first.tolist()
    [0.0, 0.0]
    """

    parameters: Sequence[tuple[int, int]] = ()

    def __init__(self, **vectors: np.ndarray) -> None:
        vars(self).update(vectors)

    @classmethod
    def zeros(cls, optimizer: Optimizer, count: int, dtype: Any = np.float64) -> OptimizerState:
        """Return the state of ``optimizer`` before the first step."""
        names = UPDATES[optimizer.kernel].vectors
        return cls(**{name: np.zeros(count, dtype) for name in names})

    def __getattr__(self, name: str) -> np.ndarray:
        raise AttributeError(f"the optimizer keeps no vector {name!r}")


@dataclass(frozen=True)
class Optimizer:
    """An immutable description of how a gradient changes the parameters.

    The learning rate is not part of it, because it may change from step to step.

    Attributes
    ----------
    kernel : str
        The function of ``striate.kernels.update`` that computes ``update`` in float32.
    learning_rate : float
        The trainer's default if no learning rate is given.
    """

    kernel: ClassVar[str]
    learning_rate: ClassVar[float]

    def numbers(self, step: int, learning_rate: float) -> tuple[float, ...]:
        """Return what the kernel reads at step ``step``, counted from 1."""
        raise NotImplementedError

    def update(
        self, theta: np.ndarray, gradient: np.ndarray, state: OptimizerState, step: int, learning_rate: float
    ) -> np.ndarray:
        """Return the new parameters and change ``state``: the textbook formula, in float64.

        Parameters
        ----------
        theta, gradient : float64[parameter_count]
        state : OptimizerState
        step : int
            Counted from 1.
        learning_rate : float
        """
        raise NotImplementedError

    def config(self) -> dict[str, Any]:
        """Return every argument by name."""
        return dataclasses.asdict(self)


def fraction(value: Any, what: str) -> float:
    """Return ``value`` as a float from 0 up to but not including 1."""
    return real(value, what, above=0, below=1, closed=True)


def positive(value: Any, what: str) -> float:
    """Return ``value`` as a float above 0."""
    return real(value, what, above=0)
