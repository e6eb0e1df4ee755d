"""The result of testing a model on a data set."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from striate.data.dataset import Dataset
from striate.errors import UsageError
from striate.losses import CLASSES, LABELS, NUMBERS, Loss, is_on, usual_names
from striate.losses.targets import are_numbers_of_classes
from striate.model.sample_losses import sample_losses

Metric = Callable[[np.ndarray, np.ndarray], float]
"""A metric of your own: a function of outputs and targets."""


@dataclass(frozen=True, eq=False)
class ClassScores:
    """How well each class is recognised; 0 where a class was never predicted, or has no samples.

    Parameters
    ----------
    precision, recall, f1, iou : float64[K]
        The intersection over union is the share of right samples among all that are, or were called, of a class.
    support, called : number[K]
        Samples of each class, and those that were predicted to be of it, or the sums of their weights.
    """

    precision: np.ndarray
    recall: np.ndarray
    f1: np.ndarray
    iou: np.ndarray
    support: np.ndarray
    called: np.ndarray

    @classmethod
    def of(cls, confusion: np.ndarray) -> ClassScores:
        """Return the scores of a confusion matrix, number[K, K]: a row for each true class."""
        right, support, called = confusion.diagonal(), confusion.sum(axis=1), confusion.sum(axis=0)
        either = support + called
        precision, recall = _share(right, called), _share(right, support)
        return cls(precision, recall, _share(2 * right, either), _share(right, either - right), support, called)

    @property
    def balanced_accuracy(self) -> float:
        """The mean recall of the classes that have samples."""
        return float(self.recall[self.support > 0].mean())

    @property
    def occurs(self) -> np.ndarray:
        """Which classes have samples or were predicted, bool[K]: means are over these."""
        return np.asarray(self.support + self.called > 0)

    @property
    def macro_f1(self) -> float:
        """The mean F1 of the classes that occur."""
        return float(self.f1[self.occurs].mean())

    @property
    def mean_iou(self) -> float:
        """The mean intersection over union of the classes that occur."""
        return float(self.iou[self.occurs].mean())

    @property
    def is_unbalanced(self) -> bool:
        """Whether one class has more than twice as many samples as another."""
        return int(self.support.max()) > 2 * int(self.support.min())


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Return ``part / whole``, or 0 where ``whole`` is 0."""
    return np.asarray(np.divide(part, whole, out=np.zeros(np.shape(part)), where=whole > 0))


@dataclass(frozen=True, eq=False, repr=False)
class Evaluation:
    """The result of a model on a data set.

    Parameters
    ----------
    loss : float
        Mean over the samples.
    accuracy : float or None
        Share of samples classified rightly, or of labels; None for regression.
    classes : tuple of str
    confusion : int64[K, K] or None
        Samples of the class of the row that were called the class of the column; None where there are no classes.
    outputs : float32[N, K]
        Probabilities of classes or labels, or the numbers of a regression.
    targets : int64[N] or float32[N, T]
        Samples with an ignored label are left out.
    losses : float64[N]
        The loss of each sample.
    loss_name : str
        Which loss that is.
    variances : float32[N, T] or None
        Of each number, for a network that learns them.
    samples : int64[N]
        Where each row stands in the data set; ignored labels are left out, and a class map has a row for each
        position.
    metrics : dict of str to float
        Metrics of the user's own.
    target_names : tuple of str
        What the numbers of a regression are called.
    """

    loss: float
    accuracy: float | None
    classes: tuple[str, ...]
    confusion: np.ndarray | None = field(repr=False)
    outputs: np.ndarray = field(repr=False)
    targets: np.ndarray = field(repr=False)
    losses: np.ndarray = field(repr=False)
    loss_name: str = "cross_entropy"
    variances: np.ndarray | None = field(default=None, repr=False)
    samples: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64), repr=False)
    metrics: dict[str, float] = field(default_factory=dict)
    target_names: tuple[str, ...] = ()

    def __repr__(self) -> str:
        accuracy = "" if self.accuracy is None else f", accuracy {self.accuracy:.4f}"
        return f"<Evaluation of {len(self.targets):,} samples: {self.loss_name} {self.loss:.4g}{accuracy}>"

    def _repr_html_(self) -> str:
        """Return the metrics and the confusion matrix, or predictions against the truth, for notebooks."""
        from striate.drawing.html import element
        from striate.drawing.notebook import shown
        from striate.drawing.svg import confusion, scatter

        heading = element("p", repr(self)[1:-1])
        if self.confusion is not None:
            return shown(heading, confusion(self.confusion, self.classes))
        if self.kind == LABELS:
            return shown(heading)
        true = np.asarray(self.targets).reshape(len(self.targets), -1)
        return shown(heading, scatter("predicted", "true", true[:, 0], self.outputs[:, 0]))

    @property
    def kind(self) -> str:
        """What the targets are: "classes", "labels" or "numbers"."""
        if self.confusion is not None:
            return CLASSES
        return NUMBERS if self.accuracy is None else LABELS

    @property
    def is_map(self) -> bool:
        """Whether there is a class for each position of a sample; then each row is a position."""
        return self.confusion is not None and bool((np.diff(self.samples) == 0).any())

    def with_metrics(self, metrics: Mapping[str, Metric]) -> Evaluation:
        """Return the evaluation with further metrics, functions of ``outputs`` and ``targets`` by name.

        Raises
        ------
        UsageError
            If one returns no number.
        """
        if not isinstance(metrics, Mapping):
            got = type(metrics).__name__
            raise UsageError(f"metrics: must be functions by name, such as {{'mine': function}}; got {got}.")
        found = {name: _number(name, function(self.outputs, self.targets)) for name, function in metrics.items()}
        return replace(self, metrics={**self.metrics, **found}) if found else self

    def worst_pairs(self, count: int = 5) -> list[tuple[str, str, int]]:
        """Return the classes confused most often, as (true, predicted, samples), at most ``count``."""
        if self.confusion is None:
            return []
        wrong = self.confusion.copy()
        np.fill_diagonal(wrong, 0)
        order = np.argsort(-wrong, axis=None, kind="stable")[:count]
        pairs = [divmod(int(place), len(wrong)) for place in order]
        return [(self.classes[t], self.classes[p], int(wrong[t, p])) for t, p in pairs if wrong[t, p]]

    @property
    def by_class(self) -> ClassScores:
        """Precision, recall and F1 of every class.

        Raises
        ------
        UsageError
            If the evaluation is not one of classes.
        """
        if self.confusion is None:
            raise UsageError(f"scores by class: need classes; got {self.kind}. Use the metrics for those.")
        return ClassScores.of(self.confusion)

    @property
    def never_predicted(self) -> list[str]:
        """The classes that have samples, none of which, nor any other, was taken for one of theirs."""
        if self.confusion is None:
            return []
        missed = (self.confusion.sum(axis=1) > 0) & (self.confusion.sum(axis=0) == 0)
        return [name for name, is_missed in zip(self.classes, missed, strict=False) if is_missed]

    def mistakes(self) -> np.ndarray:
        """Return the samples classified wrongly, int64[M], the most confident mistake first."""
        if self.confusion is None:
            return np.zeros(0, np.int64)
        predicted = self.outputs.argmax(axis=1)
        wrong = np.flatnonzero(predicted != self.targets)
        confidence = self.outputs[wrong, predicted[wrong]]
        return wrong[np.argsort(-confidence, kind="stable")]


