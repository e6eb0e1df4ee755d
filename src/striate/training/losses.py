"""The loss of a training, and the form of the targets it reads."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from striate.data.augmentation import Augmentation, Mixup
from striate.data.augmentation.geometry import Geometric
from striate.data.dataset import Dataset
from striate.errors import UsageError
from striate.layers.base import Shape, format_shape
from striate.losses import LOSSES, NUMBERS, Loss, is_labelled
from striate.losses.choice import resolve_loss
from striate.model.fit import check_fit
from striate.network import Network

__all__ = ["LOSSES", "Loss", "Plan", "choose_loss", "metrics", "plan_targets"]


def choose_loss(
    network: Network, dataset: Dataset, loss: str | Loss | None = None, before: Loss | None = None
) -> Loss:
    """Return the loss to train with: the one asked for, else the default for network and targets.

    Raises
    ------
    UsageError
        If there is no such loss, or it cannot learn these targets.
    ShapeError
        If the network's output, or its input, does not fit the data set.
    """
    chosen = resolve_loss(network, dataset, before) if loss is None else Loss.of(loss)
    check_fit(network, dataset, chosen)
    return chosen


@dataclass(frozen=True, eq=False)
class Plan:
    """How the engine gets the targets of a training.

    Parameters
    ----------
    loss : Loss
        The loss that the engine computes.
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
    transforms = () if augmentation is None else augmentation.transforms
    mixed = any(isinstance(transform, Mixup) for transform in transforms)
    shape, targets = network.output_shape, dataset.targets
    for transform in transforms:
        if math.prod(shape[1:]) > 1 and isinstance(transform, Geometric | Mixup):
            raise UsageError(
                f"augmentation: {type(transform).__name__} changes samples but not the targets at their positions, "
                f"{format_shape(shape[1:])} of {dataset.name}. Leave it out."
            )
    own = getattr(loss, "label_smoothing", 0.0)
    if smoothing and own:
        raise UsageError(
            "label smoothing: must be given only once; got it in the regularisation and in the loss. Leave one out."
        )
    smoothing = smoothing or own
    loss = loss.for_shares() if mixed else loss
    if smoothing and (loss.kind(targets, shape) == NUMBERS or not (loss.smooths or is_labelled(targets))):
        raise UsageError(f"label smoothing: needs class numbers; {dataset.name} has other targets. Leave it out.")
    loss = loss.smoothed(smoothing) if smoothing else loss
    if loss.takes_class_numbers or not is_labelled(targets):
        return Plan(loss, targets)
    outputs = math.prod(shape)
    if outputs > 1:
        return Plan(loss, targets, outputs, 0.0 if loss.smooths else smoothing)
    return Plan(loss, targets.astype(np.float32)[:, np.newaxis])


def metrics(loss: Loss, kind: str, shape: Shape, validated: bool) -> tuple[str, ...]:
    """Return which metrics the epochs of a training have, of loss, accuracy, val_loss and val_accuracy."""
    own = ("loss", "accuracy") if loss.tells_right(kind, shape) else ("loss",)
    if not validated:
        return own
    return (*own, "val_loss") if kind == NUMBERS else (*own, "val_loss", "val_accuracy")
