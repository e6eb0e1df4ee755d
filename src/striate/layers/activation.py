"""Activations: functions of one number, applied everywhere; and softmax, over the channels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from striate.layers.base import Layer, Shape


@dataclass(frozen=True, repr=False)
class Activation(Layer):
    """What all activations share: the output has the shape of the input."""

    def output_shape(self, *inputs: Shape) -> Shape:
        """Return the shape of the input."""
        return inputs[0]


@dataclass(frozen=True, repr=False)
class ReLU(Activation):
    """``max(x, 0)``; the gradient at 0 is 0 (Nair and Hinton 2010)."""

    kind: ClassVar[str] = "relu"


@dataclass(frozen=True, repr=False)
class Sigmoid(Activation):
    """``1 / (1 + exp(-x))``."""

    kind: ClassVar[str] = "sigmoid"


@dataclass(frozen=True, repr=False)
class Tanh(Activation):
    """``tanh(x)``."""

    kind: ClassVar[str] = "tanh"


@dataclass(frozen=True, repr=False)
class Softmax(Activation):
    """``exp(x[c]) / sum over channels of exp(x)``, computed after subtracting the largest x."""

    kind: ClassVar[str] = "softmax"
