"""Save a training periodically while it runs."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from striate.errors import ModelFileError
from striate.settings import Place
from striate.settings.setting import build
from striate.settings.signature import takes
from striate.storage.container import write
from striate.training import checkpoint
from striate.training.callbacks.base import Callback
from striate.training.callbacks.monitor import Monitor
from striate.training.checkpoint import Written
from striate.training.settings.callbacks import CheckpointConfig

if TYPE_CHECKING:
    from striate.training.history import EpochRecord, History
    from striate.training.job import Job
    from striate.training.state import TrainingState

PATTERN = "step-*.safetensors"
BEST = "best.safetensors"


class Checkpoint(Callback):
    """Write checkpoints into a folder; keep the last ones and the best.

    Parameters
    ----------
    folder : path
    **settings
        Those of `CheckpointConfig`: every_epochs, every_steps, every_minutes, keep, monitor, mode, least_seconds.
        Short epochs do not wait for the disk (least_seconds); the best is kept in memory meanwhile.
    """

    name = "checkpoint"
    last = True

    @takes(CheckpointConfig)
    def __init__(self, folder: str | Path, **settings: Any) -> None:
        s = build(CheckpointConfig, settings, Place(self.name))
        self.folder, self.keep, self.least_seconds = Path(folder), s.keep, s.least_seconds
        self.every_epochs, self.every_steps, self.every_minutes = s.every_epochs, s.every_steps, s.every_minutes
        self.monitors = [Monitor(key, s.mode, 0.0, "checkpoint") for key in ([s.monitor] if s.monitor else _USUAL)]
        self.best: float | None = None
        self._best: Written | None = None
        self.saved_step = -1
        self.saved_at = time.monotonic()
        self.wants_steps = self.every_steps is not None or self.every_minutes is not None

    def check(self, job: Job) -> None:
        """Raise UsageError if the training does not have the metric that was asked for."""
        if len(self.monitors) == 1:
            self.monitors[0].check(job.metrics)

    def on_train_begin(self, state: TrainingState) -> None:
        """Start the clock."""
        self.saved_at = time.monotonic()

    def on_step_end(self, state: TrainingState) -> None:
        """Save if it is due."""
        step = state.progress.step
        due = self.every_steps is not None and step % self.every_steps == 0
        if due or (self.every_minutes and time.monotonic() - self.saved_at >= 60.0 * self.every_minutes):
            self.save(state)

    def on_epoch_end(self, state: TrainingState, record: EpochRecord) -> None:
        """Keep the best model, and save unless the last checkpoint is too recent."""
        monitor = self.monitors[0] if record.val_loss is not None or len(self.monitors) == 1 else self.monitors[1]
        if monitor.improves(monitor.value(record), self.best):
            self.best, self._best = monitor.value(record), checkpoint.copy_of(state)
        if time.monotonic() - self.saved_at < self.least_seconds:
            return
        self._write_best()
        if self.every_epochs and record.epoch % self.every_epochs == 0:
            self.save(state)

    def on_train_end(self, state: TrainingState, history: History) -> None:
        """Save the best model, and the state at which training stopped."""
        self._write_best()
        if self.saved_step != state.progress.step:
            self.save(state)

    def save(self, state: TrainingState) -> Path | None:
        """Write a checkpoint now, then remove those that are too old.

        Parameters that are no numbers are not saved: the next step will stop the training.
        """
        state.synchronise()
        if not np.isfinite(state.model.theta).all():
            return None
        self._write_best()
        self.saved_step, self.saved_at = state.progress.step, time.monotonic()
        path = checkpoint.save(state, self.folder / f"step-{self.saved_step:09d}.safetensors")
        for old in checkpoints(self.folder)[: -self.keep]:
            with contextlib.suppress(OSError):
                old.unlink()
        return path

    def _write_best(self) -> None:
        if self._best is not None:
            write(self.folder / BEST, *self._best)
            self._best, self.saved_at = None, time.monotonic()

    def state(self) -> dict[str, Any]:
        """Return the best value so far."""
        return {"best": self.best}

    def restore(self, state: dict[str, Any]) -> None:
        """Restore what ``state`` returned."""
        self.best = state["best"]


_USUAL = ("val_loss", "loss")


def checkpoints(folder: Path) -> list[Path]:
    """Return the checkpoints in a folder, the oldest first."""
    return sorted(Path(folder).glob(PATTERN))


def restore_latest(state: TrainingState, folder: Path) -> Path | None:
    """Restore the newest checkpoint of a folder that can be read; return it, or None if there is none.

    Raises
    ------
    ModelFileError
        If there are checkpoints, but none can be read.
    UsageError
        If they belong to a training with other settings.
    """
    failed: ModelFileError | None = None
    for path in reversed(checkpoints(folder)):
        try:
            checkpoint.restore(state, path)
        except ModelFileError as error:
            failed = failed or error
        else:
            return path
    if failed is not None:
        raise failed
    return None
