"""Commands under the limits that systems, schedulers and containers set: they work, or say in one line why not."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import striate

resource = pytest.importorskip("resource")
MIB = 1 << 20
TRAIN = ("train", "digits", "--model", "mlp", "--epochs", "1", "--no-report", "--seed", "3")


def command(
    *arguments: str, before: Callable[[], None] | None = None, **variables: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "striate", *arguments],
        capture_output=True,
        text=True,
        preexec_fn=before,
        env={**os.environ, **variables},
        timeout=300,
        check=False,
    )


def limit(name: str, value: int) -> Callable[[], None]:
    return lambda: resource.setrlimit(getattr(resource, name), (value, value))


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The parameters of a run without limits."""
    return trained(tmp_path_factory.mktemp("usual") / "run")


def trained(folder: Path, before: Callable[[], None] | None = None, *more: str, **variables: str) -> bytes:
    done = command(*TRAIN, "--out", str(folder), *more, before=before, **variables)
    assert done.returncode == 0, done.stderr
    return striate.load(folder / "model.safetensors").theta.tobytes()


@pytest.mark.parametrize(
    ("name", "value"),
    [("RLIMIT_NOFILE", 48), ("RLIMIT_AS", 3000 * MIB), ("RLIMIT_STACK", 2 * MIB)],
)
def test_tight_limits_are_enough(name: str, value: int, usual: bytes, tmp_path: Path) -> None:
    assert trained(tmp_path / "run", limit(name, value)) == usual


def test_a_file_that_may_not_become_large_enough_is_one_line(tmp_path: Path) -> None:
    done = command(*TRAIN, "--out", str(tmp_path / "run"), before=limit("RLIMIT_FSIZE", 2000))
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert re.search(r"striate: .*run.*: cannot be written \(File too large\); nothing was changed", done.stderr)


def test_many_more_threads_than_cores_give_the_same_bits(usual: bytes, tmp_path: Path) -> None:
    assert trained(tmp_path / "run", None, "--threads", "64") == usual


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="needs an affinity")
def test_several_threads_on_one_core_give_the_same_bits(usual: bytes, tmp_path: Path) -> None:
    core = min(os.sched_getaffinity(0))
    assert trained(tmp_path / "run", lambda: os.sched_setaffinity(0, {core}), "--threads", "3") == usual


def test_the_number_of_threads_can_be_set_for_all_commands(usual: bytes, tmp_path: Path) -> None:
    assert trained(tmp_path / "run", STRIATE_THREADS="3") == usual
    done = command(*TRAIN, "--out", str(tmp_path / "other"), STRIATE_THREADS="none")
    assert done.returncode == 2
    assert "STRIATE_THREADS: must be a whole number from 1 to 1024; got 'none'" in done.stderr


@pytest.mark.parametrize(
    "locale", [{"LC_ALL": "C"}, {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}]
)
def test_the_c_locale_changes_nothing(locale: dict[str, str], usual: bytes, tmp_path: Path) -> None:
    assert trained(tmp_path / "r\u00fcn", **locale) == usual


EXIT = """
import sys, threading
import numpy as np
from striate import Trainer
from tasks import small_network, stripes
trainer = Trainer(small_network(), batch_size=20, threads=2)
if sys.argv[1] == "busy":
    threading.Thread(target=lambda: trainer.fit(stripes(400), epochs=100_000), daemon=True).start()
else:
    trainer.fit(stripes(40), epochs=1)
trainer.model.predict(stripes(40).inputs)
"""


@pytest.mark.parametrize("how", ["idle", "busy"])
def test_the_interpreter_ends_while_threads_watch_for_work(how: str) -> None:
    tests = str(Path(__file__).resolve().parents[1])
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([tests, *sys.path])}
    for _ in range(3):
        done = subprocess.run(
            [sys.executable, "-c", EXIT, how],
            capture_output=True,
            text=True,
            env=environment,
            timeout=120,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
