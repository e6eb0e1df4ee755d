"""Checks of targets that several losses share."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from striate.data.dataset import Dataset
from striate.errors import DataError, ShapeError, UsageError
from striate.layers.base import Shape, format_shape
from striate.network import Network
from striate.reference.loss import check_labels

if TYPE_CHECKING:
    from striate.losses.base import Loss

Array = np.ndarray


def are_numbers_of_classes(targets: Array) -> bool:
    """Return whether targets are class numbers, int64[N] or int64[N, *space]."""
    return bool(np.issubdtype(targets.dtype, np.integer))


def is_labelled(targets: Array) -> bool:
    """Return whether targets are one class number for each sample, int64[N]."""
    return are_numbers_of_classes(targets) and targets.ndim == 1


def one_hot(targets: Array, shape: Shape) -> Array:
    """Return class numbers (int64[N]) as shares of outputs of ``shape``; as they are for a single output."""
    count = math.prod(shape)
    if count == 1:
        return np.asarray(targets.reshape(len(targets), *shape), np.float64)
    shares = targets[:, np.newaxis] == np.arange(count)
    return np.asarray(shares.reshape(len(targets), *shape), np.float64)


def check_row(loss: Loss, shape: Shape) -> None:
    """Raise ShapeError unless outputs are one row for each sample."""
    if len(shape) > 1:
        raise ShapeError(
            f"{loss.name}: needs one row of outputs for each sample; got {format_shape(shape)}. "
            "End the network in a Flatten or a Linear layer."
        )


def check_classes(network: Network, dataset: Dataset, labels: Array, *, single: bool = False) -> None:
    """Check class numbers against the outputs of a network.

    Parameters
    ----------
    labels : int64[n]
    single : bool
        A single output can tell two classes apart.

    Raises
    ------
    ShapeError
        If they do not fit.
    """
    outputs = network.output_shape[0]
    classes = max(len(dataset.classes), int(labels.max()) + 1)
    if outputs < classes and not (outputs == 1 and classes <= 2 and single):
        raise ShapeError(
            f"{network.name}: needs an output for each of the {classes} classes of {dataset.name}; "
            f"got {outputs} from {network.steps[-1].name}. Build the network for {classes} classes."
        )
    check_labels(labels, max(outputs, 2))


def check_numbers(network: Network, dataset: Dataset, *, outputs_each: int = 1, meaning: str = "") -> Array:
    """Check targets that are numbers against the outputs of a network; return them as float[N, T].

    Parameters
    ----------
    outputs_each : int
        How many outputs a number needs.
    meaning : str
        What these are.
    """
    targets, outputs = math.prod(dataset.targets.shape[1:]), math.prod(network.output_shape)
    wanted = outputs_each * targets
    if outputs != wanted:
        needs = f"{wanted} outputs, {meaning}," if meaning else "as many outputs"
        classes = targets == 1 and bool((dataset.targets == np.rint(dataset.targets)).all())
        hint = ", or give class numbers as whole numbers: y.astype(int)" if classes else ""
        raise ShapeError(
            f"{network.name}: needs {needs} as {dataset.name} has targets, {targets}; "
            f"got {outputs} from {network.steps[-1].name}. Build the network for {wanted}{hint}."
        )
    values = dataset.targets.reshape(len(dataset), -1)
    if not np.isfinite(values).all():
        raise DataError(f"{dataset.name}: targets must be numbers; got NaN or infinity. Leave these samples out.")
    return values


def check_fractions(loss: Loss, dataset: Dataset, values: Array) -> None:
    """Raise DataError unless all targets are from 0 to 1."""
    wrong = values[(values < 0) | (values > 1)]
    if len(wrong):
        raise DataError(f"{dataset.name}: {loss.name} needs targets from 0 to 1; got {wrong[0]:g}. Rescale them.")


def refuse_numbers(loss: Loss, dataset: Dataset) -> UsageError:
    """Return the error for a loss of class numbers with other targets."""
    return UsageError(
        f"{loss.name}: needs class numbers; {dataset.name} has other targets. Use a loss of numbers, such as "
        "mean_squared_error."
    )


def refuse_classes(loss: Loss, dataset: Dataset, learns: str) -> UsageError:
    """Return the error for a loss of ``learns`` with class numbers."""
    return UsageError(f"{loss.name}: needs {learns}; {dataset.name} has classes. Use cross_entropy.")
