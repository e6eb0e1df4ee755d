"""The arrays that a plan works on: the shards of a batch, the flat vectors, the samples; and whether they fit."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from striate.engine import segments
from striate.errors import CapacityError
from striate.machine import available_memory
from striate.network import Network

SHARDS = 4  # a batch is cut into at least as many shards, if it has as many blocks
GRADIENT_FLOATS = 2**27  # that the gradients of all shards may take together, half a gigabyte
BLOCKS = 4  # and a shard has no more blocks than this, whose activations still lie in the caches
FEWEST, MOST = 1024, 16_384  # samples that a plan for training takes at most, whatever the network
ACTIVATION_BYTES = 2**31  # that a plan may take for what layers give and its gradients
LEAST_LANES = 8  # so that the shards of a full plan have no more than BLOCKS blocks


PIECE = 1024  # numbers of a flat vector that are never parted: the squares of each are added first


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


def samples_at_once(network: Network) -> int:
    """Return how many samples a plan for training takes at most; larger batches are computed in parts.

    It depends on the network alone, above all not on memory, threads or ranks: batch normalisation sees what a plan
    takes, and the order of sums follows from it.
    """
    of_sample = 8 * sum(math.prod(step.shape) for step in network.steps)
    shards = GRADIENT_FLOATS // max(1, network.parameter_count)
    room = max(1, min(ACTIVATION_BYTES // of_sample, shards * BLOCKS * LEAST_LANES))
    return min(MOST, max(FEWEST, 1 << room.bit_length() - 1))


def check_room(network: Network, batch_size: int, needed: int) -> None:
    """Raise CapacityError if ``needed`` bytes are more than this machine has free."""
    room = available_memory()
    if needed > room:
        raise CapacityError(
            f"{network.name}: batches of {batch_size} need about {needed / 2**30:,.1f} GB of memory; "
            f"{room / 2**30:.1f} GB are available. Use smaller batches, a smaller input or fewer channels."
        )


def check_least(network: Network, batch_size: int, sizes: Sizes, *, training: bool) -> None:
    """Raise CapacityError if not even the parameters and the largest value fit, before anything is allocated."""
    copies = 4 + sizes.shards if training else 1  # of the parameters: gradients, optimizer state
    largest = max(math.prod(step.shape) for step in network.steps) * sizes.samples
    check_room(network, batch_size, 4 * (copies * network.parameter_count + largest))


def sums_of_squares(vector: np.ndarray) -> np.ndarray:
    """Return the sum of squares of every ``PIECE`` numbers of a vector, float64."""
    whole = len(vector) // PIECE * PIECE
    parts = vector[:whole].reshape(-1, PIECE), vector[None, whole:]
    return np.concatenate([np.square(part, dtype=np.float64).sum(axis=1) for part in parts])


class Vectors:
    """The flat vectors of a network as they lie in the memory of a program: float32, zero beyond the end.

    Parameters
    ----------
    memory : mapping of str to array
        The segments by name.
    count : int
        Number of parameters.

    Attributes
    ----------
    theta, gradient : float32[padded]
        Parameters and their gradient.
    optimizer : dict of str to float32[padded]
        What the optimizer keeps.
    shards : float32[shards * padded]
        The gradient of each shard.
    states : float32[>= state_count]
    numbers : float32[16]
        What the optimizer's kernel reads.
    """

    def __init__(self, memory: Mapping[str, np.ndarray], count: int) -> None:
        self.count, self.padded = count, segments.padded(count)
        self.theta, self.states = memory[segments.PARAMETERS], memory[segments.STATES]
        nothing = np.zeros(0, np.float32)
        self.shards, self.numbers = memory.get(segments.GRADIENTS, nothing), memory.get(segments.NUMBERS, nothing)
        self.gradient = self.shards[: self.padded]  # the first shard's, to which the others are added
        prefix = segments.of_optimizer("")
        self.optimizer = {
            name.removeprefix(prefix): array for name, array in memory.items() if name.startswith(prefix)
        }


class Samples:
    """The arrays of one batch as they lie in the memory of a program.

    Attributes
    ----------
    index : int64[samples]
    present : float32[samples]
    targets, outputs : float32
    results : list of Results
        Of the output, then of auxiliary ones.
    keys : int64[256]
    count : float32[16]
        Samples, and shards they fill.
    scale, offset : float32[channels]
    """

    def __init__(self, memory: Mapping[str, np.ndarray], outputs: int) -> None:
        self.index, self.keys = memory[segments.SAMPLES].view(np.int64), memory[segments.KEYS].view(np.int64)
        self.present, self.count = memory[segments.PRESENT], memory[segments.FILLED]
        self.scale, self.mean = memory[segments.SCALE], memory[segments.MEAN]
        self.scale[:] = 1.0
        if segments.TARGETS in memory:
            self.targets = memory[segments.TARGETS]
            self.results = [
                Results(**{field: memory[name] for field, name in segments.of_loss(output).items()})
                for output in range(outputs)
            ]
        else:
            self.outputs = memory[segments.OUTPUTS]


@dataclass(frozen=True)
class Results:
    """What a loss reads and writes for every sample: its weight, its loss, whether it is classified correctly."""

    weights: np.ndarray
    losses: np.ndarray
    correct: np.ndarray
