"""Programs in files: one ``.npz`` with a description in JSON and the contents of tables and constants."""

from __future__ import annotations

import io
import json
from pathlib import Path
from textwrap import shorten
from typing import Any

import numpy as np

from striate.data.arrays import open_arrays
from striate.engine.program import ByCount, Check, Phase, Place, Program, Row, Segment
from striate.engine.verify import verify
from striate.errors import DataError, ModelFileError, ProgramError
from striate.kernels.access import ACCESS
from striate.kernels.library import Request
from striate.storage.atomic import write_atomically
from striate.storage.header import AXES_LIMIT

FORMAT = "striate program 1"
MESSAGE = 300  # characters
DAMAGED = (
    *(DataError, OSError, ValueError, KeyError, TypeError, IndexError, EOFError, AttributeError),
    *(ArithmeticError, RuntimeError, MemoryError),
)
"""The errors of readers of a damaged file."""


def write_program(program: Program, path: str | Path) -> Path:
    """Write a finished program, atomically; return where it is.

    Raises
    ------
    ModelFileError
        If the file cannot be written.
    ProgramError
        If some of its rows are Python functions of this process.
    """
    contents = {name: s.contents for name, s in program.segments.items() if s.contents is not None}
    header = np.frombuffer(json.dumps(_describe(program)).encode(), np.uint8)
    stream = io.BytesIO()
    np.savez_compressed(stream, header=header, **contents)  # type: ignore[arg-type]
    return write_atomically(path, stream.getvalue())


def read_program(path: str | Path) -> Program:
    """Return the program of a file, proven by ``verify``.

    Raises
    ------
    ModelFileError
        If the file is damaged or holds something else.
    ProgramError
        If the program would read or write where it must not.
    """
    try:
        arrays = {name: read() for name, read in open_arrays(path).items()}
        program = _program(json.loads(arrays.pop("header").tobytes()), arrays)
        verify(program)
    except ProgramError:
        raise
    except DAMAGED as error:
        reason = shorten(repr(error), MESSAGE)
        raise ModelFileError(f"{path}: must be a program of striate; got {reason}. Write it again.") from error
    return program


def _describe(program: Program) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "lanes": program.lanes,
        "shared_arena": program.shared_arena,
        "random_layers": program.random_layers,
        "segments": [[s.name, s.size, s.external] for s in program.segments.values()],
        "shapes": [[*key, list(shape)] for key, shape in program.shapes.items()],
        "checks": [[_value(check.place), check.message, check.count] for check in program.checks],
        "phases": [
            {
                "rows": [_row(row) for row in phase.rows],
                "tasks": [sorted(task.items()) for task in phase.tasks],
                "spans": phase.spans,
                "each": phase.each,
                "seen": phase.seen,
            }
            for phase in program.phases
        ],
    }


def _row(row: Row) -> dict[str, Any]:
    if row.request is None:
        raise ProgramError(
            f"{row.where}: only kernels can run elsewhere; got a layer or loss that runs through its "
            "reference in Python. Replace it, or keep the program in this process."
        )
    request = row.request
    return {
        "kernel": [request.module, request.name, request.lanes, list(request.constants)],
        "section": row.section,
        "where": row.where,
        "arguments": {name: _value(value) for name, value in row.arguments.items()},
    }


def _value(value: Any) -> Any:
    if isinstance(value, Place):
        return {"place": [value.segment, value.offset, value.register]}
    if isinstance(value, ByCount):
        return {"by_count": [_value(each) for each in value.values]}
    return float(value) if isinstance(value, float | np.floating) else int(value)


def _program(found: dict[str, Any], contents: dict[str, np.ndarray]) -> Program:
    if found["format"] != FORMAT:
        raise ValueError(found["format"])
    program = Program(int(found["lanes"]), bool(found["shared_arena"]), random_layers=list(found["random_layers"]))
    for name, size, external in found["segments"]:
        program.segments[name] = Segment(str(name), int(size), contents.get(name), bool(external))
    program.shapes = {(segment, offset): _shape(axes) for segment, offset, axes in found["shapes"]}
    program.checks = [Check(_read_value(place), message, count) for place, message, count in found["checks"]]
    for phase in found["phases"]:
        rows = [_read_row(row) for row in phase["rows"]]
        tasks = [{_whole(register): _whole(value) for register, value in task} for task in phase["tasks"]]
        spans, seen = ([tuple(pair) for pair in phase.get(key, [])] for key in ("spans", "seen"))
        program.phases.append(Phase(rows, tasks, spans, int(phase["each"]), seen))
    return program


def _shape(axes: list[int]) -> tuple[int, ...]:
    if len(axes) > AXES_LIMIT:
        raise ValueError(f"{len(axes)} axes")
    return tuple(map(_whole, axes))


def _read_row(found: dict[str, Any]) -> Row:
    module, name, lanes, constants = found["kernel"]
    if f"{module}.{name}" not in ACCESS:
        raise ValueError(f"{module}.{name}")
    arguments = {key: _read_value(value) for key, value in found["arguments"].items()}
    request = Request(module, name, int(lanes), tuple(constants))
    return Row(request, arguments, found["section"], where=found["where"])


def _read_value(value: Any) -> Any:
    if isinstance(value, dict):
        if "by_count" in value:
            return ByCount(tuple(_read_value(each) for each in value["by_count"]))
        segment, offset, register = value["place"]
        return Place(segment, _whole(offset), _whole(register))
    return value


def _whole(number: Any) -> int:
    """Return a whole number as it is: JSON may also hold NaN, and numbers too large for an address."""
    if not isinstance(number, int) or not -(2**63) <= number < 2**63:
        raise ValueError(number)
    return number
