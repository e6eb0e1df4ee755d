"""What must be the same on all ranks."""

from dataclasses import replace

import pytest

from striate.distributed import mpi
from striate.distributed.meeting import Notes, compare
from striate.errors import StriateError, UsageError

NOTES = Notes("node1", "1.0", "2.0", 16, {"inputs": "abc"})


def test_equal_ranks_can_train() -> None:
    compare([NOTES, replace(NOTES, host="node2")])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"version": "1.1"},
            r"rank 1 on node2: all ranks need the same version of striate; got 1\.1, rank 0 has 1\.0",
        ),
        ({"numpy": "2.1"}, r"rank 1 on node2: all ranks need the same version of NumPy; got 2\.1"),
        ({"lanes": 8}, r"got 8 lanes, rank 0 has 16\. Set STRIATE_LANES=8 for all ranks"),
        ({"data": {"inputs": "abd"}}, r"rank 1 on node2: all ranks must train on the same data"),
        ({"problem": "faces: no such folder.", "data": None}, r"rank 1 on node2: faces: no such folder\."),
    ],
)
def test_other_ranks_are_refused_by_name(change: dict, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        compare([NOTES, replace(NOTES, host="node2", **change)])


def test_missing_mpi_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "mpi4py", None)
    with pytest.raises(StriateError, match=r"several ranks need mpi4py .* pip install 'striate\[mpi\]'"):
        mpi.import_mpi()
    monkeypatch.setattr(mpi.sys, "executable", "/nowhere/python")
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(StriateError, match="need mpiexec; got none on the path"):
        mpi.mpiexec()


def test_number_of_processes_is_that_of_the_job(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in mpi.SIZES:
        monkeypatch.delenv(name, raising=False)
    assert mpi.processes() == 1
    monkeypatch.setenv("OMPI_COMM_WORLD_SIZE", "4")
    assert mpi.processes() == 4
