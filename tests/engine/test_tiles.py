"""The choice of tiles."""

from __future__ import annotations

import numpy as np
import pytest

from striate.engine.channels.tiles import tiling
from striate.engine.lowering.tiles import EIGHT, MANY, TWELVE, cheapest, tiles
from striate.machine import LANES


@pytest.mark.parametrize("lanes", LANES)
def test_tiles_fit_the_registers(lanes: int) -> None:
    """Sums, one row of inputs and a weight; AVX2 has 16 registers, AVX-512 and NEON have 32."""
    registers = 16 if lanes == 8 else 32
    for menu in (tiles(lanes).outer, tiles(lanes).dot):
        for rows, columns, speed in menu:
            assert rows * columns + min(rows, columns) + 1 <= registers
            assert 0 < speed <= 1
            assert cheapest(menu, rows * 4, columns * 4, 1000, row_tile=rows)[0] == rows


def test_few_sums_leave_a_register_for_products() -> None:
    for menu in (tiles(4, EIGHT).outer, tiles(4, EIGHT).dot):
        for rows, columns, _ in menu:
            assert rows * columns + min(rows, columns) + 2 <= 16


def test_a_tile_for_one_row_is_not_a_tall_one() -> None:
    for lanes in LANES:
        assert cheapest(tiles(lanes).outer, 1, 100, 100)[0] <= 2
        assert cheapest(tiles(lanes).outer, 64, 1000, 500)[0] >= 4


@pytest.mark.parametrize("sums", [EIGHT, TWELVE, MANY])
@pytest.mark.parametrize("width", [1, 2, 3, 5, 7, 10, 13, 28, 33])
@pytest.mark.parametrize("again", [True, False])
def test_tiles_cover_every_position(sums: int, width: int, again: bool) -> None:
    y, x = (side.ravel() for side in np.mgrid[:6, :width])
    rows = np.stack([(2 * y * (width + 3) + 2 * x) * 8, (y * width + x) * 16], axis=1)
    found = tiling(rows, blocks=2, terms=30, lanes=16, most_sums=sums, again=again)
    covered = found.rows
    if found.steps[1]:
        covered = (covered[:, None] + np.arange(found.size[0])[:, None] * found.steps).reshape(-1, 2)
    assert len(covered) == found.positions
    assert set(map(tuple, covered)) == set(map(tuple, rows))
    assert found.size[0] * found.size[1] <= sums
    if found.steps[1] and not again:
        assert len(covered) == len(rows)


def test_positions_without_equal_distances_are_listed() -> None:
    rows = np.array([[0, 0], [1, 16], [5, 32], [6, 48], [11, 64]])
    assert tiling(rows, blocks=1, terms=9, lanes=16, most_sums=None, again=True).steps == (0, 0)
