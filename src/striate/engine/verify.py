"""Prove, before a program runs, that its rows stay inside their segments and read only what was written."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import NamedTuple

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


class _Access(NamedTuple):
    """A use of a segment by a row of a task: the words of 4 bytes where its runs begin and end, int64[2, n]."""

    row: Row
    use: Use
    segment: str
    words: np.ndarray

    def __str__(self) -> str:
        kernel = self.row.request and f"{self.row.request.module}.{self.row.request.name}"
        return f"{self.row.where or self.row.section}: {kernel}: {self.use.argument}"


Cells = slice | np.ndarray


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
        different = {id(access.words): access.words for access in accesses}
        words = np.concatenate(list(different.values()), axis=1)
        self._borders = distinct(words)
        cells = np.searchsorted(self._borders, words)
        ends = np.cumsum([runs.shape[1] for runs in different.values()])
        self._runs = {
            key: cells[:, end - runs.shape[1] : end]
            for (key, runs), end in zip(different.items(), ends, strict=True)
        }
        self._cells: dict[int, Cells] = {}
        self._numbers = np.arange(len(self._borders))
        self.ever = self._covered({id(a.words) for a in accesses if a.use.writes and a.use.mode != "total"})
        self.written = np.zeros(len(self._borders), bool)
        self.writers, self.readers = np.zeros((2, len(self._borders)), np.int32)

    def _covered(self, keys: set[int]) -> np.ndarray:
        """Return which cells lie in some of the runs."""
        if not keys:
            return np.zeros(len(self._borders), bool)
        runs = np.concatenate([self._runs[key] for key in keys], axis=1)
        begun, ended = (np.bincount(part, minlength=len(self._borders)) for part in runs)
        return np.asarray(np.cumsum(begun - ended) > 0)

    def cells(self, access: _Access) -> Cells:
        """Return the cells of an access."""
        key = id(access.words)
        if key not in self._cells:
            self._cells[key] = _cells(*self._runs[key])
        return self._cells[key]

    def describe(self, cells: Cells, wrong: np.ndarray) -> tuple[int, int]:
        """Return how many words the wrong ones of some cells have, and the first of them."""
        numbers = distinct(self._numbers[cells][wrong])
        count = int((self._borders[numbers + 1] - self._borders[numbers]).sum())
        return count, int(self._borders[numbers[0]])


def _cells(begins: np.ndarray, ends: np.ndarray) -> Cells:
    """Return the cells of some runs."""
    if len(begins) == 1:
        return slice(int(begins[0]), int(ends[0]))
    lengths = ends - begins
    passed = np.cumsum(lengths)
    return np.asarray(np.repeat(ends - passed, lengths) + np.arange(passed[-1]))


class _Run:
    """A run of a program with so many shards, word by word."""

    def __init__(self, program: Program, shards: int, known: Known) -> None:
        self.program, self.shards, self._known = program, shards, known
        self._shifted: dict[tuple[int, int], np.ndarray] = {}
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
            shared = self._shared(tasks) if len(tasks) > 1 else set()
            for number, rows in enumerate(tasks, 1):
                if not self.program.shared_arena and BUFFERS in self._words:
                    self._words[BUFFERS].written[:] = False  # what other tasks left there
                self._check_task(rows, number, shared)

    def _check_task(self, rows: list[tuple[Row, list[_Access]]], task: int, shared: set[str]) -> None:
        """Check the accesses of a task in their order; other tasks may use ``shared`` segments too."""
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
                if access.segment in shared:
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
            access = _Access(row, use, use.place.segment, self._words_of(use))
            self._check_bounds(access)
            yield access

    def _words_of(self, use: Use) -> np.ndarray:
        """Return the words where the runs of a use begin and end, the same array for the same runs."""
        offset = use.place.offset
        key = id(use.begins), offset  # the footprints that are known keep their arrays
        if key not in self._shifted:
            words = self._shifted[key] = np.empty((2, len(use.begins)), np.int64)
            np.add(use.begins, offset, out=words[0])
            np.add(use.ends, offset + 3, out=words[1])
            words >>= 2
        return self._shifted[key]

    def _check_bounds(self, access: _Access) -> None:
        place = access.use.place
        begin, end = place.offset + access.use.first, place.offset + int(access.use.ends[-1])
        segment = self.program.segments.get(access.segment)
        if segment is None:
            raise ProgramError(f"{access} must point into a segment of the program; got {access.segment!r}.")
        if begin < 0 or end > segment.size:
            raise ProgramError(
                f"{access} must stay inside {segment.name}, {segment.size} bytes; got bytes {begin} to {end}."
            )

    def _shared(self, tasks: list[list[tuple[Row, list[_Access]]]]) -> set[str]:
        """Return the segments that some task writes and others see; ``PROBLEMS`` may come from any of them."""
        written = {a.segment for rows in tasks for _, accesses in rows for a in accesses if a.use.writes}
        return written - ({PROBLEMS} if self.program.shared_arena else {PROBLEMS, BUFFERS})


def _check_written(access: _Access, words: _Words, cells: Cells) -> None:
    missing = words.ever[cells] & ~words.written[cells]
    if missing.any():
        count, first = words.describe(cells, missing)
        raise ProgramError(
            f"{access} must be written before it is read; got {count} words that are not, "
            f"the first of them word {first} of {access.segment}."
        )


def _check_alone(access: _Access, words: _Words, cells: Cells, task: int) -> None:
    """Raise ProgramError if another task of the phase uses the cells; note that this one does."""
    writers, readers = words.writers[cells], words.readers[cells]
    others = (writers != 0) & (writers != task)
    if access.use.writes:
        others |= (readers != 0) & (readers != task)
    if others.any():
        raise ProgramError(
            f"{access} must belong to one task of a phase; got {words.describe(cells, others)[0]} words of "
            f"{access.segment} that another task uses at the same time."
        )
    if access.use.writes:
        words.writers[cells] = task
    if access.use.reads:
        words.readers[cells] = np.where((readers == 0) | (readers == task), task, MANY)
