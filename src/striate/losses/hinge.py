"""Hinge loss: the true class must lead by a margin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from striate.data.dataset import Dataset
from striate.data.options import Task
from striate.errors import UsageError
from striate.layers.arguments import real
from striate.layers.base import Layer, Shape
from striate.losses.base import Array, Loss
from striate.losses.interpretation import Interpretation, sigmoid, softmax, two_classes
from striate.losses.targets import check_classes, check_row, is_labelled, refuse_numbers
from striate.network import Network
from striate.reference import loss as definitions


@dataclass(frozen=True)
class Hinge(Loss):
    """By how much the true class fails to lead every other by the margin; see ``reference.loss.hinge``.

    Parameters
    ----------
    margin : float
    reduction : {"mean", "sum"}
    """

    name: ClassVar[str] = "hinge"
    task: ClassVar[Task | None] = "classification"
    takes_class_numbers: ClassVar[bool] = True

    margin: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "margin", real(self.margin, "margin", above=0))

    def reference(self, outputs: Array, targets: Array) -> tuple[Array, Array]:
        """Return ``reference.loss.hinge``."""
        return definitions.hinge(outputs, targets, self.margin)

    def prepare(self, targets: Array, shape: Shape) -> Array:
        """Return the class numbers."""
        return targets

    def interpret(self, outputs: Array, last: Layer | None, kind: str) -> Interpretation:
        """Return the softmax of the scores, which orders the classes but need not be calibrated."""
        if outputs.shape[1] == 1:
            return Interpretation(kind, two_classes(sigmoid(outputs, last)))
        return Interpretation(kind, softmax(outputs, last))

    def check(self, network: Network, dataset: Dataset) -> None:
        """Raise a StriateError unless every label is a class, and every class has an output."""
        if not is_labelled(dataset.targets):
            raise refuse_numbers(self, dataset)
        check_row(self, network.output_shape)
        check_classes(network, dataset, dataset.targets, single=True)

    def target_count(self, shape: Shape) -> int:
        """Return 1, the class."""
        check_row(self, shape)
        return 1

    def kernel(self, shape: Shape) -> str:
        """Return the kernel."""
        return "label_loss.hinge"

    def numbers(self, shape: Shape) -> Array:
        """Return the margin."""
        return np.array([self.margin], np.float32)

    def tells_right(self, kind: str, shape: Shape) -> bool:
        """Return True: the kernel compares the largest output with the class."""
        return True

    def smoothed(self, smoothing: float) -> Loss:
        """Raise UsageError: the hinge loss cannot blend classes."""
        return self.for_shares()

    def for_shares(self) -> Loss:
        """Raise UsageError: the hinge loss cannot blend classes."""
        raise UsageError("hinge: needs one class for each sample; got mixup or label smoothing. Use cross_entropy.")
