"""Any number of ranks and threads gives the same bits."""

import functools
import subprocess
import sys
from pathlib import Path

import pytest

from striate.distributed.starting import mpiexec_line

PROGRAM = Path(__file__).with_name("program.py")


@functools.cache
def learnt(ranks: int, threads: int) -> str:
    """What the program prints."""
    command = [sys.executable, str(PROGRAM)] if ranks == 1 else [*mpiexec_line(ranks), sys.executable, str(PROGRAM)]
    found = subprocess.run([*command, str(threads)], capture_output=True, text=True, timeout=300, check=False)
    assert found.returncode == 0, found.stdout + found.stderr
    return found.stdout


@pytest.mark.parametrize(("ranks", "threads"), [(1, 2), (2, 1), (2, 2), (3, 1), (3, 2), (4, 1), (4, 2)])
def test_ranks_and_threads_change_no_bit(ranks: int, threads: int) -> None:
    """With dropout, augmentation, batch normalisation, clipping, an auxiliary output and a large dense layer."""
    pytest.importorskip("mpi4py")
    assert learnt(ranks, threads) == learnt(1, 1)
