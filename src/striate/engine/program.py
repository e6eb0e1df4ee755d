"""A program as data: rows of kernel calls, the phases they form, and the named segments of memory they work on.

Nothing in here is an address. ``striate.engine.binding`` puts a program into memory.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from striate.kernels.library import Request

REGISTERS = 11
ZERO, ARENA, GRADIENT, INDEX, LANEWISE, TARGETS, OUTPUTS, CHUNK, COUNT, LANEWISE_NUMBER, SUMMED = range(REGISTERS)
"""What the registers of a task hold, in bytes: nothing; where the buffers begin; the shard's gradient; and the
shard's part of the sample numbers, of arrays with one float per sample, of the targets, of the outputs; the chunk's
part of the flat vectors, and its number of values; the number of the shard's first sample; how many of the
chunk's values must be summed over the shards."""
REGISTER_NAMES = (
    "zero",
    "arena",
    "gradient",
    "index",
    "lanewise",
    "targets",
    "outputs",
    "chunk",
    "count",
    "lanewise_number",
    "summed",
)
PACK, FORWARD, LOSS, BACKWARD, UPDATE = "pack", "forward", "loss", "gradient", "update"
"""Sections: weights in the order of the kernels; values; losses; gradients and their sum; the optimizer's step."""
BUFFERS, INPUTS, TABLES, CONSTANTS = "arena", "inputs", "tables", "constants"
ALIGNMENT = 64  # bytes


@dataclass(frozen=True)
class Place:
    """A place in memory: bytes beyond the begin of a segment, and beyond what a register holds.

    Without a segment it is a number, to which that of the register is added.
    """

    segment: str
    offset: int = 0
    register: int = ZERO

    def __add__(self, floats: int) -> Place:
        return Place(self.segment, self.offset + 4 * int(floats), self.register)

    def __str__(self) -> str:
        offset = f"+{self.offset}" if self.offset else ""
        register = f"+[{REGISTER_NAMES[self.register]}]" if self.register else ""
        return (self.segment + offset + register).lstrip("+") or "0"


@dataclass(frozen=True)
class ByCount:
    """An argument that depends on how many shards a batch fills: ``values[shards - 1]``."""

    values: tuple[Any, ...]


@dataclass(frozen=True)
class Segment:
    """A named piece of memory.

    Parameters
    ----------
    name : str
    size : int
        In bytes.
    contents : array, optional
        What it holds from the beginning to the end; otherwise it begins with zeros.
    external : bool
        Others own it, and say before each run where it lies.
    """

    name: str
    size: int
    contents: np.ndarray | None = None
    external: bool = False


CallBack = Callable[[Sequence[int], Any], None]
"""A Python function of the addresses of its arguments and of the ``Memory`` of a bound program."""


@dataclass(frozen=True, eq=False)
class Row:
    """One call of a kernel, or of a Python function that takes the addresses of its arguments.

    Parameters
    ----------
    beside : (group, chain), optional
        Neighbouring rows of a group that belong to different chains do not depend on each other.
    """

    request: Request | None
    arguments: dict[str, Any]
    section: str
    function: CallBack | None = None
    where: str = ""
    beside: tuple[int, int] | None = None


@dataclass(frozen=True)
class Check:
    """What kernels cannot raise: a DataError if the first float of a place is not 0 after a run.

    Parameters
    ----------
    place : Place
        Of ``count`` floats.
    message : str
        With the floats as its fields, such as ``{1:g}``.
    """

    place: Place
    message: str
    count: int = 2


@dataclass
class Phase:
    """Tasks that may run side by side.

    Parameters
    ----------
    rows : list of Row
    tasks : list of dict
        What the registers of each task hold.
    spans : list of (first, end)
        The rows that each task runs through.
    each : int
        Tasks of each shard, one shard after the other, of which only those that a batch fills are run; 0 where
        the tasks do not belong to shards.
    seen : list of (offset, floats)
        What the phases after it read in the buffers of every shard: processes that share the shards exchange it.
    """

    rows: list[Row]
    tasks: list[dict[int, int]]
    spans: list[tuple[int, int]]
    each: int = 0
    seen: list[tuple[int, int]] = field(default_factory=list)


