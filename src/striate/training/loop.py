"""The loop: epochs, steps, validation, callbacks, and stopping in good order."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from striate.errors import DivergenceError
from striate.model.evaluation import evaluation
from striate.training import ranks
from striate.training.batches import Batches
from striate.training.callbacks.base import Callback
from striate.training.history import EpochRecord
from striate.training.interruption import Interruption, interruptible
from striate.training.job import Job
from striate.training.session import batches_for, step_size, stepper_for
from striate.training.snapshots import Snapshots
from striate.training.state import TrainingState
from striate.training.stepper import Stepper


def run(state: TrainingState, job: Job, callbacks: Sequence[Callback]) -> None:
    """Train until the last epoch, a request to stop, or Ctrl-C."""
    batches, stepper = _prepare(state, job)
    loop = _Loop(state, job, batches, stepper, callbacks)
    state.model.metadata = metadata(state, job)
    history = state.history
    history.interrupted, history.stop_reason = False, None
    try:
        _train(loop)
        history.stop_reason = state.stop_reason
        for callback in callbacks:
            callback.on_train_end(state, history)
    finally:
        if ranks.current is not None:
            ranks.current.end()


def _train(loop: _Loop) -> None:
    """Run all steps; afterwards the model is up to date."""
    state = loop.state
    with interruptible() as loop.interruption:
        for callback in loop.callbacks:
            callback.on_train_begin(state)
        try:
            loop.epochs()
        except KeyboardInterrupt:
            loop.interrupt()
        finally:
            state.synchronise()
            state.model.metadata = metadata(state, loop.job)


def _prepare(state: TrainingState, job: Job) -> tuple[Batches, Stepper]:
    """Return the batches of a training and what takes its steps, on all ranks if there are several."""
    batches, team = batches_for(state, job), ranks.current
    if team is None:
        stepper = stepper_for(state, job, batches)
    else:
        team.meet(state, job)
        stepper = team.together(lambda: stepper_for(state, job, batches))
        batches = team.batches(batches, stepper.session)
    state.publish()
    return batches, stepper


def metadata(state: TrainingState, job: Job) -> dict[str, Any]:
    """Return the metadata saved with the model, the same for the same training."""
    records = state.history.records
    last = records[-1].to_dict() if records else {}
    kept = {key: last.get(key) for key in ("loss", "accuracy", "val_loss", "val_accuracy")}
    new = {
        "data": job.train.name,
        "samples": len(job.train),
        "loss_function": job.loss.describe(),
        "targets": job.kind,
        "optimizer": type(state.settings.optimizer).__name__,
        "seed": state.settings.seed,
        "epochs": state.progress.epoch,
        "steps": state.progress.step,
        **kept,
    }
    if job.train.target_names:
        new["target_names"] = list(job.train.target_names)
    return new | {key: value for key, value in state.model.metadata.items() if key not in new}


class _Loop:
    """One call of ``fit`` while it runs."""

    interruption: Interruption

    def __init__(
        self, state: TrainingState, job: Job, batches: Batches, stepper: Stepper, callbacks: Sequence[Callback]
    ) -> None:
        self.state, self.job, self.batches, self.stepper, self.callbacks = state, job, batches, stepper, callbacks
        self.size = step_size(state, batches)
        self.step_callbacks = [callback for callback in callbacks if callback.wants_steps]
        self.snapshots = Snapshots(state, stepper, batches, self.size)

    def epochs(self) -> None:
        state, progress = self.state, self.state.progress
        while progress.epoch < progress.epochs and not state.stop_reason:
            order = self.batches.order(progress.epoch)
            progress.begin_epoch(-(-len(order) // self.size), len(order))
            self.snapshots.take()
            if progress.batch == 0:
                for callback in self.callbacks:
                    callback.on_epoch_begin(state)
            self.steps(order)
            if progress.batch == progress.batches:
                self.end_epoch()
            else:
                progress.pause()
            if self.interruption.asked:
                self.interrupt()

    def steps(self, order: np.ndarray) -> None:
        """Run the remaining steps of an epoch; this is done for every batch, so it is kept short."""
        state, progress, step = self.state, self.state.progress, self.stepper.step
        optimizer, snapshots = state.settings.optimizer, self.snapshots
        assert optimizer is not None
        numbers, learning_rate = optimizer.numbers, state.learning_rate
        interruption, callbacks, isfinite = self.interruption, self.step_callbacks, math.isfinite
        for batch in self.batches.of_epoch(order, progress.epoch, self.size, progress.batch):
            rate = learning_rate()
            number = progress.step + 1
            loss, correct = step(batch, numbers(number, rate), number)
            if not isfinite(loss):
                self.diverged(f"the loss must be finite; got {loss}", order)
            progress.advance(len(batch), loss, correct, rate)
            if number - snapshots.newest >= snapshots.every:
                snapshots.take()
            for callback in callbacks:
                callback.on_step_end(state)
            if interruption.asked or state.stop_reason:
                return

    def interrupt(self) -> None:
        self.state.stop("interrupted")
        self.state.history.interrupted, self.state.history.signal = True, self.interruption.signal

    def end_epoch(self) -> None:
        state, progress = self.state, self.state.progress
        loss, accuracy, speed = progress.loss, progress.accuracy, progress.samples_per_second
        state.synchronise()
        if not np.isfinite(state.model.theta).all():
            self.diverged("parameters must be finite; got NaN or infinity", self.batches.order(progress.epoch))
        val_loss, val_accuracy = self.validate()
        record = EpochRecord(
            epoch=progress.epoch + 1,
            loss=loss,
            accuracy=accuracy if "accuracy" in state.metrics else None,
            val_loss=val_loss,
            val_accuracy=val_accuracy,
            learning_rate=progress.learning_rate,
            steps=progress.step,
            seconds=progress.seconds,
            samples_per_second=speed,
        )
        state.history.records.append(record)
        progress.end_epoch()
        for callback in self.callbacks:
            callback.on_epoch_end(state, record)

    def validate(self) -> tuple[float | None, float | None]:
        """Return loss and accuracy on the validation split, None where there is none."""
        validation = self.job.validation
        if validation is None:
            return None, None
        model = self.state.model
        score = model.scores if ranks.current is None else partial(ranks.current.scores, model)
        scores = score(validation.inputs, loss=self.job.loss)
        found = evaluation(scores, validation, model.classes, self.job.loss, self.job.validation_weights)
        return found.loss, found.accuracy

    def diverged(self, what: str, order: np.ndarray) -> None:
        """Go back to the last good parameters and raise; the message names the step, the batch and the layer."""
        p = self.state.progress
        place = f"step {p.step + 1}, epoch {p.epoch + 1}, batch {p.batch + 1}"
        good, layer = self.snapshots.go_back(order)
        samples = layer == self.state.model.network.steps[0].name
        fix = (
            "Correct or remove samples with NaN or infinity"
            if samples
            else "Lower the learning rate, or clip the gradient"
        )
        raise DivergenceError(
            f"training: {what} in {place}{f', first at {layer}' if layer else ''}. The parameters are those "
            f"after step {good}. {fix}."
        )
