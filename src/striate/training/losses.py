"""Which loss a training follows, and what it reads of the targets."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

import numpy as np

from striate.data.augmentation import Augmentation, Mixup
from striate.data.dataset import Dataset
from striate.engine.losses import LABELLED, LOSSES, Loss
from striate.errors import UsageError
from striate.layers.activation import Sigmoid
from striate.model.fit import check_fit
from striate.model.outputs import LABELS, NUMBERS, is_labelled, target_kind
from striate.network import Network

__all__ = ["LOSSES", "Loss", "Plan", "choose_loss", "counts_right", "figures", "plan_targets"]


def choose_loss(
    network: Network, dataset: Dataset, loss: str | Loss | None = None, before: Loss | None = None
) -> Loss:
    """Return the loss to train with: the one asked for, else what network and targets call for.

    A model that learnt with the loss ``before`` goes on with it where it can learn these targets. Else class
    numbers are learnt with the cross-entropy, or with the binary one by a network that ends in a Sigmoid; other
    targets with the mean squared error.

    Raises
    ------
    UsageError
        If there is no such loss, or it cannot learn these targets.
    ShapeError
        If the network's output, or its input, does not fit the data set.
    """
    usual = usual_loss(dataset, before)
    if usual.name == "cross_entropy" and isinstance(network.steps[-1].layer, Sigmoid):
        usual = Loss("binary_cross_entropy")
    chosen = usual if loss is None else Loss.of(loss)
    check_fit(network, dataset, chosen)
    return chosen


def usual_loss(dataset: Dataset, before: Loss | None = None) -> Loss:
    """Return the cross-entropy for class numbers, the mean squared error for others, or the loss of ``before``."""
    of_classes = is_labelled(dataset.targets)
    if before is not None and before.name in (_FOR_CLASSES if of_classes else _FOR_NUMBERS):
        return before
    return Loss("cross_entropy" if is_labelled(dataset.targets) else "mean_squared_error")


_FOR_CLASSES = (*LABELLED, "binary_cross_entropy")
_FOR_NUMBERS = tuple(name for name in LOSSES if name not in LABELLED)


@dataclass(frozen=True, eq=False)
class Plan:
    """How the engine gets the targets of a training.

    Parameters
    ----------
    loss : Loss
        That the engine computes.
    targets : int64[N] or float32[N, T]
    shares : int
        The number of classes if class numbers are handed over as one share for each class, else 0.
    smoothing : float
        The part of such shares that is spread over all classes.
    """

    loss: Loss
    targets: np.ndarray
    shares: int = 0
    smoothing: float = 0.0


def plan_targets(
    network: Network, dataset: Dataset, loss: Loss, smoothing: float, augmentation: Augmentation | None
) -> Plan:
    """Return how the engine gets the targets of ``dataset`` for a loss that fits it.

    Raises
    ------
    UsageError
        If label smoothing or mixup cannot go with the loss.
    """
    mixed = augmentation is not None and any(isinstance(t, Mixup) for t in augmentation.transforms)
    outputs, targets = math.prod(network.output_shape), dataset.targets
    if smoothing and loss.label_smoothing:
        raise UsageError(
            "label smoothing: is given once; got it in the regularisation and in the loss. Leave one out."
        )
    if smoothing and (not is_labelled(targets) or target_kind(loss, targets, outputs) == NUMBERS):
        raise UsageError(f"label smoothing: needs class numbers; {dataset.name} has other targets. Leave it out.")
    if loss.name == "hinge" and (smoothing or mixed):
        raise UsageError(
            "hinge: learns one class for each sample; got mixup or label smoothing. Use cross_entropy."
        )
    if loss.name == "cross_entropy":
        return _cross_entropy(loss, targets, smoothing, outputs, mixed)
    if loss.name not in LABELLED and is_labelled(targets):
        return _as_numbers(loss, targets, smoothing, outputs)
    return Plan(loss, targets)


def _cross_entropy(loss: Loss, targets: np.ndarray, smoothing: float, outputs: int, mixed: bool) -> Plan:
    if not mixed:
        return Plan(dataclasses.replace(loss, label_smoothing=smoothing or loss.label_smoothing), targets)
    if loss.class_weights is not None or loss.ignored_index is not None:
        raise UsageError(
            "mixup: blends the shares of classes; got a loss with class weights or an ignored index. Leave them "
            "out, or weigh samples."
        )
    soft = Loss("soft_cross_entropy", reduction=loss.reduction)
    return Plan(soft, targets, outputs, smoothing or loss.label_smoothing)


def _as_numbers(loss: Loss, targets: np.ndarray, smoothing: float, outputs: int) -> Plan:
    """Hand class numbers to a loss of numbers: a share for each output, or the number itself for a single one."""
    if outputs > 1:
        return Plan(loss, targets, outputs, smoothing)
    numbers = targets.astype(np.float32)[:, np.newaxis]
    if smoothing:
        numbers = numbers * np.float32(1.0 - smoothing) + np.float32(smoothing / 2)
    return Plan(loss, numbers)


def figures(loss: Loss, train: Dataset, kind: str, outputs: int, validated: bool) -> tuple[str, ...]:
    """Return which figures the epochs of a training have, of loss, accuracy, val_loss and val_accuracy."""
    own = ("loss", "accuracy") if counts_right(loss, train, outputs) else ("loss",)
    if not validated:
        return own
    return (*own, "val_loss") if kind == NUMBERS else (*own, "val_loss", "val_accuracy")


def counts_right(loss: Loss, dataset: Dataset, outputs: int) -> bool:
    """Return whether the engine tells which samples it got right while it trains."""
    if target_kind(loss, dataset.targets, outputs) == LABELS:
        return outputs == 1  # of several labels it tells only whether all are right
    return loss.name in (*LABELLED, "soft_cross_entropy") or (loss.name == "binary_cross_entropy" and outputs == 1)
