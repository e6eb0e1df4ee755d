"""From the outputs of a network to probabilities and losses."""

from __future__ import annotations

import math

import numpy as np

from striate.data.dataset import Dataset
from striate.errors import ShapeError
from striate.layers.activation import Softmax
from striate.layers.base import format_shape
from striate.network import Network

TINY = float(np.finfo(np.float32).tiny)


def ends_in_softmax(network: Network) -> bool:
    """Return whether the outputs are probabilities already."""
    return isinstance(network.steps[-1].layer, Softmax)


def probabilities(network: Network, outputs: np.ndarray) -> np.ndarray:
    """Return class probabilities, float32[N, K]: the outputs, or their softmax where none ends the network."""
    if ends_in_softmax(network):
        return outputs
    powers = np.exp(outputs - outputs.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def sample_losses(network: Network, outputs: np.ndarray, targets: np.ndarray, loss: str) -> np.ndarray:
    """Return the loss of each sample, float64[N], from the network's outputs (float32[N, K])."""
    if loss == "mean_squared_error":
        errors = outputs.reshape(len(outputs), -1).astype(np.float64) - targets.reshape(len(outputs), -1)
        return np.asarray(np.mean(errors**2, axis=1))
    rows = np.arange(len(outputs))
    if ends_in_softmax(network):
        return np.asarray(-np.log(np.maximum(outputs[rows, targets].astype(np.float64), TINY)))
    shifted = outputs.astype(np.float64) - outputs.max(axis=1, keepdims=True)
    return np.asarray(np.log(np.exp(shifted).sum(axis=1)) - shifted[rows, targets])


def check_fit(network: Network, dataset: Dataset, loss: str) -> None:
    """Raise ShapeError unless the samples and targets of ``dataset`` fit ``network``."""
    if dataset.sample_shape != network.input_shape:
        raise ShapeError(
            f"{network.name}: takes samples of {format_shape(network.input_shape)}; "
            f"got {format_shape(dataset.sample_shape)} from {dataset.name}. "
            "Build the network for this input, or resize the samples."
        )
    outputs, last = math.prod(network.output_shape), network.steps[-1].name
    if loss == "cross_entropy":
        classes = max(len(dataset.classes), int(dataset.targets.max()) + 1)
        if outputs < classes:
            raise ShapeError(
                f"{network.name}: needs an output for each of the {classes} classes of {dataset.name}; "
                f"got {outputs} from {last}. Build the network for {classes} classes."
            )
        return
    wanted = math.prod(dataset.targets.shape[1:])
    if outputs != wanted:
        raise ShapeError(
            f"{network.name}: needs as many outputs as {dataset.name} has targets, {wanted}; "
            f"got {outputs} from {last}. Build the network for {wanted}."
        )
