"""Prove, before a program runs, that its rows stay inside their segments and read only what was written."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np

from striate.engine.footprint import ELEMENT_BYTES, Known, Use, distinct, signature_of, uses
from striate.engine.program import BUFFERS, ByCount, Place, Program, Row
from striate.engine.segments import PROBLEMS, starts_blank
from striate.errors import ProgramError
from striate.kernels import library

_NUMBERS: dict[str, tuple[type, ...]] = {"int": (int, np.integer), "float": (int, float, np.integer, np.floating)}
_KINDS = {"int": "a whole number", "float": "a number", **dict.fromkeys(ELEMENT_BYTES, "a place")}
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
    for row in program.rows:
        if row.request is not None:
            _check_arguments(row, signature_of(row.request))
    known: Known = {}
    for filled in sorted({1, program.shards} if shards is None else shards):
        _Run(program, filled, known).check()


def _check_arguments(row: Row, signature: dict[str, str]) -> None:
    """Raise ProgramError unless a row has all arguments of its kernel and no others, each of the right kind."""
    what = f"{row.where or row.section}: {row.request and row.request.name}"
    for name in sorted(signature.keys() ^ row.arguments.keys()):
        state = "is missing" if name in signature else "is none of its arguments"
        raise ProgramError(f"{what}: takes {', '.join(signature)}; {name} {state}.")
    for name, kind in signature.items():
        value = row.arguments[name]
        for each in value.values if isinstance(value, ByCount) else (value,):
            if isinstance(each, Place):
                fits = kind in ELEMENT_BYTES if each.segment else kind == "int"
            else:
                fits = isinstance(each, _NUMBERS.get(kind, ()))
            if not fits:
                raise ProgramError(f"{what}: {name} must be {_KINDS[kind]}; got {each}.")


@dataclass(frozen=True)
class _Access:
    """A use of a segment by a row of a task: runs of words of 4 bytes, ``begins`` to ``ends``."""

    row: Row
    use: Use
    begins: np.ndarray
    ends: np.ndarray

    @property
    def segment(self) -> str:
        return self.use.place.segment

    def __str__(self) -> str:
        kernel = self.row.request and f"{self.row.request.module}.{self.row.request.name}"
        return f"{self.row.where or self.row.section}: {kernel}: {self.use.argument}"


class _Words:
    """The words of a segment. Neighbours that every access takes together are one cell.

    Attributes
    ----------
    ever, written : bool[cells]
        What any row writes; what was written so far.
    writers, readers : int32[cells]
        Which task of the phase at work, counted from 1, wrote or read; 0 for none.
    """

    def __init__(self, accesses: list[_Access]) -> None:
        begins, ends = _runs(accesses)
        self._borders = distinct(np.concatenate([begins, ends]))
        writers = [access for access in accesses if access.use.writes and access.use.mode != "total"]
        self.ever = np.append(self._covered(*_runs(writers), 0, len(self._borders) - 1), False)
        self.written = np.zeros(len(self._borders), bool)
        self.writers, self.readers = np.zeros((2, len(self._borders)), np.int32)

    def _covered(self, begins: np.ndarray, ends: np.ndarray, first: int, last: int) -> np.ndarray:
        """Return which cells from the first up to the last lie in some run."""
        begun, ended = (
            np.bincount(np.searchsorted(self._borders, part) - first, minlength=last - first + 1)
            for part in (begins, ends)
        )
        return np.asarray(np.cumsum(begun[:-1] - ended[:-1]) > 0)

    def cells(self, access: _Access) -> np.ndarray:
        """Return the numbers of the cells of an access."""
        first, last = np.searchsorted(self._borders, (access.begins[0], access.ends[-1]))
        return np.asarray(first + np.flatnonzero(self._covered(access.begins, access.ends, first, last)))

    def count(self, cells: np.ndarray) -> int:
        """Return how many words some cells have."""
        return int((self._borders[cells + 1] - self._borders[cells]).sum())

    def first(self, cells: np.ndarray) -> int:
        """Return the first word of some cells."""
        return int(self._borders[cells[0]])


class _Run:
    """A run of a program with so many shards, word by word."""

    def __init__(self, program: Program, shards: int, known: Known) -> None:
        self.program, self.shards, self._known = program, shards, known
        self._phases = [
            [[(row, list(self._accesses(row, registers))) for row, registers in rows] for rows in self._tasks(n)]
            for n in range(len(program.phases))
        ]
        found: dict[str, list[_Access]] = {}
        for access in (a for tasks in self._phases for rows in tasks for _, accesses in rows for a in accesses):
            if not program.segments[access.segment].external:
                found.setdefault(access.segment, []).append(access)
        self._words = {segment: _Words(accesses) for segment, accesses in found.items()}

    def check(self) -> None:
        """Raise ProgramError at the first place that breaks a rule."""
        for tasks in self._phases:
            for words in self._words.values():
                words.writers[:], words.readers[:] = 0, 0
            for number, rows in enumerate(tasks, 1):
                if not self.program.shared_arena and BUFFERS in self._words:
                    self._words[BUFFERS].written[:] = False  # what other tasks left there
                self._check_task(rows, number)

    def _check_task(self, rows: list[tuple[Row, list[_Access]]], task: int) -> None:
        for row, accesses in rows:
            if row.request is None:
                for words in self._words.values():
                    words.written[:] = True
            for access in accesses:
                if access.segment not in self._words:
                    continue
                words = self._words[access.segment]
                cells = words.cells(access)
                if access.use.reads and starts_blank(access.segment):
                    _check_written(access, words, cells)
                if self._is_shared(access.segment):
                    _check_alone(access, words, cells, task)
                if access.use.writes:
                    words.written[cells] = access.use.mode != "scratch"

    def _tasks(self, number: int) -> Iterator[list[tuple[Row, dict[int, int]]]]:
        phase = self.program.phases[number]
        tasks = list(zip(phase.tasks, phase.spans, strict=True))
        for registers, span in tasks[: self.shards * phase.each] if phase.each else tasks:
            yield [(row, registers) for row in phase.rows[slice(*span)]]

    def _accesses(self, row: Row, registers: dict[int, int]) -> Iterator[_Access]:
        if row.request is None:
            return
        for use in uses(self.program, row, registers, self.shards, self._known):
            begins, ends = use.place.offset + use.begins, use.place.offset + use.ends
            access = _Access(row, use, begins // 4, (ends + 3) // 4)
            self._check_bounds(access, int(begins[0]), int(ends[-1]))
            yield access

    def _check_bounds(self, access: _Access, begin: int, end: int) -> None:
        segment = self.program.segments.get(access.segment)
        if segment is None:
            raise ProgramError(f"{access} must point into a segment of the program; got {access.segment!r}.")
        if begin < 0 or end > segment.size:
            raise ProgramError(
                f"{access} must stay inside {segment.name}, {segment.size} bytes; got bytes {begin} to {end}."
            )

    def _is_shared(self, segment: str) -> bool:
        """Return whether several tasks see the same words; those of ``PROBLEMS`` may come from any of them."""
        return segment != PROBLEMS and (segment != BUFFERS or self.program.shared_arena)


def _runs(accesses: list[_Access]) -> tuple[np.ndarray, np.ndarray]:
    """Return the begins and ends of all their runs."""
    none = np.zeros(0, np.int64)
    begins, ends = ([none, *(getattr(access, side) for access in accesses)] for side in ("begins", "ends"))
    return np.concatenate(begins), np.concatenate(ends)


def _check_written(access: _Access, words: _Words, cells: np.ndarray) -> None:
    never = cells[words.ever[cells] & ~words.written[cells]]
    if len(never):
        raise ProgramError(
            f"{access} must be written before it is read; got {words.count(never)} words that are not, "
            f"the first of them word {words.first(never)} of {access.segment}."
        )


def _check_alone(access: _Access, words: _Words, cells: np.ndarray, task: int) -> None:
    """Raise ProgramError if another task of the phase uses the cells; note that this one does."""
    writers, readers = words.writers[cells], words.readers[cells]
    others = (writers != 0) & (writers != task)
    if access.use.writes:
        others |= (readers != 0) & (readers != task)
        words.writers[cells] = task
    if access.use.reads:
        words.readers[cells] = np.where((readers == 0) | (readers == task), task, MANY)
    if others.any():
        raise ProgramError(
            f"{access} must belong to one task of a phase; got {words.count(cells[others])} words of "
            f"{access.segment} that another task uses at the same time."
        )
