"""How much each sample counts: class weights and sample weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from striate.data.dataset import Dataset
from striate.errors import DataError, UsageError, unknown_name
from striate.losses import is_labelled

ClassWeights = str | Mapping[str, float] | Sequence[float]
"""``"balanced"``, a weight for some classes by name, or one for each class in order."""


def class_weights(dataset: Dataset, weights: ClassWeights) -> np.ndarray:
    """Return one weight for each class, float64[K].

    ``"balanced"`` means ``N / (K * samples of the class)``, so that all classes count alike and the mean
    over the samples is 1; a class without samples gets 0.

    Raises
    ------
    UsageError
        If the weights are not those of the classes, or a weight is negative or not finite.

    References
    ----------
    King and Zeng (2001), "Logistic regression in rare events data"; scikit-learn's ``class_weight``.
    """
    if not is_labelled(dataset.targets):
        raise UsageError(
            f"class weights: need one class number for each sample; {dataset.name} has {_other_targets(dataset)}"
        )
    count = max(len(dataset.classes), int(dataset.targets.max()) + 1)
    if isinstance(weights, str):
        if weights != "balanced":
            raise unknown_name("class weights", weights, ["balanced"])
        counts = np.bincount(dataset.targets, minlength=count)
        present = counts > 0
        return np.where(present, len(dataset) / (present.sum() * np.maximum(counts, 1)), 0.0)
    if isinstance(weights, Mapping):
        for name in weights:
            if name not in dataset.classes:
                raise unknown_name("class weights: class", name, dataset.classes)
        listed = [weights.get(name, 1.0) for name in dataset.classes]
    else:
        listed = list(weights)
    if len(listed) != count:
        raise UsageError(f"class weights: need one for each of {count} classes; got {len(listed)}.")
    return check_weights(np.asarray(listed, np.float64), "class weights")


def _other_targets(dataset: Dataset) -> str:
    """Return what the targets of a data set are, and how such targets are weighted."""
    setting = 'Set loss = {{ name = "{}", {} = [1, ...] }} in a configuration file (--config).'
    if dataset.targets.dtype.kind != "f":
        return "one for each position. " + setting.format("cross_entropy", "class_weights")
    if dataset.classes:
        return "labels that are on or off. " + setting.format("binary_cross_entropy", "pos_weight")
    return "numbers. Use sample weights."


def sample_weights(
    dataset: Dataset, by_class: ClassWeights | None, by_sample: np.ndarray | None
) -> np.ndarray | None:
    """Return the weight of each sample, float32[N], or None if all are equal.

    Raises
    ------
    UsageError
        If a weight is negative or not finite.
    DataError
        If there is not one weight for each sample, or all are 0.
    """
    if by_class is None and by_sample is None:
        return None
    weights = np.ones(len(dataset)) if by_sample is None else np.asarray(by_sample, np.float64)
    check_weights(weights, "sample weights")
    if weights.shape != (len(dataset),):
        raise DataError(
            f"{dataset.name}: every sample needs one weight; got {list(weights.shape)} weights "
            f"for {len(dataset)} samples."
        )
    if by_class is not None:
        weights = weights * class_weights(dataset, by_class)[dataset.targets]
    if not weights.any():
        raise DataError(f"{dataset.name}: all samples have the weight 0; nothing can be learnt.")
    return weights.astype(np.float32)


def check_weights(weights: np.ndarray, what: str) -> np.ndarray:
    """Return ``weights``; raises UsageError unless all are finite and none is negative."""
    if not np.isfinite(weights).all() or weights.min(initial=0.0) < 0:
        raise UsageError(f"{what}: must be finite and not negative; got {weights.min():g} to {weights.max():g}.")
    return weights
