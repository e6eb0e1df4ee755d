"""What disappears into the layer before it: affine maps of channels (batch normalisation), and activations."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from striate.engine import graph
from striate.engine.channels.context import ChannelLowering, rule
from striate.engine.lowering.activation import FUNCTIONS, function_of
from striate.engine.program import Place
from striate.engine.segments import PARAMETERS, STATES
from striate.layers.convolution import Convolution
from striate.layers.dense import Linear
from striate.network import Network, Slot, Step


@dataclass(frozen=True)
class Affine:
    """Where ``scale[c]`` and ``offset[c]`` of the map ``scale[c] * x + offset[c]`` lie."""

    scale: Place
    offset: Place


def affine(lowering: ChannelLowering, step: Step) -> Affine:
    """Return the map of a step, computed from its parameters and states whenever they change."""
    channels, layer = step.input_shapes[0][0], step.layer
    found = Affine(lowering.room(channels), lowering.room(channels))
    weight, bias = _slot(step.parameters, PARAMETERS, "weight"), _slot(step.parameters, PARAMETERS, "bias")
    mean, variance = (_slot(step.states, STATES, name) for name in ("running_mean", "running_variance"))
    nothing = Place(PARAMETERS)
    lowering.pack(
        "channels.fold",
        after_maps=False,
        weight=weight or nothing,
        bias=bias or nothing,
        mean=mean or nothing,
        variance=variance or nothing,
        scale=found.scale,
        offset=found.offset,
        count=channels,
        has_weight=int(weight is not None),
        has_bias=int(bias is not None),
        normalises=int(variance is not None),
        epsilon=getattr(layer, "epsilon", 0.0),
    )
    return found


def _slot(slots: Sequence[Slot], segment: str, name: str) -> Place | None:
    return next((Place(segment, 4 * slot.offset) for slot in slots if slot.spec.name == name), None)


def folds(network: Network, outputs: Collection[str]) -> dict[str, str]:
    """Return the affine maps that disappear, and the convolution or fully connected layer that takes each."""
    readers = graph.readers(network)
    found: dict[str, str] = {}
    for step in network.steps:
        if not step.layer.channel_affine:
            continue
        source = network.step(step.inputs[0])
        alone = len(readers[source.name]) == 1 and source.name not in outputs
        if alone and isinstance(source.layer, (Convolution, Linear)) and rule(source):
            found[step.name] = source.name
    return found


def activations(network: Network, outputs: Collection[str], folded: Mapping[str, str]) -> dict[str, str]:
    """Return the activations that are taken of sums in registers, and the layer that does so for each."""
    readers = graph.readers(network)
    found: dict[str, str] = {}
    for step in network.steps:
        if type(step.layer) not in FUNCTIONS or len(readers[step.inputs[0]]) > 1 or step.inputs[0] in outputs:
            continue
        source = network.step(folded.get(step.inputs[0], step.inputs[0]))
        if isinstance(source.layer, (Convolution, Linear)) and rule(source):
            found[step.name] = source.name
    return found


@dataclass(frozen=True)
class Ending:
    """What is done to a sum before it is stored: a floor, or an activation with two arguments; "" for none."""

    floor: float = -math.inf
    activation: str = ""
    a: float = 0.0
    b: float = 0.0

    @classmethod
    def of(cls, lowering: ChannelLowering, step: Step) -> Ending:
        """Return what follows the sums of ``step``."""
        if step.name in lowering.activation_of:
            return cls(-math.inf, *function_of(lowering.network.step(lowering.activation_of[step.name])))
        return cls(lowering.floor(step))

    @property
    def arguments(self) -> dict[str, float]:
        """What kernels take."""
        return {"floor": self.floor, "a": self.a, "b": self.b}


def affine_after(lowering: ChannelLowering, step: Step) -> Affine | None:
    """Return the map that disappears into ``step``, if one does."""
    name = lowering.map_of.get(step.name)
    return None if name is None else affine(lowering, lowering.network.step(name))
