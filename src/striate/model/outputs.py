"""From the outputs of a network to what they mean: probabilities, classes, labels, numbers with variances."""

from __future__ import annotations

import numpy as np

from striate.engine.losses import Loss
from striate.errors import UsageError
from striate.layers.activation import LogSoftmax, Sigmoid, Softmax
from striate.network import Network

TINY = float(np.finfo(np.float32).tiny)
CLASSES, LABELS, NUMBERS = "classes", "labels", "numbers"
"""What targets are: one class for each sample; several labels, each on or off; numbers."""
GAUSSIAN = "gaussian_negative_log_likelihood"
REGRESSIONS = ("mean_squared_error", "mean_absolute_error", "huber", GAUSSIAN)


def ends_in_softmax(network: Network) -> bool:
    """Return whether the outputs are probabilities already."""
    return isinstance(network.steps[-1].layer, Softmax)


def is_labelled(targets: np.ndarray) -> bool:
    """Return whether targets are class numbers, int64[N]."""
    return bool(np.issubdtype(targets.dtype, np.integer)) and targets.ndim == 1


def target_kind(loss: Loss, targets: np.ndarray, outputs: int) -> str:
    """Return whether targets mean "classes", "labels" or "numbers" to a loss on so many outputs.

    Class numbers are classes to every loss, except that a regression with a single output takes them as numbers.
    """
    if loss.name in REGRESSIONS:
        return CLASSES if is_labelled(targets) and outputs > 1 and loss.name != GAUSSIAN else NUMBERS
    return LABELS if loss.name == "binary_cross_entropy" and not is_labelled(targets) else CLASSES


def probabilities(network: Network, outputs: np.ndarray, loss: Loss | None = None) -> np.ndarray:
    """Return class probabilities, float32[N, K].

    Outputs of a last Softmax are returned as they are, those of a LogSoftmax as their exponentials. A single
    output gives two classes, the second with its sigmoid. A network trained with the binary cross-entropy has
    a sigmoid for each class; one trained with a regression of the classes has its outputs, cut to 0 to 1.
    Others, such as the scores of a hinge loss, go through a softmax, which orders the classes but then need not
    be calibrated.

    Parameters
    ----------
    outputs : float32[N, K] or float32[N, 1]
    loss : Loss, optional
        That the network was trained with; the cross-entropy by default.
    """
    name = "cross_entropy" if loss is None else loss.name
    if outputs.shape[1] == 1:
        positive = np.clip(outputs, 0.0, 1.0) if name in REGRESSIONS else label_probabilities(network, outputs)
        return np.concatenate([1.0 - positive, positive], axis=1)
    if ends_in_softmax(network):
        return outputs
    if name == "binary_cross_entropy":
        return label_probabilities(network, outputs)
    if name in REGRESSIONS:
        return np.clip(outputs, 0.0, 1.0)
    powers = np.exp(outputs - outputs.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def label_probabilities(network: Network, outputs: np.ndarray) -> np.ndarray:
    """Return the probability of each label, float32[N, T]: the outputs of a last Sigmoid, else their sigmoid."""
    if isinstance(network.steps[-1].layer, Sigmoid):
        return outputs
    with np.errstate(over="ignore"):
        return np.asarray(1.0 / (1.0 + np.exp(-outputs)), np.float32)


def moments(outputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and variance, float32[N, T] each, from the outputs of a Gaussian regression (float32[N, 2 T])."""
    rows = outputs.reshape(len(outputs), -1)
    count = rows.shape[1] // 2
    return rows[:, :count], np.exp(rows[:, count:])


def logits(network: Network, outputs: np.ndarray, loss: Loss) -> np.ndarray:
    """Return what the definition of a loss reads, float64[N, K], from the outputs of a network.

    A loss that contains the last Softmax or Sigmoid gets the logarithms of its outputs, as far as float32 can
    tell them from zero and one.
    """
    rows = outputs.reshape(len(outputs), -1).astype(np.float64)
    last = network.steps[-1].layer
    if loss.name in ("cross_entropy", "soft_cross_entropy") and isinstance(last, Softmax):
        return np.asarray(np.log(np.maximum(rows, TINY)))
    if loss.name == "binary_cross_entropy" and isinstance(last, Sigmoid):
        least = float(np.finfo(np.float32).epsneg)
        return np.asarray(np.log(np.maximum(rows, TINY)) - np.log(np.maximum(1.0 - rows, least)))
    return rows


def check_ending(network: Network, loss: Loss) -> None:
    """Raise UsageError if a last layer bends outputs to something that the loss cannot use."""
    if loss.name not in ("binary_cross_entropy", "hinge", GAUSSIAN):
        return
    wanted = "logits or a Sigmoid" if loss.name == "binary_cross_entropy" else "plain outputs"
    for name in (network.steps[-1].name, *network.auxiliary):
        layer = network.step(name).layer
        if isinstance(layer, Softmax | LogSoftmax):
            raise UsageError(
                f"{network.name}: {loss.name} needs {wanted}; got {name}, a {type(layer).__name__}, at the end. "
                "Leave this layer out."
            )
