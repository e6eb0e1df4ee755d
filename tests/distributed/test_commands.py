"""``--ranks`` and ``striate launch`` on the command line."""

import subprocess
import sys
from pathlib import Path

import pytest

from striate.cli.app import main
from striate.cli.ranks import without_ranks
from striate.errors import UsageError
from striate.model import load


def striate(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "striate", *arguments], capture_output=True, text=True, timeout=300, check=False
    )


def here(*arguments: str) -> None:
    """The same in this process."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 0


def test_ranks_is_taken_out_of_the_arguments() -> None:
    assert without_ranks(["train", "x", "--ranks", "4", "--out", "y"]) == ["train", "x", "--out", "y"]
    assert without_ranks(["train", "--ranks=4", "x"]) == ["train", "x"]


def test_run_of_two_ranks_goes_on_with_one(tmp_path: Path) -> None:
    pytest.importorskip("mpi4py")
    options = ["digits", "--no-report", "--batch-size", "64"]
    two, one = str(tmp_path / "two"), str(tmp_path / "one")
    found = striate("train", *options, "--epochs", "1", "--out", two, "--ranks", "2", "--threads", "1")
    assert found.returncode == 0, found.stderr
    assert "2 ranks of 1 thread" in found.stdout
    here("resume", two, "--epochs", "2", "--no-report")
    here("train", *options, "--epochs", "1", "--out", one)
    here("resume", one, "--epochs", "2", "--no-report")
    thetas = [load(Path(folder) / "model.safetensors").theta.tobytes() for folder in (one, two)]
    assert thetas[0] == thetas[1]


def test_error_of_several_ranks_is_one_line(tmp_path: Path) -> None:
    pytest.importorskip("mpi4py")
    found = striate("train", "digits", "--batch-size", "16", "--out", str(tmp_path / "x"), "--ranks", "2")
    assert found.returncode == 2
    lines = found.stderr.strip().splitlines()
    assert len(lines) == 1, found.stderr
    assert "every rank needs a part of the batch; batches of 16 have 1 (of " in lines[0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["evaluate", "x"], "runs train or resume; got 'evaluate'"),
        (["train", "digits"], "train needs a folder for its run; got none"),
        (["resume"], "resume needs the folder of a run; got none"),
    ],
)
def test_launch_refuses_what_it_cannot_supervise(arguments: list[str], message: str) -> None:
    from striate.cli.launch import launch

    with pytest.raises(UsageError, match=message):
        launch(arguments)
