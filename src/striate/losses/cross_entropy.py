"""Cross-entropy of a softmax with class numbers: one for each sample, or one at each position."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from striate.data.dataset import Dataset
from striate.data.options import Task
from striate.errors import DataError, ShapeError, UsageError
from striate.layers.activation import SOFTMAXES, Softmax
from striate.layers.arguments import integer, real
from striate.layers.base import Layer, Shape, format_shape
from striate.losses.base import Array, Loss
from striate.losses.interpretation import Interpretation, sigmoid, softmax, two_classes
from striate.losses.shares import SoftCrossEntropy
from striate.losses.targets import are_numbers_of_classes, check_classes, refuse_numbers
from striate.network import Network
from striate.reference import loss as definitions


@dataclass(frozen=True)
class CrossEntropy(Loss):
    """Negative log-likelihood of the true class; see ``reference.loss.softmax_cross_entropy``.

    With outputs [C, *space] the targets are a class at each position, int64[N, *space], and the loss of a sample
    is the mean over its positions (segmentation).

    Parameters
    ----------
    label_smoothing : float
        This share of the truth is spread over all classes.
    class_weights : sequence of float, optional
        One for each class. The mean over a batch divides by the weights of its labels.
    ignored_index : int, optional
        Samples, or positions, with this label count nothing.
    reduction : {"mean", "sum"}

    Examples
    --------
    >>> CrossEntropy(label_smoothing=0.1).describe()
    {'name': 'cross_entropy', 'label_smoothing': 0.1}
    """

    name: ClassVar[str] = "cross_entropy"
    absorbs: ClassVar[tuple[type[Layer], ...]] = SOFTMAXES
    smooths: ClassVar[bool] = True
    ending: ClassVar[Layer | None] = Softmax()
    task: ClassVar[Task | None] = "classification"
    takes_class_numbers: ClassVar[bool] = True

    label_smoothing: float = 0.0
    class_weights: Sequence[float] | None = None
    ignored_index: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        put = object.__setattr__
        put(self, "label_smoothing", real(self.label_smoothing, "label_smoothing", above=0, below=1, closed=True))
        if self.ignored_index is not None:
            put(self, "ignored_index", integer(self.ignored_index, "ignored_index", minimum=-(2**24)))
        if self.class_weights is not None:
            weights = (real(w, "class_weights", above=0, closed=True) for w in self.class_weights)
            put(self, "class_weights", tuple(weights))

    def reference(self, outputs: Array, targets: Array) -> tuple[Array, Array]:
        """Return ``reference.loss.softmax_cross_entropy``."""
        return definitions.softmax_cross_entropy(
            outputs,
            targets,
            class_weights=self._weights,
            label_smoothing=self.label_smoothing,
            ignored_index=self.ignored_index,
        )

    def prepare(self, targets: Array, shape: Shape) -> Array:
        """Return the class numbers."""
        return targets

    def interpret(self, outputs: Array, last: Layer | None, kind: str) -> Interpretation:
        """Return the softmax of the outputs; a single output gives two classes, the second with its sigmoid."""
        if outputs.shape[1] == 1:
            return Interpretation(kind, two_classes(sigmoid(outputs, last)))
        return Interpretation(kind, softmax(outputs, last))

    def check(self, network: Network, dataset: Dataset) -> None:
        """Raise a StriateError unless every label (other than the ignored one) is a class with an output."""
        targets, space = dataset.targets, network.output_shape[1:]
        if not are_numbers_of_classes(targets):
            raise refuse_numbers(self, dataset)
        if targets.shape[1:] != space:
            needs = f"class maps of {format_shape(space)}" if space else "one class for each sample"
            got, fix = "one class for each sample", "Change the network's last layers."
            if targets.ndim > 1:
                got = f"maps of {format_shape(targets.shape[1:])}"
            if targets.ndim == 2 and targets.shape[1] == 1 and not space:
                got, fix = f"an array of {len(targets)} x 1", "Give one axis: targets[:, 0]."
            raise ShapeError(
                f"{network.name}: outputs of {format_shape(network.output_shape)} need {needs}; "
                f"got {got} from {dataset.name}. {fix}"
            )
        labels = targets[targets != self.ignored_index]
        if not len(labels):
            raise DataError(
                f"{dataset.name}: needs labels other than the ignored one, {self.ignored_index}; got no others."
            )
        check_classes(network, dataset, labels)

    def target_count(self, shape: Shape) -> int:
        """Return the number of positions, 1 without space.

        Raises UsageError if the class weights are of another number.
        """
        if self.class_weights is not None and len(self.class_weights) != shape[0]:
            raise UsageError(
                f"class_weights: needs one for each of the {shape[0]} classes; got {len(self.class_weights)}."
            )
        return math.prod(shape[1:])

    def kernel(self, shape: Shape) -> str:
        """Return the kernel of positions, of options, or the plain one."""
        if len(shape) > 1:
            return "label_loss.position_cross_entropy"
        return "label_loss.weighted_cross_entropy" if self._is_weighted else "loss.softmax_cross_entropy"

    def numbers(self, shape: Shape) -> Array | None:
        """Return label smoothing, ignored label and class weights, with positions the classes before them."""
        if not self._is_weighted and len(shape) == 1:
            return None
        ignored = math.nan if self.ignored_index is None else float(self.ignored_index)
        found = [self.label_smoothing, ignored, *(self.class_weights or (1.0,) * shape[0])]
        return np.array(found if len(shape) == 1 else [shape[0], *found], np.float32)

    def tells_right(self, kind: str, shape: Shape) -> bool:
        """Return True: the kernel compares the largest output with the class."""
        return True

    def counts(self, targets: Array) -> Array:
        """Return the class weight of each sample, the mean over its positions; 0 for ignored labels."""
        return definitions.sample_weights(targets, self._weights, self.ignored_index)

    def keeps(self, labels: Array) -> Array:
        """Return which labels are not the ignored one."""
        return np.ones(labels.shape, bool) if self.ignored_index is None else labels != self.ignored_index

    def counted(self, targets: Array) -> Array:
        """Return the share of the positions of each sample whose label is not ignored."""
        return definitions.sample_weights(targets, None, self.ignored_index)

    @property
    def plain(self) -> bool:
        """Whether the loss of a batch is the plain mean over its samples."""
        return self.reduction == "mean" and not self._is_weighted

    def for_shares(self) -> Loss:
        """Return the cross-entropy with shares of classes."""
        if self.class_weights is not None or self.ignored_index is not None:
            raise UsageError(
                "mixup: cannot be combined with the class weights or the ignored index of a loss. Leave them out, "
                "or use sample weights."
            )
        return SoftCrossEntropy(reduction=self.reduction)

    @property
    def _is_weighted(self) -> bool:
        return self.label_smoothing > 0 or self.class_weights is not None or self.ignored_index is not None

    @property
    def _weights(self) -> Array | None:
        return None if self.class_weights is None else np.asarray(self.class_weights)
