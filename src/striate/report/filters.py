"""The filters of the first layer that learns."""

from __future__ import annotations

import numpy as np

from striate.model import Model

MOST_FILTERS = 64


def first_filters(model: Model) -> tuple[str, list[np.ndarray]]:
    """Return the name of the first layer that learns and its filters, float32[C, *window] each.

    The weights of a dense layer that reads the samples themselves are shown in their shape. The list is
    empty if the first weights are nothing to look at.
    """
    for step in model.network.steps:
        slots = [slot for slot in step.parameters if slot.spec.name == "weight" and len(slot.spec.shape) >= 2]
        if not slots:
            continue
        weight = slots[0].view(model.theta)
        if weight.ndim == 2 and weight[0].size == np.prod(model.input_shape) and len(model.input_shape) > 1:
            weight = weight.reshape(len(weight), *model.input_shape)
        seen = weight.ndim >= 3 and np.prod(weight.shape[2:]) > 1  # a window of one value is nothing to look at
        return step.name, list(weight[:MOST_FILTERS]) if seen else []
    return "", []
