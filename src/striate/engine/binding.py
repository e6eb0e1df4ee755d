"""A program put into memory: the only place where names become addresses."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from striate.engine.memory import aligned
from striate.engine.program import (
    ARENA,
    BUFFERS,
    REGISTERS,
    ZERO,
    ByCount,
    CallBack,
    Place,
    Program,
    Row,
    Segment,
)
from striate.errors import DataError
from striate.kernels import library
from striate.kernels.library import Request

MAX_ARGUMENTS = 24
ROW = 2 + 2 * MAX_ARGUMENTS
LEAD = Request("runner", "lead", 8)
ENTRY = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)
"""Every kernel's type: see ``striate.kernels.compiler``."""


@dataclass
class Memory:
    """The arrays behind the segments of a program, by name.

    Attributes
    ----------
    run : (seed, step)
        What fixes the random numbers of layers without kernels.
    """

    arrays: dict[str, np.ndarray]
    run: tuple[int, int] = (0, 0)

    def __getitem__(self, segment: str) -> np.ndarray:
        return self.arrays[segment]

    def address(self, segment: str) -> int:
        """Return where a segment begins; 0 for numbers, and for segments whose place is known later."""
        return int(self.arrays[segment].ctypes.data) if segment in self.arrays else 0


@dataclass
class Selection:
    """Some sections of a program as the runner reads them.

    Parameters
    ----------
    phases : int64[phases, 2]
        First task, number of tasks.
    tasks : int64[tasks, 2 + REGISTERS]
    by_shards : list of int
        Phases with tasks for each shard.
    each : int64[len(by_shards)]
        How many tasks a shard has in them.
    numbers : list of int
        Which phases of the program these are.
    """

    phases: np.ndarray
    tasks: np.ndarray
    by_shards: list[int]
    each: np.ndarray
    numbers: list[int] = field(default_factory=list)


@dataclass
class _Patches:
    """The cells of the rows that change from run to run."""

    external: dict[str, list[tuple[int, int, int]]] = field(default_factory=dict)
    by_count: list[tuple[int, int, list[int]]] = field(default_factory=list)


