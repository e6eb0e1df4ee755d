"""Hostile files are refused in one line, soon, and without the memory that they ask for."""

from __future__ import annotations

import time
import tracemalloc
from pathlib import Path

import pytest

from striate.data.sources import load_path
from striate.data.unlabelled import read_unlabelled
from striate.errors import StriateError
from striate.interop.reading import Wish, read

from .hostile import HOSTILE

SECONDS = 5  # of processor time: ten times what is promised, for slow machines
MEMORY = 100_000_000
NEEDS = {"onnx": "onnx", "hdf5": "h5py"}
PICTURE = (3, 8, 8)


def open_file(path: Path) -> object:
    """Read a file as a user would."""
    if path.suffix == ".npz":
        return load_path(path)
    if path.name.startswith("p."):
        return read_unlabelled(path, PICTURE)
    network = None if path.suffix in (".onnx", ".h5") else "lenet5"
    return read(path, Wish(network=network, input_shape=(1, 28, 28) if network else None))


@pytest.mark.filterwarnings("ignore:Duplicate name", "ignore:Overlapped entries")
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_refused_soon(name: str, tmp_path: Path) -> None:
    needed = NEEDS.get(name.partition(":")[0])
    if needed:
        pytest.importorskip(needed)
    file, write = HOSTILE[name]
    write(tmp_path / file)
    tracemalloc.start()
    begin = time.thread_time()
    try:
        with pytest.raises(StriateError) as caught:
            open_file(tmp_path / file)
        assert time.thread_time() - begin < SECONDS
        assert tracemalloc.get_traced_memory()[1] < MEMORY
    finally:
        tracemalloc.stop()
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 1000
    assert "\n" not in str(caught.value)
