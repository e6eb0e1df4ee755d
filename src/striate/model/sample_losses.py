"""The loss of every sample in float64, as the definitions have it, and their mean."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from striate.engine.losses import LABELLED, Loss
from striate.model.outputs import is_labelled, logits
from striate.network import Network
from striate.reference import loss as definitions
from striate.reference.activation import log_softmax

CHUNK = 4096  # samples that are computed at once, so that memory stays small


def sample_losses(network: Network, outputs: np.ndarray, targets: np.ndarray, loss: str | Loss) -> np.ndarray:
    """Return the loss of each sample, float64[N].

    Parameters
    ----------
    outputs : float32[N, K]
        What the network computed.
    targets : int64[N] or float32[N, T]
        Class numbers become shares, one for each output, where the loss reads shares.

    Raises
    ------
    DataError
        If a target is none that the loss can take.
    """
    loss = Loss.of(loss)
    definition = _definition(loss)
    found = np.empty(len(outputs))
    for start in range(0, len(outputs), CHUNK):
        part = slice(start, start + CHUNK)
        values = logits(network, outputs[part], loss)
        found[part] = definition(values, _wanted(loss, targets[part], values.shape[1]))
    return found


def mean_loss(loss: Loss, losses: np.ndarray, targets: np.ndarray, weights: np.ndarray | None = None) -> float:
    """Return the mean of the losses of samples: what ``Loss`` weighs is divided by these weights.

    Parameters
    ----------
    losses : float64[N]
    targets : int64[N] or float32[N, T]
    weights : float[N], optional
        How much each sample counts beside.
    """
    shares = counts(loss, targets) if weights is None else counts(loss, targets) * weights
    return float(np.sum(losses if weights is None else losses * weights) / max(np.sum(shares), TINY))


def counts(loss: Loss, targets: np.ndarray) -> np.ndarray:
    """Return what each sample counts in a mean, float64[N]: its class weight, 0 where its label is ignored."""
    if loss.name != "cross_entropy":
        return np.ones(len(targets))
    weights = None if loss.class_weights is None else np.asarray(loss.class_weights)
    return definitions.sample_weights(targets, weights, loss.ignored_index)


def counted(loss: Loss, targets: np.ndarray) -> np.ndarray:
    """Return which samples have a label that is not ignored, bool[N]."""
    return np.ones(len(targets), bool) if loss.ignored_index is None else targets != loss.ignored_index


TINY = float(np.finfo(np.float64).tiny)


def _definition(loss: Loss) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    if loss.name == "soft_cross_entropy":
        return lambda values, shares: -(shares * log_softmax(values)).sum(axis=1)
    name, options = loss.name, dict[str, Any]()
    if name == "cross_entropy":
        name = "softmax_cross_entropy"
        options = {"label_smoothing": loss.label_smoothing, "ignored_index": loss.ignored_index}
        options["class_weights"] = None if loss.class_weights is None else np.asarray(loss.class_weights)
    elif name in ("huber", "hinge"):
        options = {"delta": loss.delta} if name == "huber" else {"margin": loss.margin}
    function = functools.partial(getattr(definitions, name), **options)
    return lambda values, targets: function(values, targets)[0]


def _wanted(loss: Loss, targets: np.ndarray, outputs: int) -> np.ndarray:
    """Return targets as the definition takes them: class numbers, or float64[N, T]."""
    if loss.name in LABELLED:
        return targets
    if is_labelled(targets) and outputs > 1:
        return np.asarray(targets[:, np.newaxis] == np.arange(outputs), np.float64)
    return targets.reshape(len(targets), -1).astype(np.float64)
