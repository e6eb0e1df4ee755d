"""Copies of the last good parameters, for when a loss stops being a number."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from striate.training.batches import Batches
from striate.training.divergence import first_overflow
from striate.training.progress import Progress
from striate.training.stepper import Stepper

if TYPE_CHECKING:
    from striate.training.trainer import Trainer


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

    def __init__(self, trainer: Trainer) -> None:
        self.trainer = trainer
        self.kept: list[Snapshot] = []
        self.newest = -1

    def take(self) -> None:
        """Take a snapshot, and forget all but the one before it."""
        trainer = self.trainer
        if trainer.progress.step == self.newest:
            self.kept.pop()
        trainer.synchronise()
        arrays = tuple(array.copy() for array in self._arrays())
        self.kept = [*self.kept[-1:], Snapshot(arrays, copy.copy(trainer.progress))]
        self.newest = trainer.progress.step

    def go_back(self, stepper: Stepper, batches: Batches, order: np.ndarray, size: int) -> tuple[int, str | None]:
        """Put the training back to the last good snapshot.

        Returns
        -------
        step : int
            Where it stands now.
        layer : str or None
            Where the first number was that is none, if that can be told.
        """
        failed = copy.copy(self.trainer.progress)
        layer = self._find(failed, stepper, batches, order, size)
        good = self.kept[-1] if failed.step > self.newest else self.kept[0]
        self._put_back(good)
        vars(self.trainer.progress).update(vars(good.progress))
        return good.progress.step, layer

    def _put_back(self, snapshot: Snapshot) -> None:
        for array, kept in zip(self._arrays(), snapshot.arrays, strict=True):
            array[:] = kept
        self.trainer.publish()

    def _arrays(self) -> tuple[np.ndarray, ...]:
        model, moments = self.trainer.model, self.trainer.moments
        return model.theta, model.states, moments.first, moments.second

    def _find(
        self, failed: Progress, stepper: Stepper, batches: Batches, order: np.ndarray, size: int
    ) -> str | None:
        """Repeat the steps from the newest snapshot up to the one that failed, and look at that one in float64."""
        snapshot, trainer = self.kept[-1], self.trainer
        self._put_back(snapshot)
        batch = snapshot.progress.batch
        for number in range(snapshot.progress.step + 1, failed.step + 1):
            rate = trainer.schedule(number - 1) * trainer.learning_rate_factor
            samples = batches.batch(order[batch * size : (batch + 1) * size], failed.epoch)
            stepper.step(samples, trainer.optimizer.numbers(number, rate), number)
            batch += 1
        trainer.synchronise()
        index = order[batch * size : (batch + 1) * size][:64]
        samples = batches.batch(index if len(index) else order[:1], failed.epoch)
        return first_overflow(trainer.model, trainer.model.theta, samples.inputs[samples.index])
