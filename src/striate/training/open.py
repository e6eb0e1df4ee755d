"""Open the engine for a training."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from striate.training.batches import Batches
from striate.training.losses import Plan
from striate.training.rates import Rates, frozen_layers
from striate.training.regularisation import Regulariser
from striate.training.stepper import LARGEST, Adjustment, Stepper

if TYPE_CHECKING:
    from striate.training.loop import Job
    from striate.training.trainer import Trainer


def open_stepper(trainer: Trainer, plan: Plan, batches: Batches) -> Stepper:
    """Return what takes the steps of a training; the session is the one before where it fits."""
    from striate.engine.session import TrainingSession

    size = len(batches.inputs) if trainer.batch_size == "full" else int(trainer.batch_size)
    key = (
        plan.loss,
        batches.dtype,
        min(size, LARGEST),
        trainer.optimizer.kernel,
        trainer.threads,
        trainer.model.winograd,
        trainer.auxiliary_weight,
    )
    if trainer.session is None or trainer.session_key != key:
        trainer.session = TrainingSession(
            trainer.network,
            batch_size=min(size, LARGEST),
            loss=plan.loss,
            optimizer=trainer.optimizer.kernel,
            dtype=batches.dtype,
            auxiliary_weight=trainer.auxiliary_weight,
            frozen=frozen_layers(trainer.network, trainer.factors),
            threads=trainer.threads,
            winograd=trainer.model.winograd,
        )
        trainer.session_key = key
    normalisation = trainer.model.normalisation
    assert normalisation is not None
    trainer.session.normalise(np.asarray(normalisation.mean), np.asarray(normalisation.scale))
    trainer.publish()
    return Stepper(trainer.session, trainer.seed, adjustments(trainer))


def batches_of(trainer: Trainer, job: Job) -> Batches:
    """Return what the batches of a job are drawn from."""
    plan = job.plan
    return Batches.of(
        job.train,
        trainer.seed,
        plan.targets,
        weights=job.weights,
        balanced=trainer.sampling == "balanced",
        labels=job.train.targets,
        shares=plan.shares,
        smoothing=plan.smoothing,
        augmentation=trainer.augmentation,
        threads=trainer.threads,
    )


def adjustments(trainer: Trainer) -> list[Adjustment]:
    """Return what happens between gradient and update, in order."""
    found: list[Adjustment] = []
    rates = Rates(trainer.network, trainer.factors)
    if rates.parts:
        found.append(rates)
    if trainer.regularisation.adjusts():
        found.append(Regulariser(trainer.regularisation, trainer.network, trainer.seed))
    return found
