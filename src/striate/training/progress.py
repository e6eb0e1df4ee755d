"""The progress of a training, updated in place after every step."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass


@dataclass
class Progress:
    """Numbers that callbacks read while training runs.

    Parameters
    ----------
    epoch : int
        Epochs completed since training began.
    epochs : int
        Epochs after which this call of ``fit`` ends.
    first_epoch, first_step : int
        Epochs completed and steps taken when it began.
    batch, batches : int
        Batches done in the current epoch, and in a whole one.
    step : int
        Steps taken since training began.
    samples : int
        Samples seen in the current epoch.
    loss_sum, correct_sum : float
        Over these samples.
    learning_rate : float
        Of the last step.
    epoch_samples : int
        Samples of a whole epoch.
    """

    epoch: int = 0
    epochs: int = 0
    first_epoch: int = 0
    first_step: int = 0
    batch: int = 0
    batches: int = 0
    step: int = 0
    samples: int = 0
    loss_sum: float = 0.0
    correct_sum: float = 0.0
    learning_rate: float = math.nan
    epoch_samples: int = 0
    started: float = 0.0
    samples_before: int = 0
    last_speed: float = 0.0
    seconds_before: float = 0.0

    def plan(self, epochs: int) -> None:
        """Start a training of ``epochs`` further epochs."""
        self.first_epoch, self.first_step = self.epoch, self.step
        self.epochs = self.epoch + epochs

    def begin_epoch(self, batches: int, samples: int) -> None:
        """Start the clock; sums are kept, so that an epoch continues where it was interrupted."""
        self.batches, self.epoch_samples = batches, samples
        self.started = time.perf_counter()
        self.samples_before = self.samples

    def advance(self, samples: int, loss_sum: float, correct_sum: float, learning_rate: float) -> None:
        """Count a step."""
        self.step += 1
        self.batch += 1
        self.samples += samples
        self.loss_sum += loss_sum
        self.correct_sum += correct_sum
        self.learning_rate = learning_rate

    def pause(self) -> None:
        """Stop the clock in the middle of an epoch."""
        self.seconds_before = self.seconds

    def end_epoch(self) -> None:
        """Count the epoch and clear its sums."""
        self.last_speed = self.samples_per_second
        self.epoch += 1
        self.batch = self.samples = self.samples_before = 0
        self.loss_sum = self.correct_sum = self.seconds_before = 0.0

    @property
    def loss(self) -> float:
        """Mean loss of the epoch so far."""
        return self.loss_sum / self.samples if self.samples else math.nan

    @property
    def accuracy(self) -> float:
        """Share of the epoch's samples so far that were classified correctly."""
        return self.correct_sum / self.samples if self.samples else math.nan

    @property
    def seconds(self) -> float:
        """Time since this epoch began, without interruptions."""
        return self.seconds_before + time.perf_counter() - self.started

    @property
    def samples_per_second(self) -> float:
        """Speed in this epoch, or in the one before where none has begun."""
        elapsed, done = time.perf_counter() - self.started, self.samples - self.samples_before
        return done / elapsed if done > 0 and elapsed > 0 else self.last_speed

    @property
    def seconds_left(self) -> float:
        """Time for the remaining steps at this speed, without validation; NaN while unknown."""
        left = (self.epochs - self.epoch) * self.epoch_samples - self.samples
        if left <= 0:
            return 0.0
        speed = self.samples_per_second
        return left / speed if speed > 0 else math.nan
