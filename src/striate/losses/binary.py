"""Binary cross-entropy of sigmoids, for labels that are on or off, or for two classes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from striate.data.dataset import Dataset
from striate.errors import UsageError
from striate.layers.activation import Sigmoid
from striate.layers.arguments import real
from striate.layers.base import Layer, Shape
from striate.losses.base import Array, Loss
from striate.losses.interpretation import CLASSES, LABELS, Interpretation, sigmoid, two_classes
from striate.losses.targets import check_classes, check_fractions, check_numbers, is_labelled, one_hot
from striate.network import Network
from striate.reference import loss as definitions


@dataclass(frozen=True)
class BinaryCrossEntropy(Loss):
    """Mean over the outputs of the cross-entropy of sigmoids; see ``reference.loss.binary_cross_entropy``.

    Targets are 0 to 1 for each output, float32[N, T, *space]; or class numbers, which a single output tells apart
    if there are two, and otherwise one output for each class.

    Parameters
    ----------
    label_smoothing : float
        Targets t become ``(1 - label_smoothing) * t + label_smoothing / 2``.
    pos_weight : float or sequence of float, optional
        How much a label that is on counts, for all labels or one for each: the ratio of off to on balances them.
    reduction : {"mean", "sum"}
    """

    name: ClassVar[str] = "binary_cross_entropy"
    absorbs: ClassVar[tuple[type[Layer], ...]] = (Sigmoid,)
    smooths: ClassVar[bool] = True
    ending: ClassVar[Layer | None] = Sigmoid()
    wants: ClassVar[str | None] = "logits or a Sigmoid"

    label_smoothing: float = 0.0
    pos_weight: float | Sequence[float] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        smoothing = real(self.label_smoothing, "label_smoothing", above=0, below=1, closed=True)
        object.__setattr__(self, "label_smoothing", smoothing)
        if self.pos_weight is not None:
            several = isinstance(self.pos_weight, Sequence | np.ndarray)
            weights = tuple(real(w, "pos_weight", above=0) for w in np.atleast_1d(self.pos_weight))
            object.__setattr__(self, "pos_weight", weights if several else weights[0])

    def reference(self, outputs: Array, targets: Array) -> tuple[Array, Array]:
        """Return ``reference.loss.binary_cross_entropy``."""
        return definitions.binary_cross_entropy(
            outputs,
            targets,
            label_smoothing=self.label_smoothing,
            pos_weight=self._weights(outputs.shape[1:]),
        )

    def prepare(self, targets: Array, shape: Shape) -> Array:
        """Return the targets; of class numbers a 1 for the class and 0 for the others."""
        return one_hot(targets, shape) if is_labelled(targets) else super().prepare(targets, shape)

    def kind(self, targets: Array, shape: Shape) -> str:
        """Return "classes" for class numbers, else "labels"."""
        return CLASSES if is_labelled(targets) else LABELS

    def interpret(self, outputs: Array, last: Layer | None, kind: str) -> Interpretation:
        """Return the sigmoid of each output; of two classes both probabilities."""
        shares = sigmoid(outputs, last)
        return Interpretation(kind, two_classes(shares) if kind == CLASSES and shares.shape[1] == 1 else shares)

    def check(self, network: Network, dataset: Dataset) -> None:
        """Raise a StriateError unless targets are classes, or from 0 to 1, and fit the outputs."""
        if is_labelled(dataset.targets):
            check_classes(network, dataset, dataset.targets, single=True)
        else:
            check_fractions(self, dataset, check_numbers(network, dataset))

    def output_count(self, dataset: Dataset) -> int:
        """Return 1 for two classes, else one for each class or label."""
        count = super().output_count(dataset)
        return 1 if count == 2 and is_labelled(dataset.targets) else count

    def target_count(self, shape: Shape) -> int:
        """Return the number of outputs; raises UsageError if the weights are of another number."""
        if isinstance(self.pos_weight, tuple) and len(self.pos_weight) != shape[0]:
            raise UsageError(
                f"pos_weight: needs one for each of the {shape[0]} outputs, or one for all; "
                f"got {len(self.pos_weight)}."
            )
        return math.prod(shape)

    def kernel(self, shape: Shape) -> str:
        """Return the kernel with options, or the plain one."""
        return (
            "label_loss.weighted_binary_cross_entropy" if self._has_options else "label_loss.binary_cross_entropy"
        )

    def numbers(self, shape: Shape) -> Array | None:
        """Return the label smoothing and the weight of every output."""
        if not self._has_options:
            return None
        weights = np.broadcast_to(self._weights(shape), shape)
        return np.concatenate([[self.label_smoothing], weights.ravel()]).astype(np.float32)

    def tells_right(self, kind: str, shape: Shape) -> bool:
        """Return whether answers are compared label by label; several classes are compared with each other."""
        return kind == LABELS or math.prod(shape) == 1

    @property
    def _has_options(self) -> bool:
        return self.label_smoothing > 0 or self.pos_weight is not None

    def _weights(self, shape: Shape) -> Array:
        """Return the weight of labels that are on, float64[T, 1, ...]."""
        weights = np.asarray(1.0 if self.pos_weight is None else self.pos_weight, np.float64)
        return np.broadcast_to(weights, shape[:1]).reshape(shape[0], *(1,) * (len(shape) - 1))
