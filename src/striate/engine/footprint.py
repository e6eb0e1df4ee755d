"""The places that a row of a program reads and writes, from the lines of ``striate.kernels.access``."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from types import CodeType
from typing import Any, NamedTuple

import numpy as np

from striate.engine.program import ARENA, BUFFERS, CONSTANTS, TABLES, ZERO, ByCount, Place, Program, Row
from striate.errors import ProgramError
from striate.kernels import library
from striate.kernels.access import ACCESS
from striate.kernels.library import Request

ELEMENT_BYTES = {"Floats": 4, "Ints": 8, "Bytes": 1}
_LINE = re.compile(r"(read|write|update|add|scratch|total) (\w+): (.*?)(?: if (\w+))?$")
_TERM = re.compile(r"(\w+)(?:\.(\d+|low|high|both)|@(\d))$")
_NAMES: dict[str, Any] = {"len": len, "int": int}
END = -(2**63)


class Use(NamedTuple):
    """What a row does with one of its arguments.

    Parameters
    ----------
    argument : str
    place : Place
    mode : str
        As in ``striate.kernels.access``, "update" for an "add" that reads and "write" for one that does not.
    begins, ends : int64[n]
        Runs of bytes from the place, in ascending order, with gaps between them.
    """

    argument: str
    place: Place
    mode: str
    begins: np.ndarray
    ends: np.ndarray

    @property
    def reads(self) -> bool:
        """Whether what was there before matters."""
        return self.mode in ("read", "update")

    @property
    def writes(self) -> bool:
        """Whether something else may be there afterwards."""
        return self.mode != "read"

    @property
    def first(self) -> int:
        """The first byte, from the place."""
        return int(self.begins[0])

    def cells(self) -> np.ndarray:
        """Return which words of 4 bytes are used, bool, from the first one to the last."""
        begins, ends = (self.begins - self.first) // 4, (self.ends - self.first + 3) // 4
        change = np.zeros(int(ends[-1]) + 1, np.int8)
        change[begins] += 1
        change[ends] -= 1
        return np.asarray(np.cumsum(change[:-1], dtype=np.int8) > 0)


Footprint = list[tuple[str, str, np.ndarray, np.ndarray]]
"""(argument, mode, begins, ends) of each use."""
Known = dict[tuple[Any, ...], Footprint]
"""The footprints that are known: by the row where no register decides; else by the kernel, the shards if they
matter, and the numbers and tables of the row. Many rows differ only in where their arrays begin."""


def uses(program: Program, row: Row, registers: dict[int, int], shards: int, known: Known) -> Iterator[Use]:
    """Yield what a row of a task does with each of its arguments if the batch fills ``shards`` shards.

    Parameters
    ----------
    known : dict
        Remembers what is worked out here; one for each program.

    Raises
    ------
    ProgramError
        If nobody has said what the kernel reads and writes.
    """
    found = known.get((id(row), shards))
    if found is None:
        found = _known(program, row, registers, shards, known)
    for argument, mode, begins, ends in found:
        yield Use(argument, _resolved(row.arguments[argument], registers, shards), mode, begins, ends)


def _known(program: Program, row: Row, registers: dict[int, int], shards: int, known: Known) -> Footprint:
    """Return the footprint of a row, which is then known."""
    values = {key: _resolved(value, registers, shards) for key, value in row.arguments.items()}
    kernel = row.request and f"{row.request.module}.{row.request.name}"
    counted = shards if "shards" in ACCESS.get(kernel or "", "") else 0
    key = (row.request, counted, *((name, _decisive(value)) for name, value in values.items()))
    if key not in known:
        known[key] = list(_footprint(program, row, values, shards))
    if not any(_moves(value, shards) for value in row.arguments.values()):
        known[id(row), shards] = known[key]
    return known[key]


def _moves(value: Any, shards: int) -> bool:
    """Return whether a register decides about a number, or about where a table stands."""
    if isinstance(value, ByCount):
        value = value.values[shards - 1]
    return isinstance(value, Place) and value.register != ZERO and value.segment in ("", TABLES, CONSTANTS)


def _decisive(value: Any) -> Any:
    """Return what a footprint depends on: a number, or where a table stands; of other places nothing."""
    if not isinstance(value, Place):
        return value
    return (value.segment, value.offset) if value.segment in (TABLES, CONSTANTS) else None


def _footprint(
    program: Program, row: Row, values: dict[str, Any], shards: int
) -> Iterator[tuple[str, str, np.ndarray, np.ndarray]]:
    request = row.request
    assert request is not None
    name = f"{request.module}.{request.name}"
    if name not in ACCESS:
        raise ProgramError(
            f"{name}: reads and writes of a kernel must be declared; got none. See kernels/access.py."
        )
    scope = Scope(program, values, request, shards)
    for mode, argument, terms, condition in declared(name):
        if condition is not None and not scope.number(condition):
            continue
        adds = "update" if values.get("accumulate") else "write"
        begins, ends = scope.places(terms, scope.element_bytes(argument))
        if len(begins):
            yield argument, adds if mode == "add" else mode, begins, ends


def declared(kernel: str) -> list[tuple[str, str, list[str], str | None]]:
    """Return mode, argument, terms and condition of each line of a kernel ("module.name")."""
    return _parsed(ACCESS[kernel])


@cache
def _parsed(text: str) -> list[tuple[str, str, list[str], str | None]]:
    lines = []
    for line in text.split("\n"):
        if line.strip():
            found = _LINE.match(line.strip())
            assert found is not None, line
            mode, argument, terms, condition = found.groups()
            lines.append((mode, argument, re.split(r" +\+ ", terms), condition))
    return lines


def _resolved(value: Any, registers: dict[int, int], shards: int) -> Any:
    """Return an argument as a number, or as a place without a register."""
    if isinstance(value, ByCount):
        value = value.values[shards - 1]
    if not isinstance(value, Place):
        return value
    register = ARENA if value.segment == BUFFERS and value.register == ZERO else value.register
    offset = value.offset + registers.get(register, 0)
    return Place(value.segment, offset) if value.segment else offset


@cache
def signature_of(request: Request) -> dict[str, str]:
    """Return the arguments of a kernel and their kinds."""
    return dict(library.load([request])[request].signature)


@cache
def _compiled(expression: str) -> CodeType:
    return compile(expression, "<kernels/access.py>", "eval")


@dataclass(frozen=True)
class Scope:
    """The numbers and tables that a line may name."""

    program: Program
    values: dict[str, Any]
    request: Request
    shards: int

    def element_bytes(self, argument: str) -> int:
        """Return the size of an element of an array."""
        return ELEMENT_BYTES[signature_of(self.request)[argument]]

    def number(self, expression: str) -> int:
        """Return the value of an expression of arguments."""
        code = _compiled(expression)  # the lines are our own
        return int(eval(code, {"__builtins__": {}}, {name: self._value(name) for name in code.co_names}))

    def _value(self, name: str) -> Any:
        """Return what a name in an expression stands for."""
        if name in _NAMES:
            return _NAMES[name]
        if name in ("lanes", "shards"):
            return self.request.lanes if name == "lanes" else self.shards
        if name not in self.values:
            return self.request.constants[int(name.removeprefix("constant"))]
        value = self.values[name]
        return self.table(name) if isinstance(value, Place) else value

    def table(self, name: str) -> np.ndarray:
        """Return a table or constant as it stands in its segment."""
        place = self.values[name]
        segment, kind = (
            (TABLES, np.int64) if signature_of(self.request)[name] == "Ints" else (CONSTANTS, np.float32)
        )
        contents = self.program.segments[segment].contents
        if contents is None or place.segment != segment:
            raise ProgramError(f"{name}: must lie in {segment}; got {place}.")
        shape = self.program.shapes[segment, place.offset]
        count = math.prod(shape)
        return contents[place.offset :][: count * np.dtype(kind).itemsize].view(kind).reshape(shape)

    def places(self, terms: list[str], size: int) -> tuple[np.ndarray, np.ndarray]:
        """Return where runs of bytes begin and end."""
        axes = [self._axis(term) for term in terms]
        begins, ends = np.zeros(1, np.int64), np.ones(1, np.int64)
        for axis in sorted(axes, key=_gap):  # the densest first: what lies side by side becomes one run
            if isinstance(axis, range) and 0 < axis.step <= (ends - begins).min(initial=len(axis)):
                begins, ends = _merged(begins, ends + axis[-1])  # each run grows into its copies
            else:
                steps = np.arange(axis.start, axis.stop, axis.step) if isinstance(axis, range) else axis
                begins, ends = _merged((begins[:, None] + steps).ravel(), (ends[:, None] + steps).ravel())
        return begins * size, ends * size

    def _axis(self, term: str) -> np.ndarray | range:
        """Return a set of offsets in ascending order; a range where their distances are equal."""
        found = _TERM.match(term)
        if term.startswith("="):
            return np.array([self.number(term[1:])])
        if found is None:
            count, _, stride = term.partition(":")
            step = self.number(stride) if stride else 1
            return range(0, self.number(count) * step, step) if step else range(1)
        name, column, side = found.groups()
        return distinct(self._window(name, int(side)) if side else self._column(self.table(name), column))

    def _column(self, table: np.ndarray, column: str) -> np.ndarray:
        if column.isdigit():
            return table.reshape(len(table), -1)[:, int(column)]
        flat = table.ravel()
        if column == "both":
            return flat.view(np.uint32).astype(np.int64)
        entries = flat[: np.flatnonzero(flat == END)[0]]
        if column == "high":
            return entries >> 32
        return (entries & 0xFFFFFFFF).astype(np.uint32).view(np.int32).astype(np.int64)

    def _window(self, name: str, side: int) -> np.ndarray:
        place, y, x = self.table(name).T
        row, height, width = (self.number(key) for key in ("row", "height", "width"))
        i, j = np.meshgrid(np.arange(side), np.arange(side), indexing="ij")
        inside = (y[:, None] + i.ravel() >= 0) & (y[:, None] + i.ravel() < height)
        inside &= (x[:, None] + j.ravel() >= 0) & (x[:, None] + j.ravel() < width)
        return np.asarray((place[:, None] + i.ravel() * row + j.ravel() * self.request.lanes)[inside])


def distinct(values: np.ndarray) -> np.ndarray:
    """Return the values in ascending order, each once; faster than ``np.unique``, which hashes them."""
    values = np.sort(values, axis=None, kind="stable")  # which merges runs that are in order, as most are here
    return values[np.diff(values, prepend=values[:1] - 1) > 0]


def _gap(axis: np.ndarray | range) -> int:
    """Return the least distance of two offsets."""
    if isinstance(axis, range):
        return axis.step if len(axis) > 1 else 0
    return int(np.diff(axis).min()) if len(axis) > 1 else 0


def _merged(begins: np.ndarray, ends: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return runs in ascending order, those that touch as one."""
    if len(begins) < 2:
        return begins, ends
    if (begins[1:] < begins[:-1]).any():
        order = np.argsort(begins, kind="stable")
        begins, ends = begins[order], ends[order]
    ends = np.maximum.accumulate(ends)
    apart = begins[1:] > ends[:-1]
    if not apart.any():
        return begins[:1], ends[-1:]
    return begins[np.concatenate(([True], apart))], ends[np.concatenate((apart, [True]))]
