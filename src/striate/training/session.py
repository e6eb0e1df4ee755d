"""The engine's session for a training, and the adjustments around its updates."""

from __future__ import annotations

import numpy as np

from striate.engine.memory import samples_at_once
from striate.training import ranks
from striate.training.batches import Batches
from striate.training.job import Job
from striate.training.rates import Rates, frozen_layers
from striate.training.regularisation import Regulariser
from striate.training.state import TrainingState
from striate.training.stepper import Adjustment, Stepper


def stepper_for(state: TrainingState, job: Job, batches: Batches) -> Stepper:
    """Return the stepper of a training; it reuses the session of the previous call if that fits.

    The session gets the parameters with ``state.publish``.
    """
    from striate.engine.training_session import TrainingSession

    settings = state.settings
    assert settings.optimizer is not None
    size = min(step_size(state, batches), samples_at_once(state.network))
    kernel = settings.optimizer.kernel
    key = (job.plan.loss, batches.dtype, size, kernel)
    if state.session is None or state.session_key != key:
        make = TrainingSession if ranks.current is None else ranks.current.session
        state.session = make(
            state.network,
            batch_size=size,
            loss=job.plan.loss,
            optimizer=kernel,
            dtype=batches.dtype,
            auxiliary_weight=settings.auxiliary_weight,
            frozen=frozen_layers(state.network, state.factors),
            threads=settings.threads,
            winograd=settings.winograd,
        )
        state.session_key = key
    state.session.normalise(np.asarray(job.normalisation.mean), np.asarray(job.normalisation.scale))
    return Stepper(state.session, settings.seed, adjustments(state))


def step_size(state: TrainingState, batches: Batches) -> int:
    """Return the number of samples of a step."""
    size = state.settings.batch_size
    return size if isinstance(size, int) else len(batches.inputs)


def batches_for(state: TrainingState, job: Job) -> Batches:
    """Return the source of a job's batches."""
    plan, settings = job.plan, state.settings
    augmentation = settings.augmentation
    return Batches.of(
        job.train,
        settings.seed,
        plan.targets,
        weights=job.weights,
        balanced=settings.sampling == "balanced",
        labels=job.train.targets,
        shares=plan.shares,
        smoothing=plan.smoothing,
        augmentation=augmentation if augmentation is not None and augmentation.transforms else None,
        threads=settings.threads,
    )


def adjustments(state: TrainingState) -> list[Adjustment]:
    """Return the adjustments between gradient and update, in order."""
    found: list[Adjustment] = []
    rates = Rates(state.network, state.factors)
    if rates.parts:
        found.append(rates)
    regularisation = state.settings.regularisation
    if regularisation.adjusts():
        found.append(Regulariser(regularisation, state.network, state.settings.seed, state.factors))
    return found
