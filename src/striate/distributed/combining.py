"""The program that adds up the gradients of ranks and takes a rank's part of the optimizer's step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from striate.distributed.parts import filled, merges, without
from striate.engine import segments
from striate.engine.plan import CHUNK_FLOATS, update_row
from striate.engine.program import BACKWARD, CHUNK, COUNT, ByCount, Place, Program
from striate.engine.updates import UPDATES

OWN, PIECES = "own", "pieces"
"""Segments: the gradients of the rank's shards; the sums of all ranks over the part that this one updates."""
SUM, MERGE = "sum", BACKWARD
"""Sections: the rank's shards are added; the sums of the ranks are. The last is that of the update."""


def combining_program(
    lanes: int,
    length: int,
    parts: Sequence[range],
    rank: int,
    segment: tuple[int, int],
    summed: Sequence[tuple[int, int]],
    optimizer: str,
) -> Program:
    """Return the program of one rank.

    Parameters
    ----------
    length : int
        Of the flat vectors.
    parts : sequence of range
        The shards of every rank.
    segment : (begin, end)
        What this rank updates.
    summed : sequence of (begin, end)
        The parts of the gradient that are there without adding.
    """
    program, shards = Program(lanes), parts[-1].stop
    begin, end = segment
    room = max(64, end - begin)
    sizes = segments.flat_sizes(length, 0, 1, UPDATES[optimizer].vectors)
    for name in sizes:
        program.segment(name, 64 if name == segments.NUMBERS else 4 * length)
    program.segment(OWN, 4 * length * len(parts[rank]))
    program.segment(PIECES, 4 * room * len(parts))
    own = [len(filled(parts[rank], count)) for count in range(1, shards + 1)]
    total = program.row(
        SUM,
        "update.sum_shards",
        shards=Place(OWN, 0, CHUNK),
        stride=length,
        shard_count=ByCount(tuple(own)),
        count=Place("", 0, COUNT),
    )
    program.phase([total], [task for a, b in without(0, length, summed) for task in _chunks(a, b)])
    rows = []
    for into, other in merges(parts):
        both = tuple(1 + bool(filled(parts[other], count)) for count in range(1, shards + 1))
        rows.append(
            program.row(
                MERGE,
                "update.sum_shards",
                shards=Place(PIECES, 4 * into * room, CHUNK),
                stride=(other - into) * room,
                shard_count=ByCount(both),
                count=Place("", 0, COUNT),
            )
        )
    program.phase(rows, list(_chunks(0, end - begin)))
    program.phase([update_row(program, optimizer)], list(_chunks(begin, end)))
    return program.finish()


def _chunks(begin: int, end: int) -> Iterator[dict[int, int]]:
    """Yield tasks for a part of the flat vectors."""
    for first in range(begin, end, CHUNK_FLOATS):
        yield {CHUNK: 4 * first, COUNT: min(CHUNK_FLOATS, end - first)}