def evaluation(
    scores: np.ndarray,
    dataset: Dataset,
    classes: tuple[str, ...],
    loss: str | Loss,
    weights: np.ndarray | None = None,
) -> Evaluation:
    """Return the evaluation of a network's outputs for every sample of ``dataset``.

    Parameters
    ----------
    scores : float32[N, *shape]
        What the loss reads: the outputs before a last layer that it absorbs (``Model.scores``).
    classes : tuple of str
        The model's names for its outputs; the data set's, or numbers, if there are none.
    loss : str or Loss
        Says what the targets are and is reported.
    weights : float[N], optional
        How much each sample counts in loss and accuracy.
    """
    loss, targets = Loss.of(loss), dataset.targets
    losses = sample_losses(loss, scores, targets)
    total = loss.mean(losses, targets, weights)
    kind = loss.kind(targets, scores.shape[1:])
    found = loss.interpret(scores, None, kind)
    if kind == NUMBERS:
        numbers, rows = found.values, np.arange(len(losses))
        titles = dataset.target_names or usual_names(kind, numbers.shape[1])
        whole = Evaluation(total, None, (), None, numbers, targets, losses, loss.name, found.variances, rows)
        return replace(whole, target_names=titles)
    names = classes or dataset.classes or usual_names(kind, found.values.shape[1])
    if kind == LABELS:
        shares = found.probabilities
        right = is_on(shares) == is_on(targets.reshape(shares.shape))
        accuracy = float(np.average(right.reshape(len(right), -1).mean(axis=1), weights=weights))
        rows = np.arange(len(losses))
        return Evaluation(total, accuracy, names, None, shares, targets, losses, loss.name, None, rows)
    return _of_classes(total, losses, found.probabilities, dataset, names, loss, weights)


def _of_classes(
    total: float,
    losses: np.ndarray,
    shares: np.ndarray,
    dataset: Dataset,
    names: tuple[str, ...],
    loss: Loss,
    weights: np.ndarray | None,
) -> Evaluation:
    """Return the evaluation of classes; each position of a class map that is not ignored is a row."""
    targets, count = dataset.targets, shares.shape[1]
    labels = targets if are_numbers_of_classes(targets) else targets.argmax(axis=1)
    positions = labels[0].size
    keep = loss.keeps(labels).ravel()
    labels = labels.ravel()[keep]
    shares = np.moveaxis(shares, 1, -1).reshape(-1, count)[keep]
    samples = np.repeat(np.arange(len(losses)), positions)[keep]
    losses = losses[samples]
    counting = None if weights is None else weights[samples]
    predicted = shares.argmax(axis=1)
    confusion = np.zeros((count, count), np.int64)
    np.add.at(confusion, (labels, predicted), 1)
    accuracy = float(np.average(predicted == labels, weights=counting))
    return Evaluation(total, accuracy, names, confusion, shares, labels, losses, loss.name, None, samples)


def _number(name: str, value: Any) -> float:
    """Return what a metric of the user returned; NaN is a number."""
    try:
        return float(value)
    except (TypeError, ValueError):
        got = f"an array of shape {list(value.shape)}" if isinstance(value, np.ndarray) else repr(value)
        raise UsageError(f"metrics: {name!r} must return a number; got {got}.") from None
