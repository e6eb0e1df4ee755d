"""Whether a data set fits a network and its loss."""

from __future__ import annotations

import math

import numpy as np

from striate.data.dataset import Dataset
from striate.engine.losses import LABELLED, Loss
from striate.errors import DataError, ShapeError, UsageError
from striate.layers.base import format_shape
from striate.model.outputs import GAUSSIAN, check_ending, is_labelled
from striate.model.sample_losses import counted
from striate.network import Network
from striate.reference.loss import check_labels

SINGLE = ("binary_cross_entropy", "hinge")
"""Losses that tell two classes apart by a single output."""


def check_fit(network: Network, dataset: Dataset, loss: str | Loss) -> None:
    """Check samples and targets of ``dataset`` against a network and the loss it is trained with.

    Raises
    ------
    ShapeError
        If the input or the number of outputs does not fit.
    UsageError
        If the loss cannot learn such targets, or such a network.
    DataError
        If a target is beyond what the loss can take.
    """
    loss = Loss.of(loss)
    if dataset.sample_shape != network.input_shape:
        raise ShapeError(
            f"{network.name}: takes samples of {format_shape(network.input_shape)}; "
            f"got {format_shape(dataset.sample_shape)} from {dataset.name}. "
            "Build the network for this input, or resize the samples."
        )
    outputs = math.prod(network.output_shape)
    if not is_labelled(dataset.targets):
        _check_numbers(network, dataset, loss, outputs)
    elif loss.name == "soft_cross_entropy":
        raise UsageError(
            f"{loss.name}: learns shares of classes; {dataset.name} has class numbers. Use cross_entropy."
        )
    elif outputs > 1 or loss.name in (*LABELLED, *SINGLE):
        _check_classes(network, dataset, loss, outputs)
    check_ending(network, loss)


def _check_classes(network: Network, dataset: Dataset, loss: Loss, outputs: int) -> None:
    labels = dataset.targets[counted(loss, dataset.targets)]
    if not len(labels):
        raise DataError(
            f"{dataset.name}: needs labels that count; got {loss.ignored_index}, the ignored one, alone."
        )
    classes = max(len(dataset.classes), int(labels.max()) + 1)
    if loss.name == GAUSSIAN:
        raise UsageError(f"{loss.name}: learns numbers; {dataset.name} has classes. Use cross_entropy.")
    if outputs < classes and not (outputs == 1 and classes <= 2 and loss.name in SINGLE):
        raise ShapeError(
            f"{network.name}: needs an output for each of the {classes} classes of {dataset.name}; "
            f"got {outputs} from {network.steps[-1].name}. Build the network for {classes} classes."
        )
    check_labels(labels, max(outputs, 2))


def _check_numbers(network: Network, dataset: Dataset, loss: Loss, outputs: int) -> None:
    if loss.name in LABELLED:
        raise UsageError(
            f"{loss.name}: learns class numbers; {dataset.name} has other targets. Use a loss of numbers, such as "
            "mean_squared_error."
        )
    targets = math.prod(dataset.targets.shape[1:])
    wanted = 2 * targets if loss.name == GAUSSIAN else targets
    if outputs != wanted:
        means = ", a mean and a logarithm of a variance for each," if loss.name == GAUSSIAN else ""
        raise ShapeError(
            f"{network.name}: needs {f'{wanted} outputs{means}' if means else 'as many outputs'} as "
            f"{dataset.name} has targets, {targets}; "
            f"got {outputs} from {network.steps[-1].name}. Build the network for {wanted}."
        )
    values = dataset.targets.reshape(len(dataset), -1)
    if not np.isfinite(values).all():
        raise DataError(f"{dataset.name}: targets must be numbers; got NaN or infinity. Leave these samples out.")
    if loss.name in ("binary_cross_entropy", "soft_cross_entropy") and not ((values >= 0) & (values <= 1)).all():
        wrong = values[(values < 0) | (values > 1)][0]
        raise DataError(f"{dataset.name}: {loss.name} learns targets from 0 to 1; got {wrong:g}. Rescale them.")
    if loss.name == "soft_cross_entropy" and not np.allclose(values.sum(axis=1), 1.0, atol=1e-3):
        raise DataError(f"{dataset.name}: the shares of the classes of a sample sum to 1; got another sum.")
