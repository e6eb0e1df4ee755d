"""The served model, read again when its file changes, and the log of its run."""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from striate.engine.binding import Bound
from striate.engine.program import FORWARD, INPUTS, PACK
from striate.engine.segments import OUTPUTS, PARAMETERS
from striate.engine.team import Team
from striate.errors import ModelFileError, StriateError
from striate.explain.tracing import score_step
from striate.machine import available_threads, default_lanes
from striate.model import Model, load
from striate.network import Step
from striate.pages.explorer import model_info
from striate.pages.programs import probe_of
from striate.pages.samples import samples_of_run
from striate.server.edited import Edits, parameters
from striate.storage.model_file import model_file_of
from striate.targets.image import contents_of, full_batch, program_of
from striate.training.run.folder import RunFolder


class Loaded:
    """A model ready to answer.

    Attributes
    ----------
    model : Model
    file : Path
    stamp : (nanoseconds, bytes)
        Of the file when it was read.
    """

    def __init__(self, file: Path) -> None:
        self.file, self.stamp = file, _stamp(file)
        self.model: Model = load(file)
        if self.model.network.is_quantised:
            raise ModelFileError(f"{file}: only float32 models are served. Serve the one it was quantised from.")
        self._lock, self._edits = threading.Lock(), dict[int, float]()

    @cached_property
    def differentiable(self) -> bool:
        """Whether the engine computes gradients by the input."""
        return probe_of(self.model) is not None

    @cached_property
    def info(self) -> dict[str, Any]:
        """What the explorer knows of the model."""
        return model_info(self.model)

    @cached_property
    def _program(self) -> tuple[Bound, Team]:
        observed = tuple(step.name for step in self.model.network.steps[:-1])
        program = program_of(self.model, default_lanes(), observed)
        bound = Bound(program)
        for name, values in (full_batch(program) | contents_of(self.model)).items():
            if name in bound.memory.arrays:
                room = bound.memory[name].reshape(-1).view(np.uint8)
                room[: values.nbytes] = values.reshape(-1).view(np.uint8)
        team = Team(bound, self.model.threads or available_threads())
        team.run((PACK,))
        return bound, team

    def values(self, raw: np.ndarray, edits: Edits) -> bytes:
        """Return the values of all layers for one raw sample, float32, one layer after the other."""
        with self._lock:
            self._run(raw, edits)
            return b"".join(self._values_of(step).tobytes() for step in self.model.network.steps)

    def scores(self, samples: np.ndarray, target: int, edits: Edits) -> np.ndarray:
        """Return one score of each sample, before the softmax, float32[N]."""
        network = self.model.network
        step = network.step(score_step(network))
        found = np.empty(len(samples), np.float32)
        with self._lock:
            for n, raw in enumerate(samples):
                self._run(raw, edits)
                found[n] = self._values_of(step)[target]
        return found

    def _run(self, raw: np.ndarray, edits: Edits) -> None:
        bound, team = self._program
        if edits != self._edits:
            theta = parameters(self.model, edits)
            bound.memory[PARAMETERS].reshape(-1)[: len(theta)] = theta
            team.run((PACK,))
            self._edits = dict(edits)
        sample = np.ascontiguousarray(raw, np.float32)
        bound.attach(INPUTS, sample.ctypes.data)
        team.run((FORWARD,))

    def _values_of(self, step: Step) -> np.ndarray:
        last = step is self.model.network.steps[-1]
        values = self._program[0].memory[OUTPUTS if last else f"{OUTPUTS}/{step.name}"]
        return values.reshape(-1)[: math.prod(step.shape)]


@dataclass
class Source:
    """A model file, or the folder of a run.

    Parameters
    ----------
    path : Path
    """

    path: Path
    _loaded: Loaded | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _samples: list[dict[str, Any]] | None = field(default=None, repr=False)
    _sampling: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def check(self) -> None:
        """Raise ModelFileError if there is neither a model nor a run, or the model cannot be read."""
        if self.run is None or self._file() is not None:
            self.loaded()

    @property
    def run(self) -> RunFolder | None:
        """The run, if there is one."""
        folder = RunFolder(self.path)
        return folder if self.path.is_dir() and (folder.config.exists() or folder.log.exists()) else None

    def unchanged(self) -> Loaded | None:
        """Return the model if its file has not changed since it was read; never waits for a file."""
        known = self._loaded
        if known is None or known.file != self._current():
            return None
        return known if known.stamp == _stamp(known.file) else None

    def loaded(self) -> Loaded:
        """Return the model as its file is now.

        Raises
        ------
        ModelFileError
            If there is none yet, or its first reading fails.
        """
        with self._lock:
            if self.unchanged() is None:
                try:
                    self._loaded = Loaded(self._current())
                except StriateError:  # a half-written file is no reason to drop the previous model
                    if self._loaded is None:
                        raise
            assert self._loaded is not None
            return self._loaded

    def samples(self) -> list[dict[str, Any]]:
        """Return samples for the page to offer: those of the model, or some of the data of the run."""
        loaded, run = self.loaded(), self.run
        if run is None or loaded.info["samples"]:
            return list(loaded.info["samples"])
        with self._sampling:  # the data are read once
            if self._samples is None:
                self._samples = samples_of_run(run, loaded.model)
            return self._samples

    def _current(self) -> Path:
        return self._file() or model_file_of(self.path)

    def _file(self) -> Path | None:
        """Return the model of a run or, before it has one, its newest checkpoint."""
        if self.run is None:
            return None
        if self.run.model.is_file():
            return self.run.model
        found = sorted(self.run.checkpoints.glob("*.safetensors"), key=lambda path: path.stat().st_mtime_ns)
        return found[-1] if found else None


def _stamp(file: Path) -> tuple[int, int]:
    try:
        status = file.stat()
    except OSError as error:
        raise ModelFileError(f"{file}: cannot be read ({error.strerror}). Check the name.") from None
    return status.st_mtime_ns, status.st_size
