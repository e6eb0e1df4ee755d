"""A program under construction: rows of kernel calls, their tables, and the phases they form."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from striate.kernels import library
from striate.kernels.library import Request

MAX_ARGUMENTS = 24
ROW = 2 + 2 * MAX_ARGUMENTS
REGISTERS = 11
ZERO, ARENA, GRADIENT, INDEX, LANEWISE, TARGETS, OUTPUTS, CHUNK, COUNT, LANEWISE_NUMBER, SUMMED = range(REGISTERS)
"""What the registers of a task hold, in bytes: nothing; the buffers; the shard's gradient; and the shard's
part of the sample numbers, of arrays with one float per sample, of the targets, of the outputs; the chunk's
part of the flat vectors, and its number of values; the number of the shard's first sample; how many of the
chunk's values must be summed over the shards."""


@dataclass(frozen=True)
class Place:
    """An address: a number of bytes beyond what a register holds."""

    bytes: int
    register: int = ZERO

    def __add__(self, floats: int) -> Place:
        return Place(self.bytes + 4 * int(floats), self.register)


CallBack = Callable[[Sequence[int]], None]


@dataclass(frozen=True, eq=False)
class Row:
    """One call of a kernel, or of a Python function that takes the addresses of its arguments."""

    request: Request | None
    arguments: dict[str, Any]
    function: CallBack | None = None


@dataclass
class Phase:
    """Tasks that may run side by side: the rows that each runs through, and its registers."""

    rows: list[Row] = field(default_factory=list)
    tasks: list[list[int]] = field(default_factory=list)
    parts: list[tuple[int, int]] = field(default_factory=list)


class Program:
    """Collects rows and the tables that they point to."""

    def __init__(self, lanes: int) -> None:
        self.lanes = lanes
        self.phases: list[Phase] = []
        self._tables: dict[tuple, np.ndarray] = {}
        self.kept: list[Any] = []
        self.errors: list[BaseException] = []
        self.checks: list[Callable[[], None]] = []  # called after every run; they raise what kernels cannot

    def share(self, other: Program) -> None:
        """Keep tables and errors where ``other`` does: rows of both run in one program."""
        self._tables, self.kept, self.errors, self.checks = other._tables, other.kept, other.errors, other.checks

    def row(self, kernel: str, constants: Sequence[int | str] = (), /, **arguments: Any) -> Row:
        """Return a call of ``kernel`` ("module.name"); arrays among the arguments are passed as addresses."""
        module, name = kernel.split(".")
        return Row(Request(module, name, self.lanes, tuple(constants)), arguments)

    def table(self, values: Any) -> np.ndarray:
        """Return ``values`` as a contiguous int64 table, the same object for the same numbers."""
        array = np.ascontiguousarray(values, np.int64)
        key = (array.shape, array.tobytes()) if array.size < 4096 else (id(array),)
        return self._tables.setdefault(key, array)

    def phase(self, rows: list[Row], tasks: Sequence[dict[int, int]]) -> None:
        """Append ``rows`` as a phase that runs once for each of ``tasks`` (register -> value)."""
        registers = [[task.get(register, 0) for register in range(REGISTERS)] for task in tasks]
        self.phases.append(Phase(rows, registers, [(0, len(rows))] * len(tasks)))

    def side_by_side(self, rows: list[Row], task: dict[int, int]) -> None:
        """Append ``rows`` as a phase in which each is a task of its own, all with the registers of ``task``."""
        registers = [task.get(register, 0) for register in range(REGISTERS)]
        self.phases.append(Phase(rows, [registers] * len(rows), [(i, i + 1) for i in range(len(rows))]))

    def requests(self) -> list[Request]:
        """Return every kernel that the program needs."""
        rows = [row for phase in self.phases for row in phase.rows]
        return [row.request for row in rows if row.request is not None]

    def assemble(self) -> Tables:
        """Load the kernels and turn the program into the tables that the runner reads."""
        kernels = library.load([*self.requests(), LEAD])
        rows = [row for phase in self.phases for row in phase.rows]
        code = np.zeros((max(1, len(rows)), ROW), np.int64)
        index = {}
        for i, row in enumerate(rows):
            address, values = self._call(row, kernels)
            code[i, :2] = address, len(values)
            for j, value in enumerate(values):
                code[i, 2 + j], code[i, 2 + len(values) + j] = self._encode(value)
            index[id(row)] = i
        phases: list[list[int]] = []
        tasks: list[list[int]] = []
        first = 0
        for phase in self.phases:
            phases.append([len(tasks), len(phase.tasks)])
            tasks += [
                [first + a, first + b, *registers]
                for (a, b), registers in zip(phase.parts, phase.tasks, strict=True)
            ]
            first += len(phase.rows)
        self.kept += list(self._tables.values())
        return Tables(
            kernels[LEAD].address,
            code,
            np.array(phases, np.int64),
            np.array(tasks, np.int64),
            {id(row): [name for name, _ in kernels[row.request].signature] for row in rows if row.request},
            index,
            (self.kept, rows),
            self.errors,
            self.checks,
        )

    def _call(self, row: Row, kernels: dict[Request, library.Kernel]) -> tuple[int, list[Any]]:
        """Return the address of the code of a row, and its arguments in order."""
        if row.request is not None:
            return kernels[row.request].address, kernels[row.request].pack(**row.arguments)
        values = list(row.arguments.values())
        entry = python_entry(row.function, len(values), self.errors)
        self.kept.append(entry)
        return ctypes.cast(entry, ctypes.c_void_p).value or 0, values

    def _encode(self, value: Any) -> tuple[int, int]:
        if isinstance(value, Place):
            return value.bytes, value.register
        if isinstance(value, np.ndarray):
            self.kept.append(value)
            return value.ctypes.data, ZERO
        return int(value), ZERO


LEAD = Request("runner", "lead", 8)
ENTRY = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)
"""Every kernel's type: see ``striate.kernels.compiler``."""


def python_entry(function: CallBack | None, count: int, errors: list[BaseException]) -> Any:
    """Return an entry, like that of a kernel, that calls ``function`` with ``count`` addresses.

    An exception cannot pass through compiled code: it is kept in ``errors``.
    """
    assert function is not None

    def entry(result: int, exception: int, arguments: int) -> int:
        try:
            function(list((ctypes.c_int64 * count).from_address(arguments)))
        except BaseException as error:
            errors.append(error)
        return 0

    return ENTRY(entry)


@dataclass(frozen=True)
class Tables:
    """A program as the runner reads it."""

    leader: int
    rows: np.ndarray
    phases: np.ndarray
    tasks: np.ndarray
    _names: dict[int, list[str]]
    _index: dict[int, int]
    _kept: Any
    errors: list[BaseException]
    checks: list[Callable[[], None]]

    def patch(self, row: Row, argument: str, value: int) -> None:
        """Change the number (or address) of one argument of an assembled row."""
        self.rows[self._index[id(row)], 2 + self._names[id(row)].index(argument)] = value
