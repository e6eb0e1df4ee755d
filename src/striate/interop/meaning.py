"""What the outputs of a foreign model mean, where its file does not say."""

from __future__ import annotations

from collections.abc import Mapping

from striate.errors import unknown_name
from striate.layers import (
    AdaptiveAvgPool2d,
    Conv2d,
    Flatten,
    GlobalAvgPool,
    HardTanh,
    Identity,
    Linear,
    Reshape,
    Round,
    Scale,
    Sigmoid,
)
from striate.losses import CLASSES, LABELS, NUMBERS
from striate.model import Model
from striate.network import Network

TARGETS = (CLASSES, LABELS, NUMBERS)
PASSING = (Identity, Reshape, Flatten, Round, HardTanh, Scale)
"""Layers that may follow the one that computes the outputs; quantised models end in some of them."""
SCORING = (Linear, Conv2d, GlobalAvgPool, AdaptiveAvgPool2d)
"""Layers whose outputs have no bounds, as the scores of classifiers have none."""


def assumed_targets(network: Network) -> str:
    """Return what outputs most likely are: "classes" or "labels" for a picture with several, else "numbers"."""
    shape = network.input_shape
    picture = len(shape) == 3 and shape[0] in (1, 3, 4)
    if not picture or len(network.output_shape) != 1 or network.output_shape[0] < 2 or network.auxiliary:
        return NUMBERS
    steps = {step.name: step for step in network.steps}
    last = network.steps[-1]
    while isinstance(last.layer, PASSING) and len(last.inputs) == 1:
        last = steps[last.inputs[0]]
    if isinstance(last.layer, Sigmoid):
        return LABELS
    return CLASSES if isinstance(last.layer, SCORING) else NUMBERS


def with_targets(model: Model, wished: str | None) -> str | None:
    """Set what the outputs of a model mean, and return a note where that was assumed."""
    if wished is not None:
        if wished not in TARGETS:
            raise unknown_name("--targets", wished, TARGETS)
        model.metadata = {**model.metadata, "targets": wished}
        return None
    origin = model.metadata.get("origin")
    foreign = isinstance(origin, Mapping) and not str(origin.get("producer", "")).startswith("striate")
    if not foreign or model.classes or "targets" in model.metadata or model.kind != NUMBERS:
        return None
    found, count = assumed_targets(model.network), model.network.output_shape[0]
    if found == NUMBERS:
        return None
    model.metadata = {**model.metadata, "targets": found}
    named = "name them with --classes, or keep numbers with --targets numbers"
    if found == LABELS:
        return f"outputs: read as {count} labels that are on or off; {named}"
    return f"outputs: read as scores of {count} classes; {named}"
