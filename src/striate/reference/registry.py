"""Which NumPy functions give each layer its meaning."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from striate.layers.base import Layer

Array = np.ndarray
Arrays = dict[str, np.ndarray]
Inputs = tuple[np.ndarray, ...]
Gradients = tuple[tuple[np.ndarray, ...], Arrays]


@dataclass
class Context:
    """What an operation may need in addition to its inputs and parameters.

    Parameters
    ----------
    training : bool
        Dropout, noise and batch statistics are on.
    seed, step : int
        Together with the layer's name they fix every random number.
    name : str
        The name of the layer in its network.
    states : dict of float64 arrays
        What the layer carries along; updated in place in training.
    samples : int64[N], optional
        The number of each sample in the whole batch, of which this may be a part; 0, 1, 2, ... by default.
    """

    training: bool = False
    seed: int = 0
    step: int = 0
    name: str = ""
    states: Arrays = field(default_factory=dict)
    samples: np.ndarray | None = None


class Forward(Protocol):
    """``forward(layer, parameters, *inputs, context) -> output``, arrays float64 with the batch first."""

    def __call__(self, layer: Any, parameters: Arrays, *inputs: np.ndarray, context: Context) -> np.ndarray:
        """Return the output."""
        ...


class Backward(Protocol):
    """``backward(layer, parameters, inputs, output, grad_output, context) -> (grad_inputs, grad_parameters)``."""

    def __call__(
        self,
        layer: Any,
        parameters: Arrays,
        inputs: tuple[np.ndarray, ...],
        output: np.ndarray,
        grad_output: np.ndarray,
        context: Context,
    ) -> tuple[tuple[np.ndarray, ...], Arrays]:
        """Return the gradients with respect to the inputs and, by name, the parameters."""
        ...


@dataclass(frozen=True)
class Operation:
    """The two functions that define a layer."""

    forward: Forward
    backward: Backward


OPERATIONS: dict[type[Layer], Operation] = {}


def define(*layers: type[Layer]) -> Callable[[type], type]:
    """Register the static ``forward`` and ``backward`` of the decorated class for ``layers``."""

    def register(cls: type) -> type:
        for layer in layers:
            OPERATIONS[layer] = Operation(cls.forward, cls.backward)  # type: ignore[attr-defined]
        return cls

    return register


def operation(layer: Layer) -> Operation:
    """Return the operation of ``layer``, looking at its base classes too."""
    for cls in type(layer).__mro__:
        if cls in OPERATIONS:
            return OPERATIONS[cls]
    raise NotImplementedError(f"{type(layer).__name__} has no reference. Register one with reference.define.")
