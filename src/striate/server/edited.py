"""A model with some parameters changed, as an explorer page asks for; the served model does not change."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from striate.errors import UsageError
from striate.explain.attribution.input_gradient import input_gradient
from striate.explain.tracing import score_step
from striate.model import Model
from striate.targets.image import normalisation_of

MOST_EDITS = 1000
Edits = Mapping[int, float]


def edits_of(text: str, count: int) -> dict[int, float]:
    """Return the changes in a text such as ``12:0.5,40:-1``: numbers of parameters, and their values.

    Raises
    ------
    UsageError
        If it is no such text, or a parameter is not there.
    """
    found = dict[int, float]()
    for part in text.split(",") if text else ():
        place, _, value = part.partition(":")
        try:
            found[int(place)] = float(value)
        except ValueError:
            raise UsageError(f"edits: must look like 12:0.5,40:-1; got {part[:40]!r}. Correct it.") from None
    if len(found) > MOST_EDITS:
        raise UsageError(f"edits: at most {MOST_EDITS} parameters can be changed; got {len(found)}. Undo some.")
    for index, number in found.items():
        if not 0 <= index < count or not math.isfinite(number):
            raise UsageError(
                f"edits: must be finite values of parameters 0 to {count - 1}; got {index}:{number}. Correct it."
            )
    return found


def parameters(model: Model, edits: Edits) -> np.ndarray:
    """Return the parameters with the changes, float32[parameter_count]."""
    theta = model.theta.copy()
    theta[list(edits)] = list(edits.values())
    return theta


def gradients(model: Model, edits: Edits, samples: np.ndarray, weights: np.ndarray, target: int) -> np.ndarray:
    """Return the sum of ``weights[n] * d score[target] / d samples[n]``, float32[*input_shape].

    Raises
    ------
    UsageError
        If the engine has no such gradient.
    """
    changed = Model(
        model.network, parameters(model, edits), model.states, normalisation=model.normalisation,
        winograd=model.winograd,
    )  # fmt: skip
    found = input_gradient(model.network, score_step(model.network)).sum(changed, samples, weights, target)
    _, scale = normalisation_of(model)
    return np.asarray((found * scale.reshape(-1, *(1,) * (found.ndim - 1))).astype(np.float32))
