"""Save a training again and again while it runs."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from striate.errors import ModelFileError
from striate.layers.arguments import integer, real
from striate.storage.container import write
from striate.training.callbacks.base import Callback
from striate.training.callbacks.monitor import Monitor
from striate.training.checkpoint import State, copy_state

if TYPE_CHECKING:
    from striate.training.history import EpochRecord, History
    from striate.training.trainer import Trainer

PATTERN = "step-*.safetensors"
BEST = "best.safetensors"


class Checkpoint(Callback):
    """Write checkpoints into a folder; keep the last ones and the best.

    Parameters
    ----------
    folder : path
    every_epochs : int
        0 for none at the end of epochs.
    every_steps : int, optional
    every_minutes : float, optional
    keep : int
        How many of the last checkpoints stay.
    monitor : str, optional
        The figure by which the best epoch is kept in ``best.safetensors``; the validation loss, or
        without a validation part the loss, by default.
    mode : {"auto", "min", "max"}
    least_seconds : float
        Between two checkpoints at the end of epochs, so that short epochs do not wait for the disk. The best is
        kept in memory meanwhile.
    """

    name = "checkpoint"
    last = True

    def __init__(
        self,
        folder: str | Path,
        every_epochs: int = 1,
        every_steps: int | None = None,
        every_minutes: float | None = None,
        keep: int = 3,
        monitor: str | None = None,
        mode: str = "auto",
        least_seconds: float = 1.0,
    ) -> None:
        self.folder = Path(folder)
        self.every_epochs = integer(every_epochs, "checkpoint: every_epochs", minimum=0)
        self.every_steps = None if every_steps is None else integer(every_steps, "checkpoint: every_steps")
        self.every_minutes = every_minutes and real(every_minutes, "checkpoint: every_minutes", above=0)
        self.keep = integer(keep, "checkpoint: keep")
        self.monitors = [Monitor(key, mode, 0.0, "checkpoint") for key in ([monitor] if monitor else _USUAL)]
        self.least_seconds = real(least_seconds, "checkpoint: least_seconds", above=0, closed=True)
        self.best: float | None = None
        self._best: State | None = None
        self.saved_step = -1
        self.saved_at = time.monotonic()
        if self.every_steps is not None or self.every_minutes is not None:
            self.on_step_end = self._on_step_end  # type: ignore[method-assign]

    def check(self, trainer: Trainer) -> None:
        """Raise UsageError if the training does not have the figure that was asked for."""
        if len(self.monitors) == 1:
            self.monitors[0].check(trainer.figures)

    def on_train_begin(self, trainer: Trainer) -> None:
        """Start the clock."""
        self.saved_at = time.monotonic()

    def _on_step_end(self, trainer: Trainer) -> None:
        step = trainer.progress.step
        due = self.every_steps is not None and step % self.every_steps == 0
        if due or (self.every_minutes and time.monotonic() - self.saved_at >= 60.0 * self.every_minutes):
            self.save(trainer)

    def on_epoch_end(self, trainer: Trainer, record: EpochRecord) -> None:
        """Keep the best, and save, unless the last checkpoint is too young."""
        monitor = self.monitors[0] if record.val_loss is not None or len(self.monitors) == 1 else self.monitors[1]
        if monitor.improves(monitor.value(record), self.best):
            self.best, self._best = monitor.value(record), copy_state(trainer)
        if time.monotonic() - self.saved_at < self.least_seconds:
            return
        self._write_best()
        if self.every_epochs and record.epoch % self.every_epochs == 0:
            self.save(trainer)

    def on_train_end(self, trainer: Trainer, history: History) -> None:
        """Save the best, and where training stopped."""
        self._write_best()
        if self.saved_step != trainer.progress.step:
            self.save(trainer)

    def save(self, trainer: Trainer) -> Path | None:
        """Write a checkpoint now, then remove those that are too old.

        Parameters that are no numbers are not saved: the next step will stop the training.
        """
        trainer.synchronise()
        if not np.isfinite(trainer.model.theta).all():
            return None
        self._write_best()
        self.saved_step, self.saved_at = trainer.progress.step, time.monotonic()
        path = trainer.save_checkpoint(self.folder / f"step-{self.saved_step:09d}.safetensors")
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
        """Take back what ``state`` returned."""
        self.best = state["best"]


_USUAL = ("val_loss", "loss")


def checkpoints(folder: Path) -> list[Path]:
    """Return the checkpoints in a folder, the oldest first."""
    return sorted(Path(folder).glob(PATTERN))


def restore_latest(trainer: Trainer, folder: Path) -> Path | None:
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
            trainer.restore(path)
        except ModelFileError as error:
            failed = failed or error
        else:
            return path
    if failed is not None:
        raise failed
    return None
