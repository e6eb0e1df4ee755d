"""A program as text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from striate.engine.program import CONSTANTS, TABLES, ByCount, Phase, Place, Program, Row


def listing(program: Program) -> str:
    """Return a program as people read it: its segments, then phase by phase the rows of every section."""
    return "\n".join(_lines(program))


def _lines(program: Program) -> Iterator[str]:
    yield f"program: {program.lanes} lanes, up to {program.shards} shards, {len(program.rows)} rows"
    width = max(map(len, program.segments), default=0)
    for name, segment in program.segments.items():
        yield f"  {name:{width}}  {segment.size:>12,} bytes{', elsewhere' if segment.external else ''}"
    for number, phase in enumerate(program.phases, 1):
        yield f"phase {number}: {_tasks(phase)}"
        section = ""
        for row in phase.rows:
            if row.section != section:
                section = row.section
                yield f"  {section}"
            yield f"    {_row(program, row)}"


def _tasks(phase: Phase) -> str:
    count = len(phase.tasks)
    tasks = f"{count} task{'s' if count != 1 else ''}"
    return f"{tasks}, {phase.each} for each shard" if phase.each else tasks


def _row(program: Program, row: Row) -> str:
    if row.request is None:
        return f"{row.where}: Python ({', '.join(map(str, row.arguments.values()))})"
    constants = f"[{', '.join(map(str, row.request.constants))}]" if row.request.constants else ""
    arguments = ", ".join(f"{name}={_value(program, value)}" for name, value in row.arguments.items())
    return f"{row.where + ': ' if row.where else ''}{row.request.module}.{row.request.name}{constants}({arguments})"


def _value(program: Program, value: Any) -> str:
    if isinstance(value, ByCount):
        return " | ".join(_value(program, each) for each in dict.fromkeys(value.values))
    if isinstance(value, float):
        return f"{value:g}"
    shape = program.shapes.get((value.segment, value.offset)) if isinstance(value, Place) else None
    if shape is not None and value.segment in (TABLES, CONSTANTS):
        return f"{value}{list(shape)}"
    return str(value)
