"""Whether a data set fits a network and its loss."""

from __future__ import annotations

from striate.data.dataset import Dataset
from striate.errors import ShapeError
from striate.layers.base import format_shape
from striate.losses import Loss
from striate.network import Network


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
    loss.check(network, dataset)
    loss.check_ending(network)
