"""The tasks of a program that belong to one rank."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from striate.distributed.parts import filled
from striate.engine.binding import Bound, Selection
from striate.engine.footprint import Use, uses
from striate.engine.program import Phase
from striate.engine.segments import GRADIENTS
from striate.engine.session import GRADIENT_RUN
from striate.engine.team import Run, Team

Seen = list[tuple[int, int]]


@dataclass
class _Piece:
    """Phases that run without an exchange between them.

    Parameters
    ----------
    selection : Selection
    run : Run
    each : int64[phases]
        Tasks of each shard; 0 where the tasks do not belong to shards.
    seen : list of (offset, floats)
        What must be exchanged afterwards.
    """

    selection: Selection
    run: Run
    each: np.ndarray
    seen: Seen


class Share:
    """What one rank computes of a training step, up to the gradients of its shards.

    Parameters
    ----------
    team : Team
    bound : Bound
        A training program, whose last phase adds the gradients and updates; that phase is left out.
    part : range
        The shards of the rank.
    segment : (begin, end)
        The part of the flat vectors that the rank updates.

    Attributes
    ----------
    summed : list of (begin, end)
        The parts of the gradient that are computed from all shards at once.
    """

    def __init__(self, team: Team, bound: Bound, part: range, segment: tuple[int, int]) -> None:
        self.team, self.bound, self.part, self.segment = team, bound, part, segment
        self.summed: list[tuple[int, int]] = []
        whole = bound.select(GRADIENT_RUN)
        phases = [bound.program.phases[number] for number in whole.numbers]
        chosen = [
            self._tasks(phase, int(span[0]), int(span[1]), whole)
            for phase, span in zip(phases, whole.phases, strict=True)
        ]
        self._pieces, begin = list[_Piece](), 0
        last = len(phases) - 1  # the sum over shards, which the ranks do together
        for i, phase in enumerate(phases[:last]):
            if phase.seen or i == last - 1:
                self._pieces.append(self._piece(phases[begin : i + 1], chosen[begin : i + 1]))
                begin = i + 1

    def run(self, shards: int) -> Iterator[Seen]:
        """Compute on a batch of so many shards; yield whenever something must be exchanged."""
        count = len(filled(self.part, shards))
        for piece in self._pieces:
            piece.selection.phases[piece.each > 0, 1] = count * piece.each[piece.each > 0]
            self.team.run_prepared(piece.run, len(self.team.arenas))
            if piece.seen:
                yield piece.seen

    def _tasks(self, phase: Phase, first: int, count: int, whole: Selection) -> np.ndarray:
        """Return the rank's tasks of a phase, as the runner reads them."""
        if phase.each:
            return whole.tasks[first + self.part.start * phase.each : first + self.part.stop * phase.each]
        chosen = [number for number in range(count) if self._is_needed(phase, number)]
        return whole.tasks[first : first + count][chosen]

    def _is_needed(self, phase: Phase, number: int) -> bool:
        """Return whether a task writes something else than gradients of parameters that others update."""
        writes: list[Use] = []
        program, known = self.bound.program, dict[Any, Any]()
        for row in phase.rows[slice(*phase.spans[number])]:
            if row.request is None:
                return True
            writes += [use for use in uses(program, row, phase.tasks[number], program.shards, known) if use.writes]
        if not writes or any(use.place.segment != GRADIENTS for use in writes):
            return True
        places = [(use.place.offset + np.array([use.begins.min(), use.ends.max()])) // 4 for use in writes]
        begin, end = min(int(place[0]) for place in places), max(int(place[1]) for place in places)
        self.summed.append((begin, end))
        return begin < self.segment[1] and end > self.segment[0]

    def _piece(self, phases: list[Phase], chosen: list[np.ndarray]) -> _Piece:
        ends = np.cumsum([len(tasks) for tasks in chosen])
        table = np.array(
            [[end - len(tasks), len(tasks)] for end, tasks in zip(ends, chosen, strict=True)], np.int64
        )
        each = np.array([phase.each for phase in phases], np.int64)
        selection = Selection(table, np.ascontiguousarray(np.concatenate(chosen)), [], each[:0], [])
        return _Piece(selection, self.team.keep(self.team.prepare(selection)), each, phases[-1].seen)
