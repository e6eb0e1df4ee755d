"""Copies of the last good parameters, to return to when a loss becomes NaN or infinite."""

from __future__ import annotations

import copy
from dataclasses import dataclass

import numpy as np

from striate.training.batches import Batches
from striate.training.divergence import first_overflow
from striate.training.progress import Progress
from striate.training.state import TrainingState
from striate.training.stepper import Stepper


@dataclass(frozen=True, eq=False)
class Snapshot:
    """A training between two steps."""

    arrays: tuple[np.ndarray, ...]
    progress: Progress


class Snapshots:
    """The last two snapshots of a training.

    The newest is known to be good only when the loss of the step after it was finite.
    """

    every = 256  # steps; three copies of the parameters cost less than one step

    def __init__(self, state: TrainingState, stepper: Stepper, batches: Batches, size: int) -> None:
        self.state, self.stepper, self.batches, self.size = state, stepper, batches, size
        self.kept: list[Snapshot] = []
        self.newest = -1

    def take(self) -> None:
        """Take a snapshot, and forget all but the one before it."""
        state = self.state
        if state.progress.step == self.newest:
            self.kept.pop()
        state.synchronise()
        arrays = tuple(array.copy() for array in state.arrays())
        self.kept = [*self.kept[-1:], Snapshot(arrays, copy.copy(state.progress))]
        self.newest = state.progress.step

    def go_back(self, order: np.ndarray) -> tuple[int, str | None]:
        """Restore the last good snapshot.

        Returns
        -------
        step : int
            Where it stands now.
        layer : str or None
            The layer of the first value that is not finite, if it can be determined.
        """
        failed = copy.copy(self.state.progress)
        layer = self._find(failed, order)
        good = self.kept[-1] if failed.step > self.newest else self.kept[0]
        self._put_back(good)
        vars(self.state.progress).update(vars(good.progress))
        return good.progress.step, layer

    def _put_back(self, snapshot: Snapshot) -> None:
        for array, kept in zip(self.state.arrays(), snapshot.arrays, strict=True):
            array[:] = kept
        self.state.publish()

    def _find(self, failed: Progress, order: np.ndarray) -> str | None:
        """Repeat the steps from the newest snapshot to the one that failed, and examine that one in float64."""
        snapshot, state, size = self.kept[-1], self.state, self.size
        optimizer, schedule = state.settings.optimizer, state.schedule
        assert optimizer is not None
        assert schedule is not None
        self._put_back(snapshot)
        batch = snapshot.progress.batch
        for number in range(snapshot.progress.step + 1, failed.step + 1):
            rate = schedule(number - 1) * state.learning_rate_factor
            samples = self.batches.batch(order[batch * size : (batch + 1) * size], failed.epoch)
            self.stepper.step(samples, optimizer.numbers(number, rate), number)
            batch += 1
        state.synchronise()
        index = order[batch * size : (batch + 1) * size][:64]
        samples = self.batches.batch(index if len(index) else order[:1], failed.epoch)
        return first_overflow(state.model, state.model.theta, samples.inputs[samples.index])
