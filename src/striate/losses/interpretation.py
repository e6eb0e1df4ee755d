"""What the outputs of a network mean: probabilities of classes or labels, or numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from striate.errors import UsageError
from striate.layers.activation import Sigmoid, Softmax
from striate.layers.base import Layer

CLASSES, LABELS, NUMBERS = "classes", "labels", "numbers"
"""What targets are: one class for each sample (or position); several labels, each on or off; numbers."""


@dataclass(frozen=True, eq=False)
class Interpretation:
    """The meaning of a network's outputs.

    Parameters
    ----------
    kind : {"classes", "labels", "numbers"}
    values : float32[N, K, *space]
        The probability of each class or label, or the numbers.
    variances : float32[N, K] or None
        Of each number, where the network learnt them.
    logarithms : bool
        Whether the outputs are logarithms of the numbers.
    """

    kind: str
    values: np.ndarray = field(repr=False)
    variances: np.ndarray | None = field(default=None, repr=False)
    logarithms: bool = False

    @property
    def probabilities(self) -> np.ndarray:
        """The probability of each class or label, float32[N, K, *space].

        Raises
        ------
        UsageError
            If the outputs are numbers.
        """
        if self.kind == NUMBERS:
            raise UsageError("probabilities: need a model of classes or labels; got a regression. Use predictions.")
        return self.values

    @property
    def predictions(self) -> np.ndarray:
        """The class, int64[N, *space]; 1 or 0 for each label, int64[N, K, *space]; or the numbers, float32."""
        if self.kind == CLASSES:
            return np.asarray(self.values.argmax(axis=1), np.int64)
        return is_on(self.values).astype(np.int64) if self.kind == LABELS else self.values


def is_on(shares: np.ndarray) -> np.ndarray:
    """Return whether each label is on, bool in the shape of ``shares``: where its probability is a half or more."""
    return np.asarray(shares >= 0.5)


def labels_on(names: Sequence[str], shares: np.ndarray) -> list[str]:
    """Return the names of the labels of a sample that are on.

    Examples
    --------
    >>> labels_on(("cat", "dog"), np.array([0.7, 0.2]))
    ['cat']
    """
    return [name for name, on in zip(names, is_on(shares.ravel()), strict=False) if on]


def softmax(outputs: np.ndarray, last: Layer | None) -> np.ndarray:
    """Return class probabilities, float32[N, K, *space]: the outputs of a last Softmax, else their softmax."""
    if isinstance(last, Softmax):
        return outputs
    powers = np.exp(outputs - outputs.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float32)


def sigmoid(outputs: np.ndarray, last: Layer | None) -> np.ndarray:
    """Return the probability of each label, in the shape of ``outputs``: those of a Sigmoid, else the sigmoid."""
    if isinstance(last, Sigmoid):
        return outputs
    with np.errstate(over="ignore"):
        return np.asarray(1.0 / (1.0 + np.exp(-outputs)), np.float32)


def two_classes(positive: np.ndarray) -> np.ndarray:
    """Return the probabilities of both classes, float32[N, 2], from that of the second, float32[N, 1]."""
    return np.concatenate([1.0 - positive, positive], axis=1)


def usual_names(kind: str, count: int) -> tuple[str, ...]:
    """Return names for outputs without names: class numbers from 0, label and target numbers from 1.

    Examples
    --------
    >>> usual_names("labels", 2)
    ('label 1', 'label 2')
    """
    if kind == CLASSES:
        return tuple(map(str, range(count)))
    return tuple(f"{'label' if kind == LABELS else 'target'} {number}" for number in range(1, count + 1))
