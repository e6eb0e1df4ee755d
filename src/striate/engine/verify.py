"""Prove, before a program runs, that its rows stay inside their segments and read only what was written."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

import numpy as np

from striate.engine.footprint import Known, Use, uses
from striate.engine.program import BUFFERS, Program, Row
from striate.engine.segments import PROBLEMS, starts_blank
from striate.errors import ProgramError
from striate.kernels import library

MANY = -1  # an owner: several tasks read it


def verify(program: Program, shards: Collection[int] | None = None) -> None:
    """Check every place that the rows of a program can form.

    - It lies inside its segment.
    - It is written before it is read, unless it belongs to those that no row ever writes, which stay zero (the
      margins of buffers), or to a segment that is filled from outside.
    - No task writes what another task of its phase reads or writes, since they run in any order.

    Rows that call Python are not looked into; what they may touch counts as written.

    Parameters
    ----------
    program : Program
        Finished.
    shards : collection of int, optional
        How many shards the batch fills; by default one, and as many as there may be. With channels in the lanes a
        dense layer always computes all samples, from what an earlier run left where the batch has fewer.

    Raises
    ------
    ProgramError
        At the first place that breaks a rule, or for a kernel whose reads and writes are not declared.
    """
    library.load(program.requests())
    for filled in sorted({1, program.shards} if shards is None else shards):
        _Run(program, filled).check()


@dataclass(frozen=True)
class _Access:
    """A use of a segment by a row of a task: the first word of 4 bytes, and which words from there on."""

    row: Row
    use: Use
    first: int
    words: np.ndarray

    @property
    def segment(self) -> str:
        return self.use.place.segment

    def __str__(self) -> str:
        kernel = self.row.request and f"{self.row.request.module}.{self.row.request.name}"
        return f"{self.row.where or self.row.section}: {kernel}: {self.use.argument}"


@dataclass
class _Run:
    """A run of a program with so many shards, word by word.

    Attributes
    ----------
    ever, written : dict of segment to bool[words]
        What any row writes; what was written so far.
    writers, readers : dict of segment to int32[words]
        Which task of the phase at work, counted from 1, wrote or read; 0 for none.
    """

    program: Program
    shards: int
    ever: dict[str, np.ndarray] = field(default_factory=dict)
    written: dict[str, np.ndarray] = field(default_factory=dict)
    writers: dict[str, np.ndarray] = field(default_factory=dict)
    readers: dict[str, np.ndarray] = field(default_factory=dict)
    _known: Known = field(default_factory=dict)

    def check(self) -> None:
        """Raise ProgramError at the first place that breaks a rule."""
        for phase in range(len(self.program.phases)):
            for rows in self._tasks(phase):
                for access in self._accesses(rows):
                    self._check_bounds(access)
                    if access.use.writes and access.use.mode != "total" and self._is_tracked(access.segment):
                        self._of(self.ever, access, bool)[access.words] = True
        for phase in range(len(self.program.phases)):
            self.writers, self.readers = {}, {}
            for task, rows in enumerate(self._tasks(phase), 1):
                if not self.program.shared_arena:
                    self.written.pop(BUFFERS, None)  # what other tasks left there
                self._check_task(rows, task)

    def _check_task(self, rows: list[tuple[Row, dict[int, int]]], task: int) -> None:
        for row, registers in rows:
            if row.request is None:
                for written in self.written.values():
                    written[:] = True
            for access in self._accesses([(row, registers)]):
                if access.use.reads:
                    self._check_written(access)
                if self._is_shared(access.segment):
                    self._check_alone(access, task)
                if access.use.writes and self._is_tracked(access.segment):
                    self._of(self.written, access, bool)[access.words] = access.use.mode != "scratch"

    def _tasks(self, number: int) -> Iterator[list[tuple[Row, dict[int, int]]]]:
        phase = self.program.phases[number]
        tasks = list(zip(phase.tasks, phase.spans, strict=True))
        for registers, span in tasks[: self.shards * phase.each] if phase.each else tasks:
            yield [(row, registers) for row in phase.rows[slice(*span)]]

    def _accesses(self, rows: list[tuple[Row, dict[int, int]]]) -> Iterator[_Access]:
        for row, registers in rows:
            if row.request is None:
                continue
            for use in uses(self.program, row, registers, self.shards, self._known):
                yield _Access(row, use, (use.place.offset + use.first) // 4, use.cells())

    def _check_bounds(self, access: _Access) -> None:
        use, segment = access.use, self.program.segments.get(access.segment)
        if segment is None:
            raise ProgramError(f"{access} must point into a segment of the program; got {access.segment!r}.")
        begin, end = use.place.offset + use.first, use.place.offset + int(use.ends[-1])
        if begin < 0 or end > segment.size:
            raise ProgramError(
                f"{access} must stay inside {segment.name}, {segment.size} bytes; got bytes {begin} to {end}."
            )

    def _check_written(self, access: _Access) -> None:
        if not self._is_tracked(access.segment) or not starts_blank(access.segment):
            return
        never = self._of(self.ever, access, bool) & ~self._of(self.written, access, bool) & access.words
        if never.any():
            raise ProgramError(
                f"{access} must be written before it is read; got {int(never.sum())} words that are not, "
                f"the first of them word {access.first + int(never.argmax())} of {access.segment}."
            )

    def _check_alone(self, access: _Access, task: int) -> None:
        writers, readers = self._of(self.writers, access, np.int32), self._of(self.readers, access, np.int32)
        others = (writers != 0) & (writers != task) & access.words
        if access.use.writes:
            others |= (readers != 0) & (readers != task) & access.words
            writers[access.words] = task
        if access.use.reads:
            readers[access.words] = np.where(np.isin(readers[access.words], (0, task)), task, MANY)
        if others.any():
            raise ProgramError(
                f"{access} must belong to one task of a phase; got {int(others.sum())} words of {access.segment} "
                "that another task uses at the same time."
            )

    def _is_tracked(self, segment: str) -> bool:
        return not self.program.segments[segment].external

    def _is_shared(self, segment: str) -> bool:
        """Return whether several tasks see the same words; those of ``PROBLEMS`` may come from any of them."""
        own = segment == BUFFERS and not self.program.shared_arena
        return self._is_tracked(segment) and segment != PROBLEMS and not own

    def _of(self, known: dict[str, np.ndarray], access: _Access, dtype: type) -> np.ndarray:
        """Return the part of a segment's words that an access is about, as a view."""
        if access.segment not in known:
            known[access.segment] = np.zeros(-(-self.program.segments[access.segment].size // 4), dtype)
        return known[access.segment][access.first : access.first + len(access.words)]
