"""A training step that several ranks share."""

from __future__ import annotations

import traceback
from typing import Any

import numpy as np

from striate.distributed.combining import MERGE, OWN, PIECES, SUM, combining_program
from striate.distributed.commands import COLLECT, SPREAD, STEP
from striate.distributed.group import Group
from striate.distributed.parts import filled, segments_of_ranks, shards_of_ranks, without
from striate.distributed.shares import Share
from striate.engine import segments
from striate.engine.binding import Bound
from striate.engine.memory import PIECE
from striate.engine.program import BUFFERS, UPDATE
from striate.engine.team import Team
from striate.engine.training_session import TrainingSession
from striate.engine.updates import UPDATES
from striate.errors import DataError, UsageError
from striate.network import Network


class RankSession(TrainingSession):
    """The part of a training step that one rank computes; the results equal those of a single rank, bit for bit.

    Every rank has the whole program, and runs the tasks of its own shards. Where all shards wait for each other,
    the ranks exchange what the next phases see of every shard. Then each adds up the gradients of its shards, gets
    the sums of the other ranks for its segment of the parameters, takes the optimizer's step there, and gives the
    new parameters to all. The optimizer's state of other segments stays zero until ``collect``.

    Parameters
    ----------
    group : Group
    network, batch_size, **settings
        As for `TrainingSession`.

    Raises
    ------
    UsageError
        If a batch has fewer shards than there are ranks.

    Attributes
    ----------
    active : bool
        Whether the others follow; outside a training every rank has the session for itself.
    """

    active = False

    def __init__(self, group: Group, network: Network, *, batch_size: int, **settings: Any) -> None:
        self.group = group
        super().__init__(network, batch_size=batch_size, **settings)
        sizes, rank, length = self.facts.sizes, group.rank, self.vectors.padded
        if sizes.shards < group.size:
            raise UsageError(
                f"{network.name}: every rank needs a part of the batch; batches of {batch_size} have "
                f"{sizes.shards} (of {sizes.samples} samples), got {group.size} ranks. "
                "Use a larger --batch-size or fewer ranks."
            )
        if UPDATES[str(self.facts.optimizer)].layerwise:
            raise UsageError(
                f"{network.name}: ranks share the optimizer's step; got {self.facts.optimizer}, which needs norms "
                "of whole layers. Use another optimizer, or one rank."
            )
        self.parts = shards_of_ranks(sizes.shards, group.size)
        self.segments = segments_of_ranks(length, group.size)
        self.segment, memory = self.segments[rank], self.bound.memory.arrays
        self.share = Share(self.team, self.bound, self.parts[rank], self.segment)
        summed, optimizer = self.share.summed, str(self.facts.optimizer)
        program = combining_program(sizes.lanes, length, self.parts, rank, self.segment, summed, optimizer)
        own = self.vectors.shards[length * self.parts[rank].start :]
        self.combining = Bound(program, {**_shared(memory), OWN: own})
        self.combiner = Team(self.combining, len(self.team.arenas))
        self._holes = summed
        self._complete = True

    def announce(self, numbers: tuple[float, ...], number: int) -> None:
        """Let the other ranks take step ``number`` too."""
        if self.group.leads:
            self.group.command([STEP, number, len(numbers), *numbers])

    def own_samples(self, count: int) -> list[slice]:
        """Return which samples of a batch this rank computes; large ones come in parts."""
        room, size = self.facts.sizes.samples, self.batch_size
        part = self.parts[self.group.rank]
        found = [(start + part.start * room, start + part.stop * room) for start in range(0, count, size)]
        return [slice(begin, min(end, count, begin - begin % size + size)) for begin, end in found if begin < count]

    def _compute(self, update: bool) -> None:
        shards = int(self.samples.count[1])
        self._complete = False
        try:
            for seen in self.share.run(shards):
                self._exchange_seen(seen, shards)
            self._combine(shards)
            if update:
                self._take_step()
        except BaseException:  # the others wait for this rank: they cannot go on either
            traceback.print_exc()
            self.group.abort()
        self._gather_results(shards)

    def _exchange_seen(self, seen: list[tuple[int, int]], shards: int) -> None:
        """Put what the ranks' shards hold in ``seen``, (offset, floats), into the buffers of all ranks."""
        arena = self.bound.memory[BUFFERS]
        buffers = arena[: arena.size // self.facts.sizes.shards * self.facts.sizes.shards]
        rows = buffers.reshape(self.facts.sizes.shards, -1)[:shards]
        ends = np.cumsum([floats for _, floats in seen])
        places = [
            (slice(offset, offset + floats), slice(end - floats, end))
            for (offset, floats), end in zip(seen, ends, strict=True)
        ]
        parts = [filled(part, shards) for part in self.parts]
        own = slice(parts[self.group.rank].start, parts[self.group.rank].stop)
        room = np.empty((shards, ends[-1]), np.float32)
        for there, here in places:
            room[own, here] = rows[own, there]
        begins = [min(part.start, shards) * room.shape[1] for part in parts]
        stops = [begin + len(part) * room.shape[1] for begin, part in zip(begins, parts, strict=True)]
        self.group.all_parts(room.ravel(), begins, stops)
        for there, here in places:
            for others in (slice(0, own.start), slice(own.stop, shards)):
                rows[others, there] = room[others, here]

    def _combine(self, shards: int) -> None:
        """Add the gradients of all shards; the sum stands in this rank's segment of ``vectors.gradient``."""
        self.combining.choose(shards)
        self.combiner.run((SUM,))
        group, (begin, end) = self.group, self.segment
        own, memory = self.combining.memory[OWN], self.combining.memory
        pieces = memory[PIECES][: max(64, end - begin) * group.size].reshape(group.size, -1)
        active = [rank for rank, part in enumerate(self.parts) if filled(part, shards)]
        messages, rooms = [], []
        for rank in range(group.size):
            if rank != group.rank and group.rank in active:
                messages += [(rank, own[a:b]) for a, b in without(*self.segments[rank], self._holes)]
            if rank != group.rank and rank in active:
                rooms += [(rank, pieces[rank, a - begin : b - begin]) for a, b in without(begin, end, self._holes)]
        for a, b in without(begin, end, self._holes):
            pieces[group.rank, a - begin : b - begin] = own[a:b]
        group.exchange(messages, rooms)
        self.combiner.run((MERGE,))
        for a, b in without(begin, end, self._holes):
            self.vectors.gradient[a:b] = pieces[0, a - begin : b - begin]

    def _take_step(self) -> None:
        self.combiner.run((UPDATE,))
        begins, ends = zip(*self.segments, strict=True)
        self.group.all_parts(self.vectors.theta, begins, ends)

    def _gather_results(self, shards: int) -> None:
        """Complete the losses; raise what any rank's shards have found wrong."""
        problem, room = self._problem(), self.facts.sizes.samples
        begins = [min(part.start, shards) * room for part in self.parts]
        ends = [b + len(filled(part, shards)) * room for b, part in zip(begins, self.parts, strict=True)]
        for array in (self.results.losses, self.results.correct):
            self.group.all_parts(array[: shards * room], begins, ends)
        flags = np.zeros(self.group.size, np.float32)
        flags[self.group.rank] = problem is not None
        self.group.all_parts(flags, range(self.group.size), range(1, self.group.size + 1))
        if flags.any():
            found = [text for text in self.group.gather(problem and str(problem)) if text]
            raise problem if problem is not None else DataError(found[0])

    def _problem(self) -> BaseException | None:
        try:
            self.bound.check()
        except Exception as error:  # of kernels, or of a layer without kernels
            return error
        return None

    def squares(self, gradient: np.ndarray) -> np.ndarray:
        """Return ``sums_of_squares`` of the whole gradient, of which this rank has its segment."""
        begin, end = self.segment
        ends = [-(-min(stop, len(gradient)) // PIECE) for _, stop in self.segments]
        found = np.zeros(ends[-1])
        own = super().squares(gradient[begin:end])
        first = begin // PIECE
        found[first : first + len(own)] = own[: len(found) - first]
        self.group.all_parts(found, [0, *ends[:-1]], ends)
        return found

    def collect(self) -> None:
        """Complete the optimizer's state on rank 0, and on the others."""
        if self._complete or not self.active:
            return
        if self.group.leads:
            self.group.command([COLLECT])
        begins, ends = zip(*self.segments, strict=True)
        for vector in self.vectors.optimizer.values():
            self.group.all_parts(vector, begins, ends)
        self._complete = True

    def spread(self) -> None:
        """Give parameters, states and the optimizer's state of rank 0 to all."""
        if self.group.leads and self.active:
            self.group.command([SPREAD])
            self.receive()

    def receive(self) -> None:
        """Take part in ``spread``."""
        for vector in (self.vectors.theta, self.vectors.states, *self.vectors.optimizer.values()):
            self.group.spread(vector)


def _shared(memory: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the segments of a training program that the combining program works on too."""
    kept = (segments.PARAMETERS, segments.GRADIENTS, segments.NUMBERS, segments.of_optimizer(""))
    return {name: array for name, array in memory.items() if name.startswith(kept) and name != BUFFERS}
