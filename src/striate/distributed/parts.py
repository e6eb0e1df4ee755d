"""Which shards of a batch, and which part of the flat vectors, belong to which rank."""

from __future__ import annotations

from collections.abc import Sequence

from striate.engine.memory import PIECE


def shards_of_ranks(shards: int, ranks: int) -> list[range]:
    """Return the shards of each rank: those below one node of the tree along which shards are added.

    The largest share is halved until there are enough, so powers of two share evenly.

    Examples
    --------
    >>> shards_of_ranks(8, 3)
    [range(0, 2), range(2, 4), range(4, 8)]
    """
    parts = [range(shards)]
    while len(parts) < ranks:
        largest = max(range(len(parts)), key=lambda i: len(parts[i]))
        parts[largest : largest + 1] = halves(parts[largest])
    return parts


def halves(node: range) -> tuple[range, range]:
    """Return the two nodes below a node: on the left as many shards as the largest power of two that is less."""
    middle = node.start + (1 << ((len(node) - 1).bit_length() - 1))
    return range(node.start, middle), range(middle, node.stop)


def merges(parts: Sequence[range]) -> list[tuple[int, int]]:
    """Return which ranks' sums are added to which, as (into, other), in the order of the tree.

    Examples
    --------
    >>> merges(shards_of_ranks(8, 3))
    [(0, 1), (0, 2)]
    """
    numbers = {part: number for number, part in enumerate(parts)}
    first = {part.start: number for number, part in enumerate(parts)}

    def below(node: range) -> list[tuple[int, int]]:
        if node in numbers:
            return []
        left, right = halves(node)
        return [*below(left), *below(right), (first[left.start], first[right.start])]

    return below(range(parts[-1].stop))


def filled(part: range, shards: int) -> range:
    """Return the shards of a part that a batch of so many shards fills."""
    return range(part.start, max(part.start, min(part.stop, shards)))


def segments_of_ranks(length: int, ranks: int) -> list[tuple[int, int]]:
    """Return the (begin, end) of the part of the flat vectors that each rank updates.

    Examples
    --------
    >>> segments_of_ranks(5000, 2)
    [(0, 2048), (2048, 5000)]
    """
    pieces = -(-length // PIECE)
    ends = [min(length, pieces * (rank + 1) // ranks * PIECE) for rank in range(ranks)]
    return list(zip([0, *ends[:-1]], ends, strict=True))


def without(begin: int, end: int, holes: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return what is left of (begin, end) without ``holes``, each (begin, end) too.

    Examples
    --------
    >>> without(0, 10, [(3, 5), (8, 20)])
    [(0, 3), (5, 8)]
    """
    left = []
    for first, last in sorted(holes):
        if first > begin:
            left.append((begin, min(first, end)))
        begin = max(begin, last)
    return [(a, b) for a, b in [*left, (begin, end)] if a < b]
