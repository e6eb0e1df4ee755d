"""Steps of optimizers whose length depends on the norm of each parameter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from striate.engine import segments
from striate.engine.program import UPDATE, Place, Program

PIECE_FLOATS = 16384  # of a parameter, that one task sums or changes


def direction(program: Program, length: int) -> None:
    """Name the vector of the steps before their lengths are known."""
    program.segment(segments.DIRECTION, 4 * length)


def layerwise_phases(program: Program, parameters: Sequence[tuple[int, int]]) -> None:
    """Append the phases that sum the squares of every parameter, and take its step.

    The squares of a parameter are summed piece by piece, and the pieces in their order: the same bits for any
    number of threads.

    Parameters
    ----------
    parameters : sequence of (first, end)
        Where each lies in the flat vectors.
    """
    sums, steps = [], []
    for first, end in parameters:
        pieces = [(begin, min(begin + PIECE_FLOATS, end)) for begin in range(first, end, PIECE_FLOATS)]
        norms = program.room(segments.NORMS, 2 * len(pieces))
        for number, (begin, stop) in enumerate(pieces):
            vectors: dict[str, Any] = {
                "theta": Place(segments.PARAMETERS) + begin,
                "direction": Place(segments.DIRECTION) + begin,
                "count": stop - begin,
            }
            sums.append(program.row(UPDATE, "update.squared_norms", **vectors, sums=norms + 2 * number))
            steps.append(
                program.row(
                    UPDATE,
                    "update.layer_step",
                    **vectors,
                    sums=norms,
                    piece_count=len(pieces),
                    numbers=Place(segments.NUMBERS),
                )
            )
    program.side_by_side(sums)
    program.side_by_side(steps)
