"""What the machine offers, and the choice of tiles."""

from __future__ import annotations

import os
import platform

import numpy as np
import pytest

from striate.engine import machine
from striate.engine.machine import LANES, aligned, available_threads, cheapest, default_lanes, tiles
from striate.errors import UsageError


@pytest.fixture(autouse=True)
def _forget() -> object:
    default_lanes.cache_clear()
    yield
    default_lanes.cache_clear()


@pytest.mark.parametrize("lanes", LANES)
def test_lanes_can_be_forced(lanes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRIATE_LANES", str(lanes))
    assert default_lanes() == lanes


@pytest.mark.parametrize("wrong", ["5", "32", "-8", "8.0", "many"])
def test_other_lanes_are_refused(wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRIATE_LANES", wrong)
    with pytest.raises(UsageError, match=r"STRIATE_LANES: must be one of \(4, 8, 16\); got '.*'\. Unset it"):
        default_lanes()


def test_lanes_follow_the_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    import llvmlite.binding as llvm

    monkeypatch.delenv("STRIATE_LANES", raising=False)
    found = []
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    for features in ({"avx512f": True, "avx2": True}, {"avx2": True}, {}):
        monkeypatch.setattr(llvm, "get_host_cpu_features", lambda features=features: features)
        default_lanes.cache_clear()
        found.append(default_lanes())
    monkeypatch.setattr(platform, "machine", lambda: "arm64")
    default_lanes.cache_clear()
    assert (*found, default_lanes()) == (16, 8, 4, 4)


def test_threads_are_those_of_the_affinity(monkeypatch: pytest.MonkeyPatch) -> None:
    if hasattr(os, "sched_getaffinity"):
        monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 5, 9})
        assert available_threads() == 3
        monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert available_threads() == 1


@pytest.mark.parametrize("lanes", LANES)
def test_tiles_fit_the_registers(lanes: int) -> None:
    """Sums, one row of inputs and a weight; AVX2 has 16 registers, AVX-512 and NEON have 32."""
    registers = 16 if lanes == 8 else 32
    for menu in (tiles(lanes).outer, tiles(lanes).dot):
        for rows, columns, speed in menu:
            assert rows * columns + min(rows, columns) + 1 <= registers
            assert 0 < speed <= 1
            assert cheapest(menu, rows * 4, columns * 4, 1000, row_tile=rows)[0] == rows


def test_a_tile_for_one_row_is_not_a_tall_one() -> None:
    for lanes in LANES:
        assert cheapest(tiles(lanes).outer, 1, 100, 100)[0] <= 2
        assert cheapest(tiles(lanes).outer, 64, 1000, 500)[0] >= 4


@pytest.mark.parametrize("dtype", [np.float32, np.int64, np.uint8])
def test_arrays_begin_at_a_cache_line(dtype: type) -> None:
    for count in (0, 1, 7, 1000):
        array = aligned(count, dtype)
        assert array.dtype == dtype
        assert array.shape == (count,)
        assert not array.any()
        assert count == 0 or array.ctypes.data % 64 == 0


def test_memory_is_what_the_system_says(monkeypatch: pytest.MonkeyPatch) -> None:
    room = machine.available_memory()
    assert room is None or 2**20 < room < 2**50

    def nothing(*args: object, **kwargs: object) -> object:
        raise FileNotFoundError

    monkeypatch.setattr("builtins.open", nothing)
    if hasattr(os, "sysconf"):
        assert (machine.available_memory() or 0) > 2**20
        monkeypatch.setattr(os, "sysconf", nothing)
    assert machine.available_memory() is None
