"""What people do with a folder: what is there before, the command, and what must be true afterwards."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

SMALL = ("--model", "mlp", "--model-option", "hidden=8", "--threads", "1", "--batch-size", "400")
TRAIN = ("train", "digits", *SMALL, "--epochs", "3", "--no-report", "--out")
SEARCH = (
    *("search", "digits", "--model", "mlp", "--range", "hidden=4,8", "--epochs", "2", "--batch-size", "400"),
    *("--best", "1", "--seeds", "1", "--threads", "1"),
)


@dataclass(frozen=True)
class Scenario:
    """Something that is done in a folder.

    Parameters
    ----------
    prepare : function of the folder
        Makes what is there before.
    act : function of the folder
        What is done while calls fail; returns the status of the process.
    end : function of the folder
        What the user does afterwards; returns what must be the same as if nothing had failed.
    """

    prepare: Callable[[Path], object]
    act: Callable[[Path], int]
    end: Callable[[Path], object]


@cache
def command_line() -> Any:
    """Return the command line, which all children of this process share."""
    from typer.main import get_command

    from striate.cli.app import app

    return get_command(app)


def command(*arguments: object) -> int:
    """Run a command of striate in this process; return its status."""
    sys.argv[1:] = map(str, arguments)  # what --ranks hands on
    try:
        command_line()(args=sys.argv[1:], prog_name="striate")
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def done(*arguments: object) -> None:
    """Run a command that must not fail."""
    status = command(*arguments)
    assert status == 0, f"{arguments[0]} fails afterwards with status {status}"


def parameters(run: Path) -> bytes:
    """Return what a run learnt."""
    from striate.model import load

    return load(run).theta.tobytes()


def finish(folder: Path) -> object:
    """Bring a run to its end; train again if it had not begun."""
    run = folder / "run"
    if (run / "config.toml").is_file():
        done("resume", run, "--no-report")
    else:
        done(*TRAIN, run)
    return parameters(run)


def finish_longer(folder: Path) -> object:
    """Repeat the command that was to prolong a run, or resume it if it is longer already."""
    run = folder / "run"
    if command("resume", run, "--epochs", 5, "--no-report") != 0:
        done("resume", run, "--no-report")
    return parameters(run)


def whole(name: str, act: Callable[[Path], int]) -> Callable[[Path], object]:
    """Return a function that checks that a file is whole or missing, and that another try writes it."""

    def end(folder: Path) -> object:
        place = folder / name
        assert not place.exists() or _is_whole(place), f"{name} is half written"
        before = parameters(folder / "run")
        assert act(folder) == 0, f"{name} cannot be written afterwards"
        assert _is_whole(place)
        return before

    return end


def _is_whole(place: Path) -> bool:
    if place.suffix == ".html":
        return place.read_bytes().rstrip().endswith(b"</html>")
    from striate.interop import onnx

    return onnx.load(place).network.parameter_count > 0


def export(name: str) -> Callable[[Path], int]:
    """Return a function that exports a run."""
    return lambda folder: command("export", folder / "run", folder / name)


def search(trials: int) -> Callable[[Path], int]:
    """Return a function that searches with so many trials."""
    return lambda folder: command(*SEARCH, "--trials", trials, "--out", folder / "search")


def finish_search(folder: Path) -> object:
    """Run a search of two trials, or the rest of it, to its end."""
    from striate.search.study import JOURNAL

    assert search(2)(folder) == 0, "the search fails afterwards"
    assert (folder / "search" / JOURNAL).read_bytes().endswith(b"\n")
    assert (folder / "search" / "best.toml").is_file()
    return None


def photographs(folder: Path) -> bytes:
    """Read pictures through a cache in ``folder``, as if they were too many for the memory."""
    from PIL import Image

    from striate.data.sources import load_path
    from striate.data.streaming import choice

    os.environ["STRIATE_CACHE_DIR"] = str(folder / "cache")
    source, rng = folder.parent / "photographs", np.random.default_rng(0)
    unfinished = folder.parent / f"photographs of {os.getpid()}"  # this process may be killed at any moment
    for number in range(0 if source.is_dir() else 12):
        place = unfinished / "ab"[number % 2]
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (8, 8), dtype=np.uint8)).save(place / f"{number}.png")
    if not source.is_dir():
        unfinished.rename(source)
    choice.available_memory = lambda: 1000
    train = load_path(source).train
    return bytes(train.inputs[np.arange(len(train))].tobytes())


def numbers(folder: Path) -> bytes:
    """Return a file that was fetched from a server on this machine."""
    return (fetched(folder) / "a.bin").read_bytes()


def fetched(folder: Path) -> Path:
    """Fetch a file from a server on this machine."""
    from data.servers import serve
    from striate.data.download import RemoteFile, fetch

    content = bytes(range(256)) * 300
    with serve({"a.bin": content}) as (address, _):
        file = RemoteFile("a.bin", f"sha256:{hashlib.sha256(content).hexdigest()}", (f"{address}a.bin",))
        return fetch("numbers", [file], folder / "data")


def kernel(folder: Path) -> bytes:
    """Compile a kernel into a cache in ``folder``."""
    from striate.kernels import library

    os.environ["STRIATE_CACHE_DIR"] = str(folder / "cache")
    library._loaded.clear()
    found = library.load([library.Request("elementwise", "fill", 8)])
    return repr([kernel.signature for kernel in found.values()]).encode()


def status_of(function: Callable[[Path], object]) -> Callable[[Path], int]:
    """Return a function that ends as a command does that calls ``function``."""
    from striate.cli.ending import _status

    return lambda folder: _status(lambda: 0 if function(folder) else 1)


def twice(function: Callable[[Path], object]) -> Callable[[Path], object]:
    """Return a function that demands the same result twice."""

    def end(folder: Path) -> object:
        first = function(folder)
        assert first == function(folder)
        return first

    return end


def nothing(folder: Path) -> None:
    """Leave the folder empty."""


def make_run(folder: Path) -> None:
    """Leave a run that has ended."""
    done(*TRAIN, folder / "run")


def report(folder: Path) -> int:
    """Write the report of a run."""
    return command("resume", folder / "run")


def prolong(folder: Path) -> int:
    """Train a run for more epochs."""
    return command("resume", folder / "run", "--epochs", 5, "--no-report")


def keep_notes(folder: Path) -> None:
    """Leave a file."""
    (folder / "notes").write_text("old")


def careless(folder: Path) -> bool:
    """Replace the file so that a failure leaves neither the old one nor the new one, and say nothing useful."""
    try:
        (folder / "notes").write_text("new")
    except OSError:
        raise OSError("failed") from None
    return True


def notes(folder: Path) -> bool:
    """Return whether the file is the old one or the new one."""
    return (folder / "notes").read_text() in ("old", "new")


SCENARIOS: dict[str, Scenario] = {
    "train": Scenario(nothing, lambda folder: command(*TRAIN, folder / "run"), finish),
    "ranks": Scenario(nothing, lambda folder: command(*TRAIN, folder / "run", "--ranks", 2), finish),
    "resume": Scenario(make_run, prolong, finish_longer),
    "report": Scenario(make_run, report, whole("run/report.html", report)),
    "export onnx": Scenario(make_run, export("m.onnx"), whole("m.onnx", export("m.onnx"))),
    "export page": Scenario(make_run, export("m.html"), whole("m.html", export("m.html"))),
    "search": Scenario(nothing, search(1), finish_search),
    "search on": Scenario(search(1), search(2), finish_search),
    "pictures": Scenario(nothing, status_of(photographs), twice(photographs)),
    "download": Scenario(nothing, status_of(fetched), twice(numbers)),
    "kernel": Scenario(nothing, status_of(kernel), twice(kernel)),
}
CARELESS = {"careless": Scenario(keep_notes, status_of(careless), notes)}
"""What must be found."""
