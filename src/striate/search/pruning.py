"""Stopping the trials of a search that are worse than others."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any

from striate.training.callbacks import Callback
from striate.training.history import EpochRecord
from striate.training.state import TrainingState

WHOLE = 5  # the first trials are never stopped
WARM_UP = 2  # epochs that every trial has
FEWEST = 3  # values that have a useful median


class Watcher(Callback):
    """Reports every epoch of a trial to Optuna, and stops a trial that is worse than others were."""

    name, REASON = "search", "worse than other trials"

    def __init__(self, trial: Any, maximise: bool) -> None:
        self.trial, self.maximise = trial, maximise

    def on_epoch_end(self, state: TrainingState, record: EpochRecord) -> None:
        """Report the epoch; one that came before the trial was taken over is known already."""
        if record.epoch not in self._trials()[self.trial.number].intermediate_values:
            self.trial.report(objective(record, self.maximise), record.epoch)
        last = record.epoch >= state.progress.epochs
        if not last and is_worse(self._trials(), self.trial.number, record.epoch, self.maximise):
            state.stop(self.REASON)

    def _trials(self) -> Any:
        return self.trial.study.get_trials(deepcopy=False)


def is_worse(trials: Sequence[Any], number: int, epoch: int, maximise: bool) -> bool:
    """Return whether the best value of a trial until an epoch is worse than the median of others at that epoch.

    The others are the trials that have run to their end, and the first `WHOLE`, which will: several processes begin
    to stop trials as early as one process does, though those that they compare with are still running.

    Parameters
    ----------
    trials : sequence of trials
        By number.
    number : int
        Of the trial in question.
    epoch : int
        From 1.
    maximise : bool
    """
    first = [trial.number for trial in trials if "misfit" not in trial.user_attrs][:WHOLE]
    if number in first or epoch < WARM_UP:
        return False
    others = [t for t in trials if t.state.name == "COMPLETE" or (t.state.name == "RUNNING" and t.number in first)]
    values = [trial.intermediate_values[epoch] for trial in others if epoch in trial.intermediate_values]
    if len(values) < FEWEST:
        return False
    own = trials[number].intermediate_values.values()
    middle = statistics.median(values)
    return bool(max(own) < middle if maximise else min(own) > middle)


def objective(record: EpochRecord, maximise: bool) -> float:
    """Return what a search compares: the validation accuracy, or the loss of a regression."""
    value = record.val_accuracy if maximise else record.val_loss
    assert value is not None
    return float(value)
