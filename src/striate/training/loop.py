"""The loop: epochs, steps, validation, callbacks, and stopping in good order."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from striate.data.dataset import Dataset
from striate.errors import DivergenceError
from striate.losses import Loss
from striate.model.evaluation import evaluation
from striate.training.batches import Batches
from striate.training.callbacks.base import Callback
from striate.training.history import EpochRecord
from striate.training.interruption import Interruption, interruptible
from striate.training.losses import Plan
from striate.training.open import batches_of, open_stepper
from striate.training.snapshots import Snapshots
from striate.training.stepper import Stepper

if TYPE_CHECKING:
    from striate.training.trainer import Trainer


@dataclass(frozen=True, eq=False)
class Job:
    """What one call of ``fit`` learns from.

    Parameters
    ----------
    train, validation : Dataset
    kind : {"classes", "labels", "numbers"}
        What the targets are.
    loss : Loss
    plan : Plan
        How the engine gets the targets.
    weights, validation_weights : float32[N], optional
        How much each sample counts.
    """

    train: Dataset
    validation: Dataset | None
    kind: str
    loss: Loss
    plan: Plan
    weights: np.ndarray | None = None
    validation_weights: np.ndarray | None = None


def run(trainer: Trainer, job: Job) -> None:
    """Train until the last epoch, a wish to stop, or Ctrl-C."""
    batches = batches_of(trainer, job)
    loop = _Loop(trainer, job, batches, open_stepper(trainer, job.plan, batches))
    trainer.model.metadata = metadata(trainer, job)
    history = trainer.history
    history.interrupted, history.stop_reason = False, None
    with interruptible() as loop.interruption:
        for callback in trainer.callbacks:
            callback.on_train_begin(trainer)
        try:
            loop.epochs()
        except KeyboardInterrupt:
            loop.interrupt()
        finally:
            trainer.synchronise()
            trainer.model.metadata = metadata(trainer, job)
        history.stop_reason = trainer.stop_reason
        for callback in trainer.callbacks:
            callback.on_train_end(trainer, history)


def metadata(trainer: Trainer, job: Job) -> dict:
    """Return how the model came to be: what is saved with it, the same for the same training."""
    records = trainer.history.records
    last = records[-1].to_dict() if records else {}
    kept = {key: last.get(key) for key in ("loss", "accuracy", "val_loss", "val_accuracy")}
    new = {
        "data": job.train.name,
        "samples": len(job.train),
        "loss_function": job.loss.describe(),
        "targets": job.kind,
        "optimizer": type(trainer.optimizer).__name__,
        "seed": trainer.seed,
        "epochs": trainer.progress.epoch,
        "steps": trainer.progress.step,
        **kept,
    }
    return new | {key: value for key, value in trainer.model.metadata.items() if key not in new}


class _Loop:
    """One call of ``fit`` while it runs."""

    interruption: Interruption

    def __init__(self, trainer: Trainer, job: Job, batches: Batches, stepper: Stepper) -> None:
        self.trainer, self.job, self.batches, self.stepper = trainer, job, batches, stepper
        self.size = len(batches.inputs) if trainer.batch_size == "full" else int(trainer.batch_size)
        self.step_callbacks = [c for c in trainer.callbacks if _listens(c, "on_step_end")]
        self.snapshots = Snapshots(trainer)

    def epochs(self) -> None:
        trainer, progress = self.trainer, self.trainer.progress
        while progress.epoch < progress.epochs and not trainer.stop_reason:
            order = self.batches.order(progress.epoch)
            progress.begin_epoch(-(-len(order) // self.size), len(order))
            self.snapshots.take()
            if progress.batch == 0:
                for callback in trainer.callbacks:
                    callback.on_epoch_begin(trainer)
            self.steps(order)
            if progress.batch == progress.batches:
                self.end_epoch()
            else:
                progress.pause()
            if self.interruption.asked:
                self.interrupt()

    def steps(self, order: np.ndarray) -> None:
        """Take the remaining steps of an epoch; what is done here is done for every batch, so it is little."""
        trainer, progress, step = self.trainer, self.trainer.progress, self.stepper.step
        schedule, numbers, snapshots = trainer.schedule, trainer.optimizer.numbers, self.snapshots
        interruption, callbacks, isfinite = self.interruption, self.step_callbacks, math.isfinite
        for batch in self.batches.of_epoch(order, progress.epoch, self.size, progress.batch):
            rate = schedule(progress.step) * trainer.learning_rate_factor
            number = progress.step + 1
            loss, correct = step(batch, numbers(number, rate), number)
            if not isfinite(loss):
                self.diverged(f"the loss must be finite; got {loss}", order)
            progress.advance(len(batch), loss, correct, rate)
            if number - snapshots.newest >= snapshots.every:
                snapshots.take()
            for callback in callbacks:
                callback.on_step_end(trainer)
            if interruption.asked or trainer.stop_reason:
                return

    def interrupt(self) -> None:
        self.trainer.stop("interrupted")
        self.trainer.history.interrupted = True

    def end_epoch(self) -> None:
        trainer, progress = self.trainer, self.trainer.progress
        loss, accuracy, speed = progress.loss, progress.accuracy, progress.images_per_second
        trainer.synchronise()
        if not np.isfinite(trainer.model.theta).all():
            self.diverged("parameters must be finite; got NaN or infinity", self.batches.order(progress.epoch))
        val_loss, val_accuracy = self.validate()
        record = EpochRecord(
            epoch=progress.epoch + 1,
            loss=loss,
            accuracy=accuracy if "accuracy" in trainer.figures else None,
            val_loss=val_loss,
            val_accuracy=val_accuracy,
            learning_rate=progress.learning_rate,
            steps=progress.step,
            seconds=progress.seconds,
            images_per_second=speed,
        )
        trainer.history.records.append(record)
        progress.end_epoch()
        for callback in trainer.callbacks:
            callback.on_epoch_end(trainer, record)

    def validate(self) -> tuple[float | None, float | None]:
        """Return loss and accuracy on the validation part, None where there is none."""
        validation = self.job.validation
        if validation is None:
            return None, None
        model = self.trainer.model
        scores = model.scores(validation.inputs, loss=self.job.loss)
        found = evaluation(scores, validation, model.classes, self.job.loss, self.job.validation_weights)
        return found.loss, found.accuracy

    def diverged(self, what: str, order: np.ndarray) -> None:
        """Go back to the last good parameters and raise; the message names the step, the batch and the layer."""
        p = self.trainer.progress
        place = f"step {p.step + 1}, epoch {p.epoch + 1}, batch {p.batch + 1}"
        good, layer = self.snapshots.go_back(self.stepper, self.batches, order, self.size)
        raise DivergenceError(
            f"training: {what} in {place}{f', first at {layer}' if layer else ''}. The parameters are those "
            f"after step {good}. Lower the learning rate, or clip the gradient."
        )


def _listens(callback: Callback, method: str) -> bool:
    """Return whether a callback does something in ``method``, so that the others cost nothing."""
    return method in vars(callback) or getattr(type(callback), method) is not getattr(Callback, method)