class Bound:
    """A program in memory.

    Parameters
    ----------
    program : Program
        Finished.
    memory : mapping of str to array
        Segments that others want to see. The rest is allocated here, except the arena where every thread has
        its own.

    Attributes
    ----------
    rows : int64[rows, ROW]
    memory : Memory
    errors : list of exceptions
        Of Python functions in the run.
    """

    def __init__(self, program: Program, memory: Mapping[str, np.ndarray] | None = None) -> None:
        self.program, self.errors = program, list[BaseException]()
        self.memory = Memory({**(memory or {})})
        self._patches, self._kept = _Patches(), list[Any]()
        self._selections: dict[tuple[str, ...] | None, Selection] = {}
        self._shards = program.shards
        for segment in program.segments.values():
            self._allocate(segment)
        self._encode()

    @property
    def arena_floats(self) -> int:
        """Floats of buffers that each thread needs for itself."""
        found = self.program.segments.get(BUFFERS)
        return 0 if found is None or self.program.shared_arena else found.size // 4

    def _allocate(self, segment: Segment) -> None:
        name, arrays = segment.name, self.memory.arrays
        own_of_threads = name == BUFFERS and not self.program.shared_arena
        if segment.external or own_of_threads:
            return
        if name not in arrays:
            arrays[name] = aligned(-(-segment.size // 4))
        elif arrays[name].nbytes < segment.size:
            raise ValueError(f"{name}: needs {segment.size} bytes; got {arrays[name].nbytes}.")
        if segment.contents is not None:
            arrays[name].reshape(-1).view(np.uint8)[: segment.size] = segment.contents

    def _encode(self) -> None:
        rows = self.program.rows
        kernels = library.load([*self.program.requests(), LEAD])
        self.leader = kernels[LEAD].address
        self.rows = np.zeros((max(1, len(rows)), ROW), np.int64)
        for i, row in enumerate(rows):
            address, values = self._call(row, kernels)
            self.rows[i, :2] = address, len(values)
            for j, value in enumerate(values):
                self._encode_argument(i, 2 + j, 2 + len(values) + j, value)

    def _call(self, row: Row, kernels: dict[Request, library.Kernel]) -> tuple[int, list[Any]]:
        """Return the address of the code of a row, and its arguments in order."""
        if row.request is not None:
            return kernels[row.request].address, kernels[row.request].pack(**row.arguments)
        assert row.function is not None
        entry = self._python_entry(row.function, len(row.arguments))
        self._kept.append(entry)
        return ctypes.cast(entry, ctypes.c_void_p).value or 0, list(row.arguments.values())

    def _encode_argument(self, row: int, cell: int, register: int, value: Any) -> None:
        if isinstance(value, ByCount):
            numbers = [self._number(each) for each in value.values]
            self._patches.by_count.append((row, cell, numbers))
            self.rows[row, cell] = numbers[self._shards - 1]
            return
        self.rows[row, cell] = self._number(value)
        if isinstance(value, Place):
            in_arena = value.segment == BUFFERS and value.register == ZERO
            self.rows[row, register] = ARENA if in_arena else value.register
            segment = self.program.segments.get(value.segment)
            if segment is not None and segment.external:
                self._patches.external.setdefault(value.segment, []).append((row, cell, value.offset))

    def _number(self, value: Any) -> int:
        if isinstance(value, Place):
            return value.offset + (0 if value.segment == BUFFERS else self.memory.address(value.segment))
        return int(value)

    def _python_entry(self, function: CallBack, count: int) -> Any:
        """Return an entry, like that of a kernel, that calls ``function`` with ``count`` addresses.

        An exception cannot pass through compiled code: it is kept in ``errors``.
        """

        def entry(result: int, exception: int, arguments: int) -> int:
            try:
                function(list((ctypes.c_int64 * count).from_address(arguments)), self.memory)
            except BaseException as error:
                self.errors.append(error)
            return 0

        return ENTRY(entry)

    def select(self, sections: tuple[str, ...] | None = None) -> Selection:
        """Return the phases and tasks of some sections, or of all, for the runner."""
        if sections not in self._selections:
            self._selections[sections] = self._selected(sections)
        return self._selections[sections]

    def _selected(self, sections: tuple[str, ...] | None) -> Selection:
        first, phases, tasks = 0, list[list[int]](), list[list[int]]()
        by_shards, each, used = list[int](), list[int](), list[int]()
        for number, phase in enumerate(self.program.phases):
            begin = len(tasks)
            for registers, span in zip(phase.tasks, phase.spans, strict=True):
                chosen = [i for i in range(*span) if sections is None or phase.rows[i].section in sections]
                if chosen:
                    assert len(chosen) == chosen[-1] - chosen[0] + 1, "sections of a task must not interleave"
                    tasks.append([first + chosen[0], first + chosen[-1] + 1, *self._registers(registers)])
            if len(tasks) > begin:
                if phase.each:
                    by_shards.append(len(phases))
                    each.append(phase.each)
                used.append(number)
                phases.append([begin, self._shards * phase.each if phase.each else len(tasks) - begin])
            first += len(phase.rows)
        table = np.array(tasks, np.int64).reshape(-1, 2 + REGISTERS)
        return Selection(
            np.array(phases, np.int64).reshape(-1, 2), table, by_shards, np.array(each, np.int64), used
        )

    def _registers(self, task: dict[int, int]) -> list[int]:
        values = [task.get(register, 0) for register in range(REGISTERS)]
        if self.program.shared_arena:
            values[ARENA] += self.memory.address(BUFFERS)
        return values

    def attach(self, segment: str, address: int) -> None:
        """Say where an external segment begins."""
        for row, cell, offset in self._patches.external.get(segment, ()):
            self.rows[row, cell] = address + offset

    def choose(self, shards: int) -> None:
        """Let the next runs compute the first ``shards`` shards."""
        if shards == self._shards:
            return
        self._shards = shards
        for row, cell, numbers in self._patches.by_count:
            self.rows[row, cell] = numbers[shards - 1]
        for selection in self._selections.values():
            selection.phases[selection.by_shards, 1] = shards * selection.each

    def check(self) -> None:
        """Raise the error of the last run, if there was one."""
        if self.errors:
            error = self.errors[0]
            self.errors.clear()
            raise error
        for check in self.program.checks:
            begin = check.place.offset // 4
            found = self.memory[check.place.segment][begin : begin + check.count]
            if found[0]:
                values = found.copy()
                found[:] = 0.0
                raise DataError(check.message.format(*values))
