"""What a library holds: constant data, a workspace, and calls whose arguments point into them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from striate.engine import segments
from striate.engine.binding import Bound
from striate.engine.footprint import Known, uses
from striate.engine.program import BUFFERS, FORWARD, INPUTS, PACK, Place, Program, Row
from striate.engine.team import Team
from striate.model import Model
from striate.targets.image import ALIGNMENT, contents_of, full_batch

DATA, WORKSPACE, X, Y = "data", "workspace", "x", "y"
"""What a pointer is relative to: the constants, the caller's memory, the sample, the answer."""
WRITTEN = (BUFFERS, segments.STATISTICS, segments.PROBLEMS)
"""What calls write to, beside the answer."""
Call = tuple[int, dict[str, Any]]
"""The number of a kernel and its arguments: numbers, or [base, bytes beyond it]."""


@dataclass(frozen=True)
class Contents:
    """A program for one sample in the form of a library.

    Parameters
    ----------
    data : bytes
        Packed weights, tables and other constants.
    workspace : int
        Bytes of memory that calls write to, which must be zero before the first one.
    rows : list of Row
        What computes a sample.
    """

    data: bytes
    workspace: int
    rows: list[Row]
    islands: dict[str, list[tuple[int, int, int]]] = field(repr=False)
    offsets: dict[str, int] = field(repr=False)

    def calls(self, numbers: dict[Any, int]) -> list[Call]:
        """Return the rows as calls of kernels that have such numbers."""
        return [
            (numbers[row.request], {name: self._value(value) for name, value in row.arguments.items()})
            for row in self.rows
        ]

    def _value(self, value: Any) -> Any:
        if not isinstance(value, Place):
            return value
        if value.segment in (INPUTS, segments.OUTPUTS):
            return [X if value.segment == INPUTS else Y, value.offset]
        if value.segment in self.offsets:
            return [WORKSPACE, self.offsets[value.segment] + value.offset]
        if value.segment not in self.islands:  # a number, or never read
            return value.offset
        found = [island for island in self.islands[value.segment] if island[0] <= value.offset < island[1]]
        begin, _, place = found[0] if found else self.islands[value.segment][0]
        return [DATA, place + value.offset - begin]


def contents(model: Model, program: Program) -> Contents:
    """Return what a library of the model holds; weights are packed here, so that it need not do so."""
    rows = [row for row in program.rows if row.section == FORWARD]
    data, islands = bytearray(), dict[str, list[tuple[int, int, int]]]()
    packed, parts = _packed(model, program), _parts(program, rows)
    for name in sorted(set(parts) - set(WRITTEN)):
        for begin, end in parts[name]:
            islands.setdefault(name, []).append((begin, end, len(data)))
            data += packed[name][begin:end].tobytes() + bytes(-(end - begin) % ALIGNMENT + ALIGNMENT)
    offsets, size = dict[str, int](), 0
    for name in sorted(set(parts) & set(WRITTEN)):
        offsets[name] = size
        size += -(-program.segments[name].size // ALIGNMENT) * ALIGNMENT + ALIGNMENT
    return Contents(bytes(data), size, rows, islands, offsets)


def _packed(model: Model, program: Program) -> dict[str, np.ndarray]:
    """Return the bytes of all segments that are not the sample, after the weights were packed."""
    bound = Bound(program)
    held = full_batch(program) | contents_of(model)
    for name, values in held.items():
        room = bound.memory[name].reshape(-1).view(np.uint8)
        room[: values.nbytes] = values.reshape(-1).view(np.uint8)
    Team(bound, 1).run((PACK,))
    return {name: array.reshape(-1).view(np.uint8) for name, array in bound.memory.arrays.items()}


def _parts(program: Program, rows: list[Row]) -> dict[str, list[tuple[int, int]]]:
    """Return the runs of bytes of each segment that rows need: all but parameters, most of which are packed."""
    places = [value for row in rows for value in row.arguments.values() if isinstance(value, Place)]
    whole = {place.segment for place in places} - {"", INPUTS, segments.OUTPUTS, segments.PARAMETERS}
    found, known = {name: [(0, program.segments[name].size)] for name in whole}, Known()
    read = []
    for row in rows:
        if any(
            isinstance(value, Place) and value.segment == segments.PARAMETERS for value in row.arguments.values()
        ):
            for use in uses(program, row, {}, 1, known):
                if use.place.segment == segments.PARAMETERS:
                    begin = use.place.offset
                    read.append((begin + min(0, use.first), begin + int(use.ends[-1])))
    return {**found, segments.PARAMETERS: _merged(read)} if read else found


def _merged(found: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the runs that cover all of ``found``, in order, none of which touches another."""
    merged: list[tuple[int, int]] = []
    for begin, end in sorted(found):
        if merged and begin <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((begin, end))
    return merged
