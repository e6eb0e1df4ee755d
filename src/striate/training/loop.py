"""The loop: epochs, steps, validation, callbacks, and stopping in good order."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from striate.data.dataset import Dataset
from striate.errors import DivergenceError
from striate.model.outputs import probabilities, sample_losses
from striate.training.callbacks.base import Callback
from striate.training.history import EpochRecord
from striate.training.interruption import Interruption, interruptible
from striate.training.order import epoch_order

if TYPE_CHECKING:
    from striate.training.trainer import Trainer


@dataclass(frozen=True)
class Job:
    """What one call of ``fit`` learns from."""

    train: Dataset
    validation: Dataset | None
    loss: str


def run(trainer: Trainer, job: Job) -> None:
    """Train until the last epoch, a wish to stop, or Ctrl-C."""
    session = open_session(trainer, job)
    trainer.history.interrupted, trainer.history.stop_reason = False, None
    with interruptible() as interruption:
        for callback in trainer.callbacks:
            callback.on_train_begin(trainer)
        try:
            while trainer.progress.epoch < trainer.progress.epochs and not trainer.stop_reason:
                _epoch(trainer, job, session, interruption)
        except KeyboardInterrupt:
            trainer.stop("interrupted")
            trainer.history.interrupted = True
        pull(trainer)
        trainer.history.stop_reason = trainer.stop_reason
        for callback in trainer.callbacks:
            callback.on_train_end(trainer, trainer.history)


def open_session(trainer: Trainer, job: Job) -> Any:
    """Return the engine's session for this job, the same one as before where it fits."""
    from striate.engine.session import TrainingSession

    key = (job.loss, job.train.inputs.dtype, trainer.batch_size, trainer.threads)
    if trainer.session is None or trainer.session_key != key:
        old = trainer.session
        trainer.session = TrainingSession(
            trainer.network,
            batch_size=trainer.batch_size,
            loss=job.loss,
            optimizer=trainer.optimizer.kernel,
            dtype=job.train.inputs.dtype,
            threads=trainer.threads,
        )
        trainer.session_key = key
        if old is not None:
            for name in ("first", "second"):
                getattr(trainer.session.vectors, name)[:] = getattr(old.vectors, name)
    normalisation = trainer.model.normalisation
    assert normalisation is not None
    trainer.session.normalise(np.asarray(normalisation.mean), np.asarray(normalisation.scale))
    push(trainer)
    return trainer.session


def pull(trainer: Trainer) -> None:
    """Bring the parameters from the engine into the model."""
    trainer.model.theta[:] = trainer.session.vectors.theta[: trainer.network.parameter_count]


def push(trainer: Trainer) -> None:
    """Bring the parameters from the model into the engine."""
    trainer.session.vectors.theta[: trainer.network.parameter_count] = trainer.model.theta


def _epoch(trainer: Trainer, job: Job, session: Any, interruption: Interruption) -> None:
    progress = trainer.progress
    order = epoch_order(len(job.train), trainer.seed, progress.epoch)
    progress.begin_epoch(-(-len(order) // trainer.batch_size))
    if progress.batch == 0:
        for callback in trainer.callbacks:
            callback.on_epoch_begin(trainer)
    steps = _overriding(trainer.callbacks, "on_step_end")
    inputs, targets, size = np.ascontiguousarray(job.train.inputs), job.train.targets, trainer.batch_size
    if job.loss == "cross_entropy":
        targets = targets.astype(np.float32)
    for batch in range(progress.batch, progress.batches):
        index = order[batch * size : (batch + 1) * size]
        rate = progress.learning_rate = trainer.schedule(progress.step) * trainer.learning_rate_factor
        numbers = trainer.optimizer.numbers(progress.step + 1, rate)
        losses, correct = session.step(inputs, index, targets[index], numbers)
        total = float(losses.sum())
        if not math.isfinite(total):
            raise DivergenceError(
                f"training: the loss must be finite; got {total} at step {progress.step + 1} "
                f"(epoch {progress.epoch + 1}). Lower the learning rate."
            )
        progress.step += 1
        progress.batch = batch + 1
        progress.samples += len(index)
        progress.loss_sum += total
        progress.correct_sum += float(correct.sum())
        for callback in steps:
            callback.on_step_end(trainer)
        if interruption.asked:
            raise KeyboardInterrupt
        if trainer.stop_reason:
            return
    _end_epoch(trainer, job)


def _overriding(callbacks: list[Callback], method: str) -> list[Callback]:
    """Return the callbacks that do something in ``method``, so that the others cost nothing."""
    return [
        c
        for c in callbacks
        if (getattr(c, method, None) and getattr(type(c), method) is not getattr(Callback, method))
        or method in vars(c)
    ]


def _end_epoch(trainer: Trainer, job: Job) -> None:
    progress = trainer.progress
    loss, accuracy, speed = progress.loss, progress.accuracy, progress.images_per_second
    pull(trainer)
    val_loss, val_accuracy = validate(trainer, job)
    classify = job.loss == "cross_entropy"
    record = EpochRecord(
        epoch=progress.epoch + 1,
        loss=loss,
        accuracy=accuracy if classify else None,
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


def validate(trainer: Trainer, job: Job) -> tuple[float | None, float | None]:
    """Return loss and accuracy on the validation part, None where there is none."""
    if job.validation is None:
        return None, None
    model, targets = trainer.model, job.validation.targets
    outputs = model.outputs(job.validation.inputs)
    loss = float(sample_losses(model.network, outputs, targets, job.loss).mean())
    if job.loss != "cross_entropy":
        return loss, None
    return loss, float(np.mean(probabilities(model.network, outputs).argmax(axis=1) == targets))
