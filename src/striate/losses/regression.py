"""Squared, absolute and Huber losses, of numbers or of the shares of classes."""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from striate.data.dataset import Dataset
from striate.data.options import Task
from striate.errors import ShapeError
from striate.layers.arguments import real
from striate.layers.base import Layer, Shape, format_shape
from striate.losses.base import Array, Loss
from striate.losses.interpretation import CLASSES, NUMBERS, Interpretation, two_classes
from striate.losses.targets import are_numbers_of_classes, check_classes, check_numbers, is_labelled, one_hot
from striate.network import Network
from striate.reference import regression_loss as definitions


@dataclass(frozen=True)
class ErrorLoss(Loss):
    """Base of losses of the difference between output and target.

    Targets are a number for each output. Class numbers become a 1 for the class and 0 for the others, unless there
    is a single output, which learns them as numbers.
    """

    task: ClassVar[Task | None] = "regression"
    wants: ClassVar[str | None] = None
    scale_free: ClassVar[bool] = True

    @abstractmethod
    def reference(self, outputs: Array, targets: Array) -> tuple[Array, Array]:
        """Return the loss of each sample and its gradient."""

    def prepare(self, targets: Array, shape: Shape) -> Array:
        """Return the numbers; of class numbers a 1 for the class and 0 for the others."""
        return one_hot(targets, shape) if is_labelled(targets) else super().prepare(targets, shape)

    def kind(self, targets: Array, shape: Shape) -> str:
        """Return "classes" for class numbers on several outputs, else "numbers"."""
        return CLASSES if is_labelled(targets) and math.prod(shape) > 1 else NUMBERS

    def interpret(self, outputs: Array, last: Layer | None, kind: str) -> Interpretation:
        """Return the outputs; those of classes cut to 0 to 1."""
        if kind != CLASSES:
            return Interpretation(kind, outputs)
        shares = np.clip(outputs, 0.0, 1.0)
        return Interpretation(kind, two_classes(shares) if shares.shape[1] == 1 else shares)

    def check(self, network: Network, dataset: Dataset) -> None:
        """Raise a StriateError unless there is an output for each number, or for each class."""
        if not is_labelled(dataset.targets):
            _refuse_maps(self, dataset)
            check_numbers(network, dataset)
        elif math.prod(network.output_shape) > 1:
            check_classes(network, dataset, dataset.targets)

    def kernel(self, shape: Shape) -> str | None:
        """Return the kernel of the same name."""
        return f"regression_loss.{self.name}"


def _refuse_maps(loss: Loss, dataset: Dataset) -> None:
    if are_numbers_of_classes(dataset.targets):
        raise ShapeError(
            f"{loss.name}: needs numbers; got class maps of {format_shape(dataset.targets.shape[1:])} from "
            f"{dataset.name}. Use cross_entropy, or convert the targets to float32."
        )


@dataclass(frozen=True)
class MeanSquaredError(ErrorLoss):
    """Mean over the outputs of the squared error; see ``reference.regression_loss.mean_squared_error``."""

    name: ClassVar[str] = "mean_squared_error"

    def reference(self, outputs: Array, targets: Array) -> tuple[Array, Array]:
        """Return ``reference.regression_loss.mean_squared_error``."""
        return definitions.mean_squared_error(outputs, targets)

    def kernel(self, shape: Shape) -> str:
        """Return the kernel."""
        return "loss.mean_squared_error"


@dataclass(frozen=True)
class MeanAbsoluteError(ErrorLoss):
    """Mean over the outputs of the absolute error; see ``reference.regression_loss.mean_absolute_error``."""

    name: ClassVar[str] = "mean_absolute_error"

    def reference(self, outputs: Array, targets: Array) -> tuple[Array, Array]:
        """Return ``reference.regression_loss.mean_absolute_error``."""
        return definitions.mean_absolute_error(outputs, targets)


@dataclass(frozen=True)
class Huber(ErrorLoss):
    """Squared for small errors and linear for large ones; see ``reference.regression_loss.huber``.

    Parameters
    ----------
    delta : float
        Where it turns from a square into a line.
    reduction : {"mean", "sum"}
    """

    name: ClassVar[str] = "huber"

    delta: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "delta", real(self.delta, "delta", above=0))

    def reference(self, outputs: Array, targets: Array) -> tuple[Array, Array]:
        """Return ``reference.regression_loss.huber``."""
        return definitions.huber(outputs, targets, self.delta)

    def numbers(self, shape: Shape) -> Array:
        """Return delta."""
        return np.array([self.delta], np.float32)
