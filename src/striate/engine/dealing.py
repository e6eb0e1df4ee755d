"""Deal the rows of a shard out to the threads of a gang.

Every number is computed by one thread, with its terms in the same order, so a gang changes no bit. A phase ends
where a row may read what another thread of the gang has written.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from striate.engine.cutting import cut, vectors
from striate.engine.program import Program, Row
from striate.kernels import library

LEAST_VECTORS = 8192  # of a part: some microseconds, several times what the end of a phase costs

Part = list[Row]
"""What one thread runs through in a phase."""


def deal(program: Program, rows: Sequence[Row], gang: int) -> list[list[Part]]:
    """Return the phases of a shard, each as parts that may run side by side."""
    if gang == 1:
        return [[list(rows)]]
    library.load([row.request for row in rows if row.request is not None])
    phases: list[list[Part]] = []
    for level in _levels(rows):
        parts = _shares([piece for row in level for piece in cut_evenly(program, row, gang)], program, gang)
        if len(parts) == 1 and phases and len(phases[-1]) == 1:
            phases[-1][0] += parts[0]
        else:
            phases.append(parts)
    return phases


def deal_packs(program: Program, packs: Sequence[Row], threads: int) -> list[Row]:
    """Return calls that do not depend on each other, cut where they are large."""
    return [part for row in packs for part in cut_evenly(program, row, threads)]


def cut_evenly(program: Program, row: Row, most: int) -> list[Row]:
    """Cut a row into up to ``most`` parts that are worth a task."""
    return cut(program, row, min(most, vectors(program, row) // LEAST_VECTORS))


def _levels(rows: Sequence[Row]) -> Iterator[list[Row]]:
    """Yield rows that do not depend on each other: the first of every chain of a group, the second, and so on."""
    numbered = [row.beside or (-1 - i, 0) for i, row in enumerate(rows)]
    for _, members in itertools.groupby(range(len(rows)), key=lambda i: numbered[i][0]):
        chains: dict[int, list[Row]] = {}
        for i in members:
            chains.setdefault(numbered[i][1], []).append(rows[i])
        for level in itertools.zip_longest(*chains.values()):
            yield [row for row in level if row is not None]


def _shares(pieces: list[Row], program: Program, gang: int) -> list[Part]:
    """Put pieces into at most ``gang`` parts of about the same cost: the largest first, each to the least."""
    costs = [vectors(program, piece) for piece in pieces]
    count = min(gang, len(pieces), max(1, sum(costs) // LEAST_VECTORS))
    if len(pieces) <= count:
        return [[piece] for piece in pieces]
    parts: list[Part] = [[] for _ in range(count)]
    totals = [0] * count
    for i in sorted(range(len(pieces)), key=lambda i: -costs[i]):
        least = totals.index(min(totals))
        parts[least].append(pieces[i])
        totals[least] += costs[i]
    return parts
