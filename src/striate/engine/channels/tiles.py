"""Register tiles with channels in the lanes: (positions, blocks of filters), each with its relative speed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np

from striate.engine.lowering.correlation import whole_tiles
from striate.engine.lowering.tiles import EDGE_CYCLES, EIGHT, MANY, TWELVE, cheapest, cycles, sums_of_a_tile, tiles

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


# Tiles of neighbouring positions: (positions, blocks). Sums, vectors of weights and a number of the image fit the
# registers (``registers`` of them for each count of sums).
_POSITIONS = (16, 14, 12, 10, 8, 7, 6, 5, 4)
_BLOCKS = (1, 2, 3, 4, 6)
_BESIDE = (8, 7, 6, 5, 4)  # positions of a tile of sums of a single channel
_REGISTERS = {EIGHT: 12, TWELVE: 16, MANY: 32}


def tile_for(lanes: int, positions: int, blocks: int, terms: int, most_sums: int | None = None) -> tuple[int, int]:
    """Return the tile that covers ``positions`` x ``blocks`` sums of ``terms`` products at the lowest cost."""
    return cheapest(_anywhere(lanes, most_sums), positions, blocks, terms)


def _anywhere(lanes: int, most_sums: int | None) -> tuple[tuple[int, int, float], ...]:
    """Return the tiles whose positions are listed one by one."""
    return (*tiles(lanes, most_sums).outer, *_SMALL)


@cache
def _in_lines(sums: int) -> list[tuple[int, int, float]]:
    """Return the tiles whose positions are neighbours; a product needs a number of the image, which is loaded."""
    return [
        (k, x, min(1.0, k * x / 8, k * x / (k + x)))
        for k in _POSITIONS
        for x in _BLOCKS
        if k * x <= sums and k * x + x + 1 <= _REGISTERS[sums]
    ]


@dataclass(frozen=True)
class Tiling:
    """How the positions of a sum are covered by tiles.

    Parameters
    ----------
    size : (int, int)
        Positions and blocks of filters of a tile.
    rows : int64[N, 2]
        (image, output) of each position, or with ``steps`` of the first position of each tile.
    steps : (int, int)
        From a position to the next within a tile, in the image and in the output; (0, 0) where they differ.
    activation : str
        What is taken of the sums, as kernels call it.
    """

    size: tuple[int, int]
    rows: np.ndarray
    steps: tuple[int, int] = (0, 0)
    activation: str = ""

    @property
    def kernel(self) -> str:
        """The kernel that follows ``rows``."""
        return "channels.correlate_neighbours" if self.steps[1] else "channels.correlate"

    @property
    def constants(self) -> tuple[int | str, ...]:
        """What the kernel is made for."""
        made = (*self.size, *self.steps) if self.steps[1] else self.size
        return (*made, self.activation) if self.activation else made

    @property
    def positions(self) -> int:
        """How many positions are computed, those twice that lie in two tiles."""
        return len(self.rows) * (self.size[0] if self.steps[1] else 1)


def tiling(rows: np.ndarray, blocks: int, terms: int, lanes: int, most_sums: int | None, again: bool) -> Tiling:
    """Return the tiles that cover ``rows`` x ``blocks`` sums of ``terms`` products at the lowest cost.

    Parameters
    ----------
    rows : int64[P, 2]
        (image, output) of each position.
    again : bool
        Whether a position may be computed in two tiles.
    """
    size = tile_for(lanes, len(rows), blocks, terms, most_sums)
    found = Tiling(size, whole_tiles(rows, size[0]))
    length, steps = lines_of(rows)
    if not steps[1]:
        return found
    listed = min(cycles(tile, len(rows), blocks, terms) for tile in _anywhere(lanes, most_sums))
    near = [tile for tile in _in_lines(sums_of_a_tile(lanes, most_sums)) if tile[0] <= length]
    near = [tile for tile in near if again or length % tile[0] == 0]
    lines = len(rows) // length

    def cost(tile: tuple[int, int, float]) -> float:
        addresses = EDGE_CYCLES * (tile[0] - 1) * math.ceil(length / tile[0]) * math.ceil(blocks / tile[1])
        return lines * (cycles(tile, length, blocks, terms) - addresses)

    best = min(near, key=cost, default=None)
    if best is None or cost(best) >= listed:
        return found
    firsts = np.minimum(np.arange(0, length, best[0]), length - best[0])
    return Tiling(best[:2], rows.reshape(lines, length, 2)[:, firsts].reshape(-1, 2), steps)


def lines_of(rows: np.ndarray) -> tuple[int, tuple[int, int]]:
    """Return the length of the lines of equally distant positions, and the distances; (0, 0) if there are none."""
    steps = np.diff(rows, axis=0)
    if not len(steps) or steps[0, 1] <= 0:
        return 1, (0, 0)
    breaks = np.flatnonzero((steps != steps[0]).any(axis=1))
    length = int(breaks[0]) + 1 if len(breaks) else len(rows)
    if len(rows) % length or (np.diff(rows.reshape(-1, length, 2), axis=1) != steps[0]).any():
        return 1, (0, 0)
    return length, (int(steps[0, 0]), int(steps[0, 1]))


def side_by_side(rows: np.ndarray) -> Tiling:
    """Return tiles of single channel blocks: as many neighbouring positions as cover the lines of ``rows`` best."""
    length, steps = lines_of(rows)
    if length < min(_BESIDE):
        return Tiling((1, 1), rows, (0, 0))
    size = min((k for k in _BESIDE if k <= length), key=lambda k: (math.ceil(length / k) * k, -k))
    firsts = np.minimum(np.arange(0, length, size), length - size)
    return Tiling((size, 1), rows.reshape(-1, length, 2)[:, firsts].reshape(-1, 2), steps)
