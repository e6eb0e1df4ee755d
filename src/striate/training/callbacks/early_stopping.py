"""Stop when a metric no longer improves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from striate.settings import Place
from striate.settings.setting import build
from striate.settings.signature import takes
from striate.training.callbacks.base import Callback
from striate.training.callbacks.monitor import Monitor
from striate.training.settings.callbacks import EarlyStoppingSettings

if TYPE_CHECKING:
    from striate.training.history import EpochRecord, History
    from striate.training.job import Job
    from striate.training.state import TrainingState


class EarlyStopping(Callback):
    """End training after ``patience`` epochs without an improvement.

    Parameters
    ----------
    monitor : {"val_loss", "val_accuracy", "loss", "accuracy"}
        The metric to watch.
    **settings
        The others of `EarlyStoppingSettings`: patience, min_delta, mode, baseline, restore_best_weights and
        start_from_epoch.

    References
    ----------
    Prechelt (1998), "Early stopping - but when?"
    """

    name = "early_stopping"

    @takes(EarlyStoppingSettings)
    def __init__(self, monitor: str = "val_loss", **settings: Any) -> None:
        s = build(EarlyStoppingSettings, {"monitor": monitor, **settings}, Place(self.name))
        self.monitor = Monitor(s.monitor, s.mode, s.min_delta, "early stopping")
        self.patience, self.baseline = s.patience, s.baseline
        self.restore_best_weights, self.start_from_epoch = s.restore_best_weights, s.start_from_epoch
        self.best: float | None = None
        self.best_epoch = 0
        self.waited = 0
        self._kept: dict[str, np.ndarray] = {}

    def check(self, job: Job) -> None:
        """Raise UsageError if the training does not have the metric."""
        self.monitor.check(job.metrics)

    def on_epoch_end(self, state: TrainingState, record: EpochRecord) -> None:
        """Compare the epoch with the best one."""
        value = self.monitor.value(record)
        if record.epoch <= self.start_from_epoch:
            return
        if self.best_epoch == 0:
            self._keep(state, record)
        self.waited += 1
        if self.monitor.improves(value, self.best):
            self.best = value
            self._keep(state, record)
            if self.baseline is None or self.monitor.improves(value, self.baseline):
                self.waited = 0
                return
        if self.waited >= self.patience and record.epoch > 1:
            state.stop(f"{self.monitor.key} did not improve for {self.waited} epochs")

    def on_train_end(self, state: TrainingState, history: History) -> None:
        """Restore the best parameters, unless training was only interrupted."""
        if self.restore_best_weights and self._kept and not history.interrupted:
            state.model.theta[:], state.model.states[:] = self._kept["theta"], self._kept["states"]
            state.publish()

    def _keep(self, state: TrainingState, record: EpochRecord) -> None:
        self.best_epoch = record.epoch
        if self.restore_best_weights:
            self._kept = {"theta": state.model.theta.copy(), "states": state.model.states.copy()}

    def state(self) -> dict[str, Any]:
        """Return the best value and parameters, and the number of epochs since."""
        return {"best": self.best, "best_epoch": self.best_epoch, "waited": self.waited, **self._kept}

    def restore(self, state: dict[str, Any]) -> None:
        """Restore what ``state`` returned."""
        self.best, self.best_epoch, self.waited = state["best"], state["best_epoch"], state["waited"]
        self._kept = {key: state[key] for key in ("theta", "states") if key in state}
