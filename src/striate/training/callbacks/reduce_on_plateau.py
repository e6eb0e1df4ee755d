"""Reduce the learning rate when a metric no longer improves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from striate.settings import Place
from striate.settings.setting import build
from striate.settings.signature import takes
from striate.training.callbacks.base import Callback
from striate.training.callbacks.monitor import Monitor
from striate.training.settings.callbacks import ReduceOnPlateauSettings

if TYPE_CHECKING:
    from striate.training.history import EpochRecord
    from striate.training.job import Job
    from striate.training.state import TrainingState


class ReduceOnPlateau(Callback):
    """Multiply the learning rate by ``factor`` after ``patience`` epochs without an improvement.

    Parameters
    ----------
    monitor : {"val_loss", "val_accuracy", "loss", "accuracy"}
        The metric to watch.
    **settings
        The others of `ReduceOnPlateauSettings`: factor, patience, min_delta, mode, cooldown and floor.
    """

    name = "reduce_on_plateau"

    @takes(ReduceOnPlateauSettings)
    def __init__(self, monitor: str = "val_loss", **settings: Any) -> None:
        s = build(ReduceOnPlateauSettings, {"monitor": monitor, **settings}, Place(self.name))
        self.monitor = Monitor(s.monitor, s.mode, s.min_delta, "reduce on plateau")
        self.factor, self.patience, self.cooldown, self.floor = s.factor, s.patience, s.cooldown, s.floor
        self.best: float | None = None
        self.waited = 0
        self.cooling = 0

    def check(self, job: Job) -> None:
        """Raise UsageError if the training does not have the metric."""
        self.monitor.check(job.metrics)

    def on_epoch_end(self, state: TrainingState, record: EpochRecord) -> None:
        """Compare the epoch with the best one."""
        value = self.monitor.value(record)
        if self.cooling:
            self.cooling -= 1
            self.waited = 0
        if self.monitor.improves(value, self.best):
            self.best, self.waited = value, 0
        elif not self.cooling:
            self.waited += 1
            if self.waited >= self.patience and record.learning_rate > self.floor:
                reduced = max(self.factor, self.floor / record.learning_rate)
                state.learning_rate_factor *= reduced
                self.cooling, self.waited = self.cooldown, 0

    def state(self) -> dict[str, Any]:
        """Return the best value, and the number of epochs since."""
        return {"best": self.best, "waited": self.waited, "cooling": self.cooling}

    def restore(self, state: dict[str, Any]) -> None:
        """Restore what ``state`` returned."""
        self.best, self.waited, self.cooling = state["best"], state["waited"], state["cooling"]
