"""Register tiles with channels in the lanes: (positions, blocks of filters), each with its relative speed."""

from __future__ import annotations

from striate.engine.lowering.tiles import cheapest, tiles

# A sum needs the one before it: with fewer than eight sums in a tile the multiplier waits, with one eight times.
_SMALL = (
    (1, 1, 0.125),
    (1, 2, 0.25),
    (2, 1, 0.25),
    (1, 4, 0.5),
    (4, 1, 0.5),
    (2, 2, 0.5),
    (1, 8, 0.55),
    (4, 2, 0.8),
)


def tile_for(lanes: int, positions: int, blocks: int, terms: int, most_sums: int | None = None) -> tuple[int, int]:
    """Return the tile that covers ``positions`` x ``blocks`` sums of ``terms`` products at the lowest cost."""
    return cheapest((*tiles(lanes, most_sums).outer, *_SMALL), positions, blocks, terms)
