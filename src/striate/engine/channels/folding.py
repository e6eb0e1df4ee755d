"""Affine maps of channels that disappear into the layer before them: batch normalisation with fixed statistics."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from striate.engine import graph
from striate.engine.channels.context import ChannelLowering, rule
from striate.layers.arithmetic import ChannelScale
from striate.layers.convolution import Convolution
from striate.layers.dense import Linear
from striate.layers.normalisation import BatchNorm
from striate.network import Network, Step


@dataclass(frozen=True)
class Affine:
    """``scale[c] * x + offset[c]``, from the parameters and the running statistics of a step."""

    step: Step

    def scale(self, theta: np.ndarray, states: np.ndarray) -> np.ndarray:
        """Return what each channel is multiplied by, float32[C]."""
        return self._numbers(theta, states)[0].astype(np.float32)

    def offset(self, bias: np.ndarray, theta: np.ndarray, states: np.ndarray) -> np.ndarray:
        """Return what each channel is moved by after ``bias`` (float32[C]) went through the map, float32[C]."""
        scale, offset = self._numbers(theta, states)
        return np.asarray(bias * scale + offset, np.float32)

    def _numbers(self, theta: np.ndarray, states: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        channels = self.step.input_shapes[0][0]
        found = {
            slot.spec.name: vector[slot.offset : slot.offset + slot.spec.size].astype(np.float64)
            for slots, vector in ((self.step.parameters, theta), (self.step.states, states))
            for slot in slots
        }
        weight, bias = found.get("weight", np.ones(channels)), found.get("bias", np.zeros(channels))
        if not isinstance(self.step.layer, BatchNorm):
            return weight, bias
        scale = weight / np.sqrt(found["running_variance"] + self.step.layer.epsilon)
        return scale, bias - found["running_mean"] * scale


def folds(network: Network, outputs: Collection[str]) -> dict[str, str]:
    """Return the affine maps that disappear, and the convolution or fully connected layer that takes each."""
    readers = graph.readers(network)
    found: dict[str, str] = {}
    for step in network.steps:
        if not isinstance(step.layer, (BatchNorm, ChannelScale)):
            continue
        source = network.step(step.inputs[0])
        alone = len(readers[source.name]) == 1 and source.name not in outputs
        if alone and isinstance(source.layer, (Convolution, Linear)) and rule(source):
            found[step.name] = source.name
    return found


def affine_after(lowering: ChannelLowering, step: Step) -> Affine | None:
    """Return the map that disappears into ``step``, if one does."""
    for name, into in lowering.folded.items():
        if into == step.name:
            return Affine(lowering.network.step(name))
    return None
