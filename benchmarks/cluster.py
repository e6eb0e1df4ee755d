"""How training would scale to many machines: a model of a step, fed with what was measured here.

Every rank is a machine like this one with a batch of its own, so the global batch grows with the ranks. A step is

    compute     measured: a step on one rank
    gradients   every rank sends each other one its segment: (R - 1) messages, P (R - 1) / R bytes
    parameters  allgather: log2(R) messages in a row, P (R - 1) / R bytes
    seen        what batch normalisation and large dense layers see of all shards: an allgather for each
    control     the command of a step, losses and flags: five collectives of log2(R) messages in a row

A message takes the latency and its bytes over the bandwidth; a further message to another rank takes ``GAP`` of the
latency. Nothing overlaps with the backward pass, as in the program; with ``overlap``, gradients cost only the time
by which they exceed the backward pass, the most that overlapping could gain. Left out: slow ranks, switches shared
with others, reading data, and what joining the statistics of more shards costs each rank.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from striate.engine.program import Program

GAP = 0.2  # of the latency: what a message costs when others are on their way already
CONTROL = 5
BACKWARD = 2 / 3  # of the computation: the backward pass has two products for each one of the forward pass


@dataclass(frozen=True)
class Link:
    """A network between ranks.

    Parameters
    ----------
    latency_seconds : float
    bytes_per_second : float
    """

    latency_seconds: float
    bytes_per_second: float


@dataclass(frozen=True)
class Step:
    """A step of one rank.

    Parameters
    ----------
    compute_seconds : float
    parameter_bytes : int
    seen_bytes : tuple of int
        What every exchange hands to the other ranks for each rank.
    batch : int
        Samples of a rank.
    """

    compute_seconds: float
    parameter_bytes: int
    seen_bytes: tuple[int, ...]
    batch: int

    def seconds(self, ranks: int, link: Link, *, overlap: bool = False) -> float:
        """Return the time of a step on so many ranks."""
        if ranks == 1:
            return self.compute_seconds
        depth, others = math.ceil(math.log2(ranks)), ranks - 1
        latency, speed = link.latency_seconds, link.bytes_per_second
        part = self.parameter_bytes * others / ranks / speed
        gradients = latency * (1 + GAP * (others - 1)) + part
        if overlap:
            gradients = max(0.0, gradients - BACKWARD * self.compute_seconds)
        parameters = depth * latency + part
        seen = sum(depth * latency + others * size / speed for size in self.seen_bytes)
        return self.compute_seconds + gradients + parameters + seen + CONTROL * depth * latency

    def speed_up(self, ranks: int, link: Link, *, overlap: bool = False) -> float:
        """Return how many times the samples per second of one rank so many compute."""
        return ranks * self.compute_seconds / self.seconds(ranks, link, overlap=overlap)


def seen_bytes(program: Program) -> tuple[int, ...]:
    """Return what each exchange of a program hands on for all its shards."""
    return tuple(
        4 * program.shards * sum(floats for _, floats in phase.seen) for phase in program.phases if phase.seen
    )
