"""Losses by name, and which one a network wants."""

from __future__ import annotations

import numpy as np

from striate.data.dataset import Dataset
from striate.errors import unknown_name
from striate.model.outputs import check_fit
from striate.network import Network

LOSSES = ("cross_entropy", "mean_squared_error")
"""The names that a trainer takes."""


def choose_loss(network: Network, dataset: Dataset, loss: str | None = None) -> str:
    """Return the loss to train with: the one asked for, else what the targets call for.

    Class numbers are learnt with cross-entropy, other targets with the mean squared error.

    Raises
    ------
    UsageError
        If there is no such loss.
    ShapeError
        If the network's output, or its input, does not fit the data set.
    """
    if loss is not None and loss not in LOSSES:
        raise unknown_name("loss", loss, LOSSES)
    labelled = np.issubdtype(dataset.targets.dtype, np.integer)
    chosen = loss or ("cross_entropy" if labelled else "mean_squared_error")
    check_fit(network, dataset, chosen)
    return chosen
