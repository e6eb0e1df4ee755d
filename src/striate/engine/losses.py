"""Losses as the engine runs them: which kernel, what it reads, what its targets are."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from striate.errors import ShapeError, UsageError, unknown_name
from striate.layers.activation import LogSoftmax, Sigmoid, Softmax
from striate.layers.arguments import choice, integer, real
from striate.layers.base import Layer, Shape, format_shape
from striate.network import Network

LOSSES = {
    "cross_entropy": "loss.softmax_cross_entropy",
    "soft_cross_entropy": "soft_loss.soft_cross_entropy",
    "binary_cross_entropy": "label_loss.binary_cross_entropy",
    "hinge": "label_loss.hinge",
    "mean_squared_error": "loss.mean_squared_error",
    "mean_absolute_error": "regression_loss.mean_absolute_error",
    "huber": "regression_loss.huber",
    "gaussian_negative_log_likelihood": "regression_loss.gaussian_negative_log_likelihood",
}
"""The kernel of each loss without options."""
LABELLED = ("cross_entropy", "hinge")
"""Losses whose targets are class numbers; others take one number, or several, for each sample."""
BEFORE: dict[str, tuple[type[Layer], ...]] = {
    "cross_entropy": (Softmax, LogSoftmax),
    "soft_cross_entropy": (Softmax, LogSoftmax),
    "binary_cross_entropy": (Sigmoid,),
}
"""Last layers that a loss contains already: it takes the logits before them."""
REDUCTIONS = ("mean", "sum")


@dataclass(frozen=True)
class Loss:
    """A loss with its options; see ``striate.reference.loss`` for the formulae.

    Parameters
    ----------
    name : str
        One of ``LOSSES``.
    label_smoothing : float
        For cross-entropy: this share of the truth is spread over all classes.
    class_weights : sequence of float, optional
        For cross-entropy, one for each class. The mean over a batch divides by the weights of its labels.
    ignored_index : int, optional
        For cross-entropy: samples with this label count nothing.
    delta : float
        For Huber's loss: where it turns from a square into a line.
    margin : float
        For the hinge loss.
    reduction : {"mean", "sum"}
        Whether a step follows the gradient of the mean over its batch, or of the sum.

    Raises
    ------
    UsageError
        If there is no such loss, or an option means nothing.
    """

    name: str
    label_smoothing: float = 0.0
    class_weights: Sequence[float] | None = None
    ignored_index: int | None = None
    delta: float = 1.0
    margin: float = 1.0
    reduction: str = "mean"

    def __post_init__(self) -> None:
        put = object.__setattr__
        choice(self.name, "loss", LOSSES)
        choice(self.reduction, f"{self.name}: reduction", REDUCTIONS)
        put(self, "label_smoothing", real(self.label_smoothing, "label_smoothing", above=0, below=1, closed=True))
        put(self, "delta", real(self.delta, "delta", above=0))
        put(self, "margin", real(self.margin, "margin", above=0))
        if self.ignored_index is not None:
            put(self, "ignored_index", integer(self.ignored_index, "ignored_index", minimum=-(2**24)))
        if self.class_weights is not None:
            weights = (real(w, "class_weights", above=0, closed=True) for w in self.class_weights)
            put(self, "class_weights", tuple(weights))
        if self._weighted and self.name != "cross_entropy":
            raise UsageError(
                f"{self.name}: label smoothing, class weights and an ignored index are options of cross-entropy; "
                "got one of them. Leave it out, or use cross_entropy."
            )

    @classmethod
    def of(cls, loss: str | Loss) -> Loss:
        """Return the loss of that name without options, or ``loss`` itself."""
        return loss if isinstance(loss, Loss) else cls(loss)

    @classmethod
    def from_description(cls, description: str | Mapping[str, Any]) -> Loss:
        """Return the loss that ``describe`` wrote; raises UsageError for what is not an option of a loss."""
        if isinstance(description, str):
            return cls(description)
        known = [field.name for field in dataclasses.fields(cls)]
        for key in description:
            if key not in known:
                raise unknown_name("loss: option", key, known)
        if "name" not in description:
            raise UsageError(f"loss: needs a name; got the options {', '.join(description)}. Add one.")
        return cls(**description)

    def describe(self) -> str | dict[str, Any]:
        """Return the name, or with options a dict of the name and those that are not the default (JSON types)."""
        changed: dict[str, Any] = {}
        for field in dataclasses.fields(self)[1:]:
            value = getattr(self, field.name)
            if value != field.default:
                changed[field.name] = list(value) if isinstance(value, tuple) else value
        return {"name": self.name, **changed} if changed else self.name

    @property
    def plain(self) -> bool:
        """Whether the loss of a batch is the plain mean over its samples."""
        return not self._weighted and self.reduction == "mean"

    @property
    def _weighted(self) -> bool:
        return self.label_smoothing > 0 or self.class_weights is not None or self.ignored_index is not None

    @property
    def kernel(self) -> str:
        """Which kernel computes it: "module.name"."""
        return "label_loss.weighted_cross_entropy" if self._weighted else LOSSES[self.name]

    def numbers(self, outputs: int) -> np.ndarray | None:
        """Return what the kernel takes as ``numbers`` for that many outputs, float32, or None if it takes none."""
        if self._weighted:
            ignored = math.nan if self.ignored_index is None else float(self.ignored_index)
            weights = self.class_weights or (1.0,) * outputs
            return np.array([self.label_smoothing, ignored, *weights], np.float32)
        one = {"huber": self.delta, "hinge": self.margin}
        return np.array([one[self.name]], np.float32) if self.name in one else None

    def reads(self, network: Network, output: str) -> str:
        """Return the value that the loss reads where ``output`` ends the network: the logits before a softmax."""
        step = network.step(output)
        contained = isinstance(step.layer, BEFORE.get(self.name, ()))
        return step.inputs[0] if contained else step.name

    def target_count(self, shape: Shape) -> int:
        """Return how many numbers the target of a sample has for outputs of ``shape``.

        Raises
        ------
        ShapeError
            If the loss cannot take such outputs.
        UsageError
            If there are not as many class weights as outputs.
        """
        outputs = math.prod(shape)
        if self.name in (*LABELLED, "soft_cross_entropy") and len(shape) > 1:
            raise ShapeError(
                f"{self.name}: needs one row of outputs for each sample; got {format_shape(shape)}. "
                "End the network in a Flatten or a Linear layer."
            )
        if self.class_weights is not None and len(self.class_weights) != outputs:
            raise UsageError(
                f"class_weights: needs one for each of the {outputs} classes; got {len(self.class_weights)}."
            )
        if self.name == "gaussian_negative_log_likelihood":
            if outputs % 2:
                raise ShapeError(
                    f"{self.name}: needs a mean and a logarithm of a variance for each target; "
                    f"got {outputs} outputs. Use an even number."
                )
            return outputs // 2
        return 1 if self.name in LABELLED else outputs

    def sample_weights(self, targets: np.ndarray) -> np.ndarray:
        """Return what each sample of a batch counts, float32[n], so that its loss is the mean over the batch.

        With the reduction "sum" each counts 1, or 0 if its label is ignored.
        """
        if not self._weighted:
            share = 1.0 if self.reduction == "sum" else 1.0 / len(targets)
            return np.full(len(targets), share, np.float32)
        counted = np.ones(len(targets))
        if self.ignored_index is not None:
            counted[targets == self.ignored_index] = 0.0
        if self.reduction == "sum":
            return counted.astype(np.float32)
        total = counted.sum()
        if self.class_weights is not None:
            labels = np.where(counted > 0, targets, 0).astype(np.int64)
            total = (np.asarray(self.class_weights)[labels] * counted).sum()
        return (counted / max(total, np.finfo(np.float32).tiny)).astype(np.float32)


@dataclass(frozen=True)
class Results:
    """What a loss reads and writes for every sample: its weight, its loss, whether it is classified rightly."""

    weights: np.ndarray
    losses: np.ndarray
    correct: np.ndarray
