"""Which layers compute in integers: those that gain speed, by a rule that depends on shapes alone.

Costs are those of a multiplication of vectors of floats (0.3 ns on the Zen 4 core where they were measured).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from striate.engine.channels.choice import cost_of_step
from striate.engine.channels.words import IN_A_WORD
from striate.engine.graph import readers
from striate.layers.activation import Identity, ReLU
from striate.layers.base import Layer
from striate.layers.convolution import Convolution
from striate.layers.dense import Linear
from striate.layers.quantised_sums import MOST_TERMS
from striate.layers.regularisation import Regulariser
from striate.machine import byte_products, default_lanes
from striate.network import Network, Step

DOT = {"vnni": 1.05, "pairs": 2.0, "plain": 4.4}  # four products of bytes in every lane
ROUND = 8.0  # rounding and storing a vector of sums
QUANTISE = 10.0  # turning a vector of floats into bytes
IDLE: tuple[type[Layer], ...] = (Regulariser, Identity)
"""Layers that do nothing at inference."""


@dataclass(frozen=True)
class Sums:
    """A convolution or fully connected layer, with the layers folded into it.

    Parameters
    ----------
    step : Step
    affine : tuple of Step
        Affine maps of channels that follow it.
    relu : Step or None
    end : str
        The step whose value it gives with all of them.
    refused : str
        Why it stays in float32; empty where it becomes whole numbers.
    """

    step: Step
    affine: tuple[Step, ...]
    relu: Step | None
    end: str
    refused: str


def sums_of(network: Network) -> list[Sums]:
    """Return every convolution and fully connected layer of a network, and whether it is quantised."""
    found: list[Sums] = []
    whole: set[str] = set()
    for step in network.steps:
        if isinstance(step.layer, (Convolution, Linear)):
            affine, relu = _after(network, step)
            end = (relu or (affine or (step,))[-1]).name
            refused = refusal(step) or _slower(network, step, whole)
            if not refused:
                whole.add(end)
            found.append(Sums(step, affine, relu, end, refused))
        elif moves(step) and step.inputs[0] in whole:
            whole.add(step.name)
    return found


def moves(step: Step) -> bool:
    """Return whether a step passes integers on as it takes them, or does nothing."""
    return step.layer.keeps_quantisation or isinstance(step.layer, IDLE)


def refusal(step: Step) -> str:
    """Return why a layer has no integer form; empty if it has one."""
    layer = step.layer
    if isinstance(layer, Convolution):
        if layer.groups > 1:
            return "grouped convolution"
        if layer.padding_mode != "zeros":
            return f"{layer.padding_mode} padding"
        if layer.connections is not None:
            return "connection table"
    terms = step.parameters[0].spec.size // step.shape[0]
    return f"sums of {terms:,} products" if terms > MOST_TERMS else ""


def _after(network: Network, step: Step) -> tuple[tuple[Step, ...], Step | None]:
    """Return the affine maps and the ReLU that follow a step and can be folded into it."""
    readers_of = readers(network)
    affine: list[Step] = []
    while True:
        following = readers_of[step.name]
        if len(following) != 1 or step.name in network.auxiliary:
            return tuple(affine), None
        step = following[0]
        if isinstance(step.layer, ReLU):
            return tuple(affine), step
        if not step.layer.channel_affine:
            return tuple(affine), None
        affine.append(step)


def _slower(network: Network, step: Step, whole: set[str]) -> str:
    """Return why integers would not be faster; empty if they are."""
    lanes = default_lanes()
    floats, integers = cost_of_step(step) / lanes, whole_cost(step, lanes)
    if step.inputs[0] not in whole:
        integers += QUANTISE * math.prod(step.input_shapes[0]) / lanes
    return "" if integers < floats else "float32 is as fast"


def whole_cost(step: Step, lanes: int) -> float:
    """Return the cost of a step per sample in integers, in vector multiplications."""
    channels, *space = step.shape
    weights = step.parameters[0].spec.shape[1:]
    words = -(-weights[0] // IN_A_WORD) * math.prod(weights[1:])
    each = words * DOT[byte_products(lanes)] + ROUND
    return math.prod(space) * -(-channels // lanes) * each
