"""The default loss for a network and its targets."""

from __future__ import annotations

import math
from functools import cache

import numpy as np

from striate.data.dataset import Dataset
from striate.layers.activation import SOFTMAXES, Activation, Identity, Sigmoid
from striate.losses.base import Loss
from striate.losses.binary import BinaryCrossEntropy
from striate.losses.cross_entropy import CrossEntropy
from striate.losses.interpretation import CLASSES, NUMBERS
from striate.losses.regression import MeanSquaredError
from striate.losses.shares import SUM_TOLERANCE, SoftCrossEntropy
from striate.losses.targets import are_numbers_of_classes
from striate.network import Network


def usual_loss(dataset: Dataset, before: Loss | None = None) -> Loss:
    """Return the default loss for the targets of ``dataset``.

    That is the cross-entropy for class numbers, the binary one for several labels of 0 or 1, the mean squared error
    for other numbers. A model that was trained with the loss ``before`` keeps it where it can learn such targets.
    """
    classes = are_numbers_of_classes(dataset.targets)
    if before is not None:
        keeps_classes = before.task != "regression" and type(before.for_targets(dataset.targets)) is type(before)
        fits = keeps_classes if classes else not before.takes_class_numbers
        if fits:
            return before
    if classes:
        return CrossEntropy()
    return BinaryCrossEntropy() if are_labels(dataset.targets) else MeanSquaredError()


def resolve_loss(network: Network, dataset: Dataset, before: Loss | None = None) -> Loss:
    """Return the default loss for ``dataset``, or the one that the last layer of ``network`` implies.

    Class numbers are learnt with the binary cross-entropy by a network that ends in a Sigmoid or has one output.
    That output, and labels, are learnt as numbers by a network that ends in another activation, which no binary
    cross-entropy reads. Shares of classes, such as one-hot labels, are learnt with the cross-entropy by a network
    that ends in a Softmax.
    """
    usual, last = usual_loss(dataset, before), network.steps[-1].layer
    if isinstance(usual, CrossEntropy) and (isinstance(last, Sigmoid) or _tells_two_apart(network, dataset)):
        usual = BinaryCrossEntropy()
    if before is None and isinstance(last, SoftCrossEntropy.absorbs) and are_shares(dataset.targets):
        return SoftCrossEntropy()
    bent = isinstance(last, Activation) and not isinstance(last, Identity | Sigmoid)
    return MeanSquaredError() if before is None and isinstance(usual, BinaryCrossEntropy) and bent else usual


def _tells_two_apart(network: Network, dataset: Dataset) -> bool:
    """Return whether a single output, not followed by a Softmax, can learn the class numbers 0 and 1."""
    single = math.prod(network.output_shape) == 1 and not isinstance(network.steps[-1].layer, SOFTMAXES)
    return single and len(dataset.classes) <= 2 and bool((dataset.targets <= 1).all())


def are_labels(targets: np.ndarray) -> bool:
    """Return whether targets are several labels for each sample, each on (1) or off (0)."""
    several = targets.ndim > 1 and targets.shape[1] > 1 and not are_numbers_of_classes(targets)
    return several and bool(np.isin(targets, (0, 1)).all())


def are_shares(targets: np.ndarray) -> bool:
    """Return whether targets are shares of classes: rows of several numbers from 0 that sum to 1."""
    rows = targets.ndim == 2 and targets.shape[1] > 1 and bool((targets >= 0).all())
    return rows and np.allclose(targets.sum(axis=1), 1.0, atol=SUM_TOLERANCE)


def assumed_loss(network: Network, kind: str) -> Loss:
    """Return the loss by which outputs are interpreted if it is not known how the network was trained."""
    if kind == NUMBERS:
        return _plain(MeanSquaredError)
    single = network.output_shape[0] == 1
    if kind != CLASSES or single or isinstance(network.steps[-1].layer, Sigmoid):
        return _plain(BinaryCrossEntropy)
    return _plain(CrossEntropy)


@cache
def _plain(loss: type[Loss]) -> Loss:
    """Return the loss without options, made once: making it takes longer than a small network."""
    return loss()