@dataclass
class Program:
    """Rows of kernel calls in phases, and the segments that they point to.

    Parameters
    ----------
    lanes : int
    shared_arena : bool
        Whether the buffers of all shards stand side by side in one segment; otherwise every thread has its own.

    Attributes
    ----------
    phases : list of Phase
    segments : dict of str to Segment
    checks : list of Check
    random_layers : list of str
        Layers that draw random numbers, in the order of their keys.
    shapes : dict of (segment, offset) to shape
        Of every table and array of constants.
    """

    lanes: int
    shared_arena: bool = False
    phases: list[Phase] = field(default_factory=list)
    segments: dict[str, Segment] = field(default_factory=dict)
    checks: list[Check] = field(default_factory=list)
    random_layers: list[str] = field(default_factory=list)
    shapes: dict[tuple[str, int], tuple[int, ...]] = field(default_factory=dict)
    _known: dict[tuple[Any, ...], Place] = field(default_factory=dict)
    _arrays: dict[str, dict[int, np.ndarray]] = field(default_factory=dict)

    def segment(self, name: str, size: int, *, external: bool = False) -> Place:
        """Name ``size`` bytes; return where they begin."""
        self.segments[name] = Segment(name, size, external=external)
        return Place(name)

    def room(self, segment: str, floats: int) -> Place:
        """Return a place for so many floats in a segment that grows by them."""
        begin = self.segments[segment].size if segment in self.segments else 0
        self.segments[segment] = Segment(segment, begin + _aligned(4 * floats))
        return Place(segment, begin)

    def table(self, values: Any) -> Place:
        """Return where ``values`` stand as int64, the same place for the same numbers."""
        return self._constant(TABLES, np.ascontiguousarray(values, np.int64))

    def array(self, values: Any) -> Place:
        """Return where ``values`` stand as float32, the same place for the same numbers."""
        return self._constant(CONSTANTS, np.ascontiguousarray(values, np.float32))

    def entries(self, table: Place) -> np.ndarray:
        """Return the contents of a table of an unfinished program."""
        return self._arrays[table.segment][table.offset]

    def _constant(self, segment: str, array: np.ndarray) -> Place:
        key = (segment, array.shape, array.tobytes())
        if key not in self._known:
            place = Place(segment, self.segments[segment].size if segment in self.segments else 0)
            self._arrays.setdefault(segment, {})[place.offset] = array
            self.segments[segment] = Segment(segment, place.offset + _aligned(array.nbytes))
            self.shapes[segment, place.offset] = array.shape
            self._known[key] = place
        return self._known[key]

    def finish(self) -> Program:
        """Put the tables and constants into their segments; return the program."""
        for name, arrays in self._arrays.items():
            contents = np.zeros(self.segments[name].size, np.uint8)
            for begin, array in arrays.items():
                contents[begin : begin + array.nbytes] = array.reshape(-1).view(np.uint8)
            self.segments[name] = Segment(name, len(contents), contents)
        self._arrays, self._known = {}, {}
        return self

    def row(
        self,
        section: str,
        kernel: str,
        constants: Sequence[int | str] = (),
        /,
        *,
        where: str = "",
        **arguments: Any,
    ) -> Row:
        """Return a call of ``kernel`` ("module.name"); ``where`` names what it belongs to.

        Arrays among the arguments become tables and constants.
        """
        module, name = kernel.split(".")
        values = {
            key: self._place(value) if isinstance(value, np.ndarray) else value for key, value in arguments.items()
        }
        return Row(Request(module, name, self.lanes, tuple(constants)), values, section, where=where)

    def _place(self, values: np.ndarray) -> Place:
        return self.table(values) if values.dtype.kind in "iu" else self.array(values)

    def phase(self, rows: list[Row], tasks: Sequence[dict[int, int]]) -> None:
        """Append ``rows`` as a phase that runs once for each of ``tasks`` (register -> value)."""
        self.phases.append(Phase(rows, list(tasks), [(0, len(rows))] * len(tasks)))

    def shared(self, parts: Sequence[list[Row]], shards: Sequence[dict[int, int]]) -> None:
        """Append a phase in which every shard (register -> value) has a task for each of ``parts``."""
        rows = [row for part in parts for row in part]
        ends = list(itertools.accumulate(map(len, parts)))
        spans = list(zip([0, *ends[:-1]], ends, strict=True))
        tasks = [shard for shard in shards for _ in parts]
        self.phases.append(Phase(rows, tasks, spans * len(shards), len(parts)))

    def side_by_side(self, rows: list[Row]) -> None:
        """Append ``rows`` as a phase in which each is a task of its own."""
        self.phases.append(Phase(rows, [{} for _ in rows], [(i, i + 1) for i in range(len(rows))]))

    @property
    def rows(self) -> list[Row]:
        """The rows of all phases in order."""
        return [row for phase in self.phases for row in phase.rows]

    @property
    def shards(self) -> int:
        """The largest number of shards that a batch may fill."""
        tasks = [len(phase.tasks) // phase.each for phase in self.phases if phase.each]
        listed = [len(v.values) for row in self.rows for v in row.arguments.values() if isinstance(v, ByCount)]
        return max([*tasks, *listed], default=1)

    @property
    def most_tasks(self) -> int:
        """The most tasks of a phase, packing left out: threads beyond that have nothing to do."""
        return max((len(phase.tasks) for phase in self.phases if phase.rows[0].section != PACK), default=1)

    def requests(self) -> list[Request]:
        """Return every kernel that the program needs."""
        return [row.request for row in self.rows if row.request is not None]

    def __str__(self) -> str:
        from striate.engine.listing import listing

        return listing(self)

    def bytes(self, threads: int) -> int:
        """Return the memory that all segments take, with the buffers of so many threads."""
        arenas = 1 if self.shared_arena else threads
        return sum(segment.size * (arenas if name == BUFFERS else 1) for name, segment in self.segments.items())


def _aligned(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT
