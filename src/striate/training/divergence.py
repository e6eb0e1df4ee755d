"""Find the origin of a loss that has become NaN or infinite."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from striate.model import Model

LARGEST = float(np.finfo(np.float32).max)


def first_overflow(model: Model, theta: np.ndarray, inputs: np.ndarray) -> str | None:
    """Return the first layer of which a value, or a parameter, is NaN, infinite or beyond float32.

    Parameters
    ----------
    theta : float32[P]
        The parameters to look at.
    inputs : uint8 or float32 [n, C, *space]
        Raw samples.

    Returns
    -------
    layer : str or None
        None if all values are usable.
    """
    from striate.reference.executor import forward

    network = model.network
    for slot in network.parameters:
        if not usable(slot.view(theta)):
            return slot.name
    with np.errstate(all="ignore"):
        x = inputs if model.normalisation is None else model.normalisation.apply(inputs)
        values = forward(network, theta, x, states=model.states.astype(np.float64)).values
    return next((step.name for step in network.steps if not usable(values[step.name])), None)


def usable(values: np.ndarray) -> bool:
    """Return whether all ``values`` are numbers that float32 can hold."""
    return bool(np.all(np.abs(values) <= LARGEST))
