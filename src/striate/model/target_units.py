"""Regression targets in the user's units and standardised for the network."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from striate.data.dataset import Dataset
from striate.data.normalisation import TINY, Normalisation
from striate.layers.activation import Activation, Identity
from striate.losses import Interpretation, Loss
from striate.model.evaluation import Evaluation
from striate.network import Network

MOST_TARGETS = 256
"""Regressions of more numbers, such as pictures, have them on one scale already."""


def fit_target_normalisation(
    network: Network, train: Dataset, loss: Loss, weights: np.ndarray | None = None
) -> Normalisation | None:
    """Return shift and scale of each regression target; None if the network learns them unchanged.

    These are mean and deviation; of counts 0 and the mean, by which they are divided. Targets are learnt unchanged
    by other losses, and if the last layer is an activation, which may be there to bound the outputs.
    """
    if not (loss.scale_free or loss.divisible):
        return None
    last = network.steps[-1].layer
    bounded = isinstance(last, Activation) and not isinstance(last, Identity)
    many = train.targets.ndim > 1 and train.targets.shape[1] > MOST_TARGETS
    if bounded or many:
        return None
    found = Normalisation.fit_targets(train, weights)
    if loss.scale_free:
        return found
    return Normalisation((0.0,) * len(found.mean), tuple(mean if mean > TINY else 1.0 for mean in found.mean))


def standardise(dataset: Dataset, normalisation: Normalisation) -> Dataset:
    """Return the data set with the targets that the network learns, float32[N, T]."""
    targets = dataset.targets.reshape(len(dataset), len(normalisation.mean), *dataset.targets.shape[2:])
    return replace(dataset, targets=normalisation.apply(targets, np.float64).astype(np.float32))


def in_user_units(found: Evaluation, dataset: Dataset, normalisation: Normalisation) -> Evaluation:
    """Return an evaluation on standardised targets with its numbers in the user's units.

    The losses stay those that the network was trained with, on standardised targets.
    """
    variances = found.variances
    return replace(
        found,
        outputs=normalisation.invert(found.outputs),
        targets=dataset.targets,
        variances=None if variances is None else scale_variances(variances, normalisation),
    )


def numbers_in_user_units(found: Interpretation, normalisation: Normalisation) -> Interpretation:
    """Return the numbers of a regression of standardised targets in the user's units."""
    variances = None if found.variances is None else scale_variances(found.variances, normalisation)
    return replace(found, values=normalisation.invert(found.values), variances=variances)


def of_outputs(found: Interpretation, normalisation: Normalisation, channels: int) -> tuple[np.ndarray, np.ndarray]:
    """Return scale and shift, float64[K], that turn each channel of outputs into the user's units.

    Where the network learnt variances, the other half of its outputs are their logarithms; where outputs are
    logarithms of numbers, they stay so.

    Parameters
    ----------
    found : Interpretation
        Of any outputs of the network.
    """
    if found.logarithms:
        return np.ones(channels), np.resize(np.log(normalisation.scale), channels)
    scale, mean = (np.ravel(np.asarray(values, np.float64)) for values in (normalisation.scale, normalisation.mean))
    if found.variances is None:
        return np.resize(scale, channels), np.resize(mean, channels)
    return np.concatenate([scale, np.ones_like(scale)]), np.concatenate([mean, 2 * np.log(scale)])


def scale_variances(variances: np.ndarray, normalisation: Normalisation) -> np.ndarray:
    """Return variances (float32[N, T]) in the square of the user's units."""
    return np.asarray(variances * np.square(normalisation.scale), np.float32)
