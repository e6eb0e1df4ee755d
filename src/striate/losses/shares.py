"""Losses of targets that are distributions over the classes: cross-entropy and Kullback-Leibler divergence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from striate.data.dataset import Dataset
from striate.errors import DataError
from striate.layers.activation import SOFTMAXES, Softmax
from striate.layers.base import Layer, Shape
from striate.losses.base import Array, Loss
from striate.losses.interpretation import Interpretation, softmax
from striate.losses.targets import check_fractions, check_numbers, check_row, is_labelled, one_hot, refuse_classes
from striate.network import Network
from striate.reference import loss as definitions

SUM_TOLERANCE = 1e-3  # shares that were rounded to three digits still sum to 1


@dataclass(frozen=True)
class SoftCrossEntropy(Loss):
    """Cross-entropy of a softmax with the shares of the classes, float32[N, C]: blended or uncertain labels."""

    name: ClassVar[str] = "soft_cross_entropy"
    absorbs: ClassVar[tuple[type[Layer], ...]] = SOFTMAXES
    ending: ClassVar[Layer | None] = Softmax()

    def reference(self, outputs: Array, targets: Array) -> tuple[Array, Array]:
        """Return ``reference.loss.soft_cross_entropy``."""
        return definitions.soft_cross_entropy(outputs, targets)

    def prepare(self, targets: Array, shape: Shape) -> Array:
        """Return the shares; class numbers as one share of 1."""
        return one_hot(targets, shape) if is_labelled(targets) else super().prepare(targets, shape)

    def interpret(self, outputs: Array, last: Layer | None, kind: str) -> Interpretation:
        """Return the softmax of the outputs."""
        return Interpretation(kind, softmax(outputs, last))

    def check(self, network: Network, dataset: Dataset) -> None:
        """Raise a StriateError unless targets are shares that sum to 1, one for each output."""
        if is_labelled(dataset.targets):
            raise refuse_classes(self, dataset, "shares of classes")
        shares = check_numbers(network, dataset)
        check_fractions(self, dataset, shares)
        sums = shares.sum(axis=1)
        if not np.allclose(sums, 1.0, atol=SUM_TOLERANCE):
            wrong = int(np.abs(sums - 1.0).argmax())
            raise DataError(
                f"{dataset.name}: the shares of the classes of a sample must sum to 1; got {sums[wrong]:g} at "
                f"sample {wrong}. Divide them by their sum."
            )

    def target_count(self, shape: Shape) -> int:
        """Return the number of classes."""
        check_row(self, shape)
        return shape[0]

    def kernel(self, shape: Shape) -> str:
        """Return the kernel of the same name."""
        return f"soft_loss.{self.name}"

    def tells_right(self, kind: str, shape: Shape) -> bool:
        """Return True: the kernel compares the largest output with the largest share."""
        return True

    def for_targets(self, targets: Array) -> Loss:
        """Return the cross-entropy for class numbers."""
        from striate.losses.cross_entropy import CrossEntropy

        return CrossEntropy() if is_labelled(targets) else self


@dataclass(frozen=True)
class KLDivergence(SoftCrossEntropy):
    """Kullback-Leibler divergence of the softmax from the shares of the classes, float32[N, C].

    Its gradient is that of the cross-entropy; its smallest value is 0.
    """

    name: ClassVar[str] = "kl_divergence"

    def reference(self, outputs: Array, targets: Array) -> tuple[Array, Array]:
        """Return ``reference.loss.kl_divergence``."""
        return definitions.kl_divergence(outputs, targets)
