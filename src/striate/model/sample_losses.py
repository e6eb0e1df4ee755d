"""The loss of every sample in float64, computed by the references."""

from __future__ import annotations

import numpy as np

from striate.losses import Loss

CHUNK = 4096  # samples computed at once, so that memory stays small


def sample_losses(loss: str | Loss, outputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Return the loss of each sample, float64[N].

    Parameters
    ----------
    loss : str or Loss
    outputs : float32[N, *shape]
        What the loss reads: the outputs before a last layer that it absorbs (``Model.scores``).
    targets : int64[N, *space] or float32[N, T, *space]

    Raises
    ------
    DataError
        If a target is none that the loss can take.
    """
    loss = Loss.of(loss)
    found = np.empty(len(outputs))
    for start in range(0, len(outputs), CHUNK):
        part = slice(start, start + CHUNK)
        values = outputs[part].astype(np.float64)
        found[part] = loss.reference(values, loss.prepare(targets[part], outputs.shape[1:]))[0]
    return found
