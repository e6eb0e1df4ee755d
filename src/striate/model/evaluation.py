"""How good a model is on a data set."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from striate.data.dataset import Dataset
from striate.model.outputs import probabilities, sample_losses
from striate.network import Network


@dataclass(frozen=True, eq=False)
class Evaluation:
    """The result of a model on a data set.

    Parameters
    ----------
    loss : float
        Mean over the samples.
    accuracy : float or None
        Share of samples classified rightly; None for regression.
    classes : tuple of str
    confusion : int64[K, K] or None
        Samples of the class of the row that were called the class of the column.
    outputs : float32[N, K]
        Class probabilities, or the outputs of a regression.
    targets : int64[N] or float32[N, T]
    losses : float64[N]
        The loss of each sample.
    """

    loss: float
    accuracy: float | None
    classes: tuple[str, ...]
    confusion: np.ndarray | None = field(repr=False)
    outputs: np.ndarray = field(repr=False)
    targets: np.ndarray = field(repr=False)
    losses: np.ndarray = field(repr=False)

    def worst_pairs(self, count: int = 5) -> list[tuple[str, str, int]]:
        """Return the classes confused most often, as (true, predicted, samples), at most ``count``."""
        if self.confusion is None:
            return []
        wrong = self.confusion.copy()
        np.fill_diagonal(wrong, 0)
        order = np.argsort(-wrong, axis=None, kind="stable")[:count]
        pairs = [divmod(int(place), len(wrong)) for place in order]
        return [(self.classes[t], self.classes[p], int(wrong[t, p])) for t, p in pairs if wrong[t, p]]

    def mistakes(self) -> np.ndarray:
        """Return the samples classified wrongly, int64[M], the most confident mistake first."""
        if self.confusion is None:
            return np.zeros(0, np.int64)
        predicted = self.outputs.argmax(axis=1)
        wrong = np.flatnonzero(predicted != self.targets)
        confidence = self.outputs[wrong, predicted[wrong]]
        return wrong[np.argsort(-confidence, kind="stable")]


def evaluation(
    network: Network, outputs: np.ndarray, dataset: Dataset, classes: tuple[str, ...], labelled: bool
) -> Evaluation:
    """Return the evaluation of what ``network`` computed for every sample of ``dataset``.

    Parameters
    ----------
    outputs : float32[N, *output_shape]
    classes : tuple of str
        The model's names for its outputs; the data set's, or numbers, if there are none.
    labelled : bool
        The targets are class numbers.
    """
    targets = dataset.targets
    losses = sample_losses(network, outputs, targets, "cross_entropy" if labelled else "mean_squared_error")
    if not labelled:
        rows = outputs.reshape(len(outputs), -1)
        return Evaluation(float(losses.mean()), None, (), None, rows, targets, losses)
    shares = probabilities(network, outputs)
    names = classes or dataset.classes or tuple(map(str, range(shares.shape[1])))
    predicted = shares.argmax(axis=1)
    confusion = np.zeros((shares.shape[1],) * 2, np.int64)
    np.add.at(confusion, (targets, predicted), 1)
    accuracy = float(np.mean(predicted == targets))
    return Evaluation(float(losses.mean()), accuracy, names, confusion, shares, targets, losses)
