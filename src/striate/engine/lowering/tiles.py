"""Tiles of sums that fit the registers, and the choice among them."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Tiles:
    """The tiles, (rows, columns) of vectors, that fit the registers, each with its relative speed.

    The speeds were measured on LeNet's and VGG's shapes; they only steer the choice of a tile.
    """

    outer: tuple[tuple[int, int, float], ...]
    dot: tuple[tuple[int, int, float], ...]


# 16 registers where products need one too (WebAssembly has no fused form): 9 or 12 sums spill, and LeNet-5
# learns 9,450 images a second in place of 12,800.
_EIGHT_SUMS = Tiles(
    outer=((4, 2, 1.0), (2, 4, 0.99), (8, 1, 0.8), (1, 8, 0.5)),
    dot=((4, 2, 1.0), (2, 4, 0.99), (1, 8, 0.5)),
)
# 16 registers (AVX2): 12 sums, 3 vectors of input and 1 weight fill them; 3x4 and 2x6 spill and halve the speed.
_TWELVE_SUMS = Tiles(
    outer=((4, 3, 1.0), (6, 2, 0.92), (3, 3, 0.92), (2, 5, 0.97), (4, 2, 0.9), (1, 8, 0.5), (12, 1, 0.85)),
    dot=((4, 3, 1.0), (2, 5, 0.95), (3, 3, 0.9), (1, 8, 0.5)),
)
# 32 registers (AVX-512, NEON): up to 24 sums.
_MANY_SUMS = Tiles(
    outer=(
        (4, 5, 1.0),
        (6, 4, 1.0),
        (5, 4, 0.95),
        (3, 6, 0.9),
        (8, 2, 0.9),
        (2, 8, 0.8),
        (1, 12, 0.5),
        (16, 1, 0.85),
    ),
    dot=((4, 5, 1.0), (3, 5, 0.9), (4, 3, 0.85), (2, 8, 0.8), (1, 12, 0.5)),
)
TILE_CYCLES = 30  # what a tile costs before and after its sums, and for each of its rows and columns:
EDGE_CYCLES = 4


EIGHT, TWELVE, MANY = 8, 12, 24
_BY_SUMS = {EIGHT: _EIGHT_SUMS, TWELVE: _TWELVE_SUMS, MANY: _MANY_SUMS}


def tiles(lanes: int, most_sums: int | None = None) -> Tiles:
    """Return the tiles with at most 8, 12 or 24 sums; by default as many as fit the registers of these lanes."""
    return _BY_SUMS[sums_of_a_tile(lanes, most_sums)]


def sums_of_a_tile(lanes: int, most_sums: int | None = None) -> int:
    """Return how many sums fit the registers of a processor with so many lanes, unless that is given."""
    return most_sums or (TWELVE if lanes == 8 else MANY)


def cheapest(
    menu: tuple[tuple[int, int, float], ...], rows: int, columns: int, terms: int, row_tile: int | None = None
) -> tuple[int, int]:
    """Return the tile that covers ``rows`` x ``columns`` sums of ``terms`` products at the lowest cost.

    Parameters
    ----------
    menu : Tiles.outer or Tiles.dot
    row_tile : int, optional
        Take only tiles of this many rows.

    Examples
    --------
    >>> cheapest(tiles(8).outer, 16, 100, 150)
    (4, 3)
    """

    allowed = (tile for tile in menu if row_tile in (None, tile[0]))
    k, x, _ = min(allowed, key=lambda tile: cycles(tile, rows, columns, terms))
    return k, x


def cycles(tile: tuple[int, int, float], rows: int, columns: int, terms: int) -> float:
    """Return what covering ``rows`` x ``columns`` sums of ``terms`` products costs."""
    k, x, speed = tile
    each = terms * k * x / 2 / speed + TILE_CYCLES + EDGE_CYCLES * (k + x)
    return math.ceil(rows / k) * math.ceil(columns / x) * each
