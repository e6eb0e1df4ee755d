"""The segments of memory that a program shares with its session: their names and sizes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from striate.engine.program import BUFFERS

if TYPE_CHECKING:
    from striate.engine.analysis import Facts

PARAMETERS, STATES, GRADIENTS, NUMBERS = "parameters", "states", "gradients", "numbers"
"""The flat vectors: parameters, what layers carry along, the gradient of each shard, what the optimizer reads."""
SAMPLES, PRESENT, FILLED, KEYS = "index", "present", "filled", "keys"
"""Of one batch: the numbers of its samples, -1 for none; 1 or 0 for each; how many samples and shards there are;
the keys of random numbers."""
TARGETS, OUTPUTS, SCALE, MEAN = "targets", "outputs", "scale", "mean"
"""Of one batch too: targets, outputs; and what normalises each channel of the samples."""
PACKED, STATISTICS, PROBLEMS = "packed", "statistics", "problems"
"""Segments that only a program knows: weights in the order of kernels; what layers sum over a batch; errors."""
DIRECTION, NORMS = "direction", "norms"
"""The steps of all parameters before their lengths are known, and the sums of squares that tell them."""
OPTIMIZER_NUMBERS, RANDOM_LAYERS = 16, 256  # as many as there may be


def padded(count: int) -> int:
    """Return the length of a flat vector of ``count`` numbers: kernels need no remainder and find a zero beyond."""
    return (count // 64 + 1) * 64


def of_optimizer(vector: str) -> str:
    """Return the segment of a vector of the optimizer's state."""
    return f"optimizer/{vector}"


def of_loss(output: int) -> dict[str, str]:
    """Return the segments of what the loss of an output, 0 for the last layer's, reads and writes per sample."""
    return {name: name if output == 0 else f"{name}/{output}" for name in ("weights", "losses", "correct")}


def of_value(name: str) -> str:
    """Return the segment in which an observed value is stored."""
    return f"{OUTPUTS}/{name}"


def flat_sizes(parameters: int, states: int, shards: int, optimizer: Sequence[str] = ()) -> dict[str, int]:
    """Return the bytes of the flat vectors; without shards, those of inference."""
    vector = 4 * padded(parameters)
    sizes = {PARAMETERS: vector, STATES: 4 * max(64, states)}
    if shards:
        sizes |= {GRADIENTS: vector * shards, NUMBERS: 4 * OPTIMIZER_NUMBERS}
    return sizes | {of_optimizer(name): vector for name in optimizer}


def sample_sizes(facts: Facts) -> dict[str, int]:
    """Return the bytes of what a batch brings and gets."""
    room, channels = facts.sizes.samples * facts.sizes.shards, facts.network.input_shape[0]
    sizes = {SAMPLES: 8 * room, PRESENT: 4 * room, FILLED: 64, KEYS: 8 * RANDOM_LAYERS}
    sizes |= {SCALE: 4 * channels, MEAN: 4 * channels}
    if facts.loss is None:
        return sizes | {OUTPUTS: 4 * room * math.prod(facts.network.output_shape)}
    sizes[TARGETS] = 4 * room * facts.target_count
    for output in range(len(facts.outputs)):
        sizes |= dict.fromkeys(of_loss(output).values(), 4 * room)
    return sizes


def starts_blank(segment: str) -> bool:
    """Return whether there is nothing in a segment until the program itself writes to it."""
    name = segment.partition("/")[0]
    return name in (BUFFERS, GRADIENTS, OUTPUTS, PACKED, STATISTICS, DIRECTION, NORMS, "losses", "correct")
