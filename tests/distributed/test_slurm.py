"""The job script of the documentation, with programs in the place of Slurm's."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.distributed.disturb import processes_of

from striate.distributed.starting import mpiexec_line

DOCUMENTATION = Path(__file__).parents[2] / "docs" / "ranks.md"
TRAIN = "train digits --model mlp --no-report --threads 1 --batch-size 64 --epochs 100000"


@pytest.fixture
def job(tmp_path: Path) -> list[str]:
    """The command that runs the script; ``scontrol`` writes down what it is asked for."""
    pytest.importorskip("mpi4py")
    script = next(
        text for text in re.findall(r"```sh\n(.*?)```", DOCUMENTATION.read_text(), re.S) if "srun" in text
    )
    (tmp_path / "job.sh").write_text(script.replace("train photographs/", TRAIN))
    programs = {
        "srun": f'export SLURM_STEP_NUM_TASKS=2\nexec {" ".join(mpiexec_line(2))} "$@"',
        "striate": f'exec "{sys.executable}" -m striate "$@"',
        "scontrol": f'echo "$@" >> "{tmp_path}/requests"',
    }
    (tmp_path / "bin").mkdir()
    for name, text in programs.items():
        (tmp_path / "bin" / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / "bin" / name).chmod(0o755)
    return ["bash", str(tmp_path / "job.sh")]


def epochs_of(folder: Path) -> list[int]:
    """Return the epochs in the log of a run, as far as it is written."""
    log = folder / "log.jsonl"
    lines = log.read_text().split("\n")[:-1] if log.exists() else []
    return [entry["epoch"] for entry in map(json.loads, lines) if entry.get("event") == "epoch"]


@pytest.mark.skipif(not Path("/proc").exists(), reason="finds processes in /proc")
def test_job_saves_on_the_signal_before_its_end_and_goes_on_when_requeued(job: list[str], tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "mine"
    path = f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"
    for start in (1, 2):
        before = len(epochs_of(folder))
        process = subprocess.Popen(
            job,
            cwd=tmp_path,
            env={**os.environ, "PATH": path, "SLURM_JOB_ID": "7"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            while len(epochs_of(folder)) < before + 3 and process.poll() is None:
                time.sleep(0.05)
            for rank in processes_of("runs/mine", "SLURM_STEP_NUM_TASKS", tmp_path):
                os.kill(rank, signal.SIGUSR1)
            process.wait(60)
        finally:
            process.kill()
        assert (tmp_path / "requests").read_text().splitlines() == ["requeue 7"] * start
        assert epochs_of(folder) == list(range(1, len(epochs_of(folder)) + 1))
    assert not processes_of("runs/mine", "SLURM_STEP_NUM_TASKS", tmp_path)
