"""The choice of tiles."""

from __future__ import annotations

import pytest

from striate.engine.lowering.tiles import EIGHT, cheapest, tiles
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
