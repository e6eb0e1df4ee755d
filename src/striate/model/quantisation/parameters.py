"""Weights, biases and multipliers of a quantised network, from the floats of the model it came from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from striate.layers.quantised_sums import LARGEST_BIAS, LARGEST_WEIGHT, QuantisedSums, fixed_point
from striate.model.part import carried_over
from striate.model.quantisation.choice import Sums
from striate.network import Network, Slot, Step

if TYPE_CHECKING:
    from striate.model.core import Model

Arrays = dict[str, np.ndarray]


def whole_parameters(model: Model, network: Network, chosen: Sequence[Sums]) -> tuple[np.ndarray, np.ndarray]:
    """Return parameters and states of the quantised ``network``, float32: those of other layers are the model's."""
    ours = {layer.step.name for layer in chosen}
    theta, states = carried_over(model, network, skip=ours)
    for sums in chosen:
        step = network.step(sums.step.name)
        layer: QuantisedSums = step.layer  # type: ignore[assignment]
        weight, bias = folded(model, sums)
        rows = np.abs(weight).reshape(len(weight), -1).max(axis=1)
        scales = np.where(rows > 0, rows, 1.0) / LARGEST_WEIGHT
        multiplier = fixed_point(layer.input_scale * scales / (layer.output_scale or 1.0))
        steps = layer.weight_scales(multiplier)  # what the multiplier, with its few bits, makes of them
        found = {
            "weight": np.rint(weight / steps.reshape(-1, *(1,) * (weight.ndim - 1))),
            "bias": np.clip(np.rint(bias / (steps * layer.input_scale)), -LARGEST_BIAS, LARGEST_BIAS),
            "multiplier": multiplier,
        }
        for slot in step.parameters:
            slot.view(theta)[...] = found[slot.spec.name] + 0.0  # integers in a file have no -0
    return theta, states


def folded(model: Model, sums: Sums) -> tuple[np.ndarray, np.ndarray]:
    """Return weight and bias, float64, of a layer together with the affine maps after it."""
    own = _named(sums.step.parameters, model.theta)
    weight, bias = own["weight"], own.get("bias", np.zeros(len(own["weight"])))
    for step in sums.affine:
        scale, offset = _affine(step, model)
        weight, bias = weight * scale.reshape(-1, *(1,) * (weight.ndim - 1)), bias * scale + offset
    return weight, bias


def _affine(step: Step, model: Model) -> tuple[np.ndarray, np.ndarray]:
    """Return ``scale`` and ``offset`` of the map ``scale * x + offset`` of each channel."""
    channels = step.shape[0]
    own = _named(step.parameters, model.theta)
    scale, offset = own.get("weight", np.ones(channels)), own.get("bias", np.zeros(channels))
    if step.states:
        state = _named(step.states, model.states)
        scale = scale / np.sqrt(state["running_variance"] + getattr(step.layer, "epsilon", 0.0))
        offset = offset - scale * state["running_mean"]
    return scale, offset


def _named(slots: Sequence[Slot], vector: np.ndarray) -> Arrays:
    return {slot.spec.name: slot.view(vector).astype(np.float64) for slot in slots}
