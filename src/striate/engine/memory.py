"""The arrays that a plan works on: the cut of a batch, the flat vectors, the samples; and whether they fit."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from striate.errors import CapacityError
from striate.machine import available_memory
from striate.network import Network

SHARDS = 4  # a batch is cut into at least as many shards, if it has as many blocks
GRADIENT_FLOATS = 2**27  # that the gradients of all shards may take together, half a gigabyte
BLOCKS = 4  # and a shard has no more blocks than this, whose activations still lie in the caches


def aligned(count: int, dtype: type = np.float32) -> np.ndarray:
    """Return zeros, dtype[count], that begin at a multiple of 64 bytes."""
    size = np.dtype(dtype).itemsize
    room = np.zeros(count * size + 64, np.uint8)
    start = -room.ctypes.data % 64
    return room[start : start + count * size].view(dtype)


@dataclass(frozen=True)
class Sizes:
    """How a batch is cut.

    Parameters
    ----------
    lanes : int
        Samples of a vector.
    blocks : int
        Blocks of ``lanes`` samples in a shard.
    shards : int
    """

    lanes: int
    blocks: int
    shards: int

    @property
    def samples(self) -> int:
        """Samples of a shard."""
        return self.lanes * self.blocks

    @classmethod
    def of(cls, batch_size: int, lanes: int, parameter_count: int = 0) -> Sizes:
        """Cut ``batch_size`` samples; the cut depends on nothing else, above all not on the threads.

        Every shard makes a gradient of its own, so a network with very many parameters gets fewer shards.

        Examples
        --------
        >>> Sizes.of(128, 8)
        Sizes(lanes=8, blocks=4, shards=4)
        """
        total = -(-batch_size // lanes)
        blocks = min(BLOCKS, -(-total // SHARDS))
        if parameter_count:
            blocks = max(blocks, -(-total // max(1, GRADIENT_FLOATS // parameter_count)))
        return cls(lanes, blocks, -(-total // blocks))


def check_room(network: Network, batch_size: int, needed: int) -> None:
    """Raise CapacityError if ``needed`` bytes are more than this machine has free."""
    room = available_memory()
    if needed > room:
        raise CapacityError(
            f"{network.name}: batches of {batch_size} need about {needed / 2**30:,.1f} GB of memory; "
            f"{room / 2**30:.1f} GB are free. Use smaller batches, a smaller input or fewer channels."
        )


def check_least(network: Network, batch_size: int, sizes: Sizes, *, training: bool) -> None:
    """Raise CapacityError if not even the parameters and the largest value fit, before anything is allocated."""
    copies = 4 + sizes.shards if training else 1  # of the parameters: gradients, moments
    largest = max(math.prod(step.shape) for step in network.steps) * sizes.samples
    check_room(network, batch_size, 4 * (copies * network.parameter_count + largest))


class Vectors:
    """The flat vectors of a network: float32, padded so that kernels need no remainder, zero beyond the end.

    Parameters
    ----------
    count : int
        Number of parameters.
    shards : int
        Shards that make a gradient each.
    states : float[state_count]
        What the layers carry along, at the start.

    Attributes
    ----------
    theta, gradient, first, second : float32[padded]
        Parameters, their gradient, and what the optimizer keeps.
    shards : float32[shards * padded]
        The gradient of each shard.
    states : float32[>= state_count]
    numbers : float32[16]
        What the optimizer's kernel reads.
    """

    def __init__(self, count: int, shards: int, states: np.ndarray) -> None:
        self.count = count
        self.padded = (count // 64 + 1) * 64
        self.theta = aligned(self.padded)
        self.shard_count = shards
        self.shards = aligned(self.padded * shards)
        trained = self.padded if shards else 0
        self.gradient = self.shards[:trained]  # the first shard's, to which the others are added
        self.first, self.second = aligned(trained), aligned(trained)
        self.numbers = aligned(16)
        self.states = aligned(max(64, len(states)))
        self.states[: len(states)] = states


class Samples:
    """The arrays of one batch: which samples, their targets, weights, losses and outputs."""

    def __init__(self, sizes: Sizes, target_count: int, output_count: int, channels: int) -> None:
        room = sizes.samples * sizes.shards
        self.index = aligned(room, np.int64)
        self.targets = aligned(room * target_count)
        self.weights, self.losses, self.correct = aligned(room), aligned(room), aligned(room)
        self.outputs = aligned(room * output_count)
        self.present = aligned(room)
        self.keys = aligned(256, np.int64)
        self.count = aligned(16)
        self.run = (0, 0)
        self.scale, self.offset = aligned(channels), aligned(channels)
        self.scale[:] = 1.0
