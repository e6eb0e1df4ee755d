"""The state of a training: what a checkpoint holds, and what callbacks see and may change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from striate.model import Model
from striate.network import Network
from striate.training.history import History
from striate.training.optimizers import OptimizerState
from striate.training.progress import Progress
from striate.training.settings.training import TrainingSettings


class TrainingState:
    """The state of a training between two steps.

    Parameters
    ----------
    settings : TrainingSettings
        With nothing left open.
    model : Model
        The network with its parameters; up to date after every epoch, and after ``synchronise``.
    factors : dict of str to float
        Of the learning rate, for every parameter by name; 0 for those that are frozen.

    Attributes
    ----------
    optimizer : OptimizerState
        The optimizer's vectors; up to date when the model is.
    history : History
        Of all epochs so far.
    progress : Progress
        How far training has come.
    learning_rate_factor : float
        Multiplies the schedule; callbacks may change it.
    stop_reason : str or None
        Why training ends before its last epoch, once it is to.
    metrics : tuple of str
        Which of loss, accuracy, val_loss and val_accuracy the epochs of the current call of ``fit`` have.
    callbacks : list of Callback
        Of the current call of ``fit``.
    restored : dict
        What a checkpoint holds of callbacks that have not taken it back yet, by their names.
    fingerprint : dict or None
        Of the training data; see `fingerprint`.
    schedule : function of the step
        The learning rate of the current call of ``fit``.
    session : TrainingSession or None
        The engine's, whose vectors are ahead of the model within an epoch.
    """

    def __init__(self, settings: TrainingSettings, model: Model, factors: dict[str, float]) -> None:
        self.settings, self.model, self.factors = settings, model, factors
        count = model.network.parameter_count
        rule = settings.optimizer
        self.optimizer = OptimizerState() if rule is None else OptimizerState.zeros(rule, count, np.float32)
        self.history = History()
        self.progress = Progress()
        self.learning_rate_factor = 1.0
        self.stop_reason: str | None = None
        self.metrics: tuple[str, ...] = ()
        self.callbacks: list[Any] = []
        self.restored: dict[str, Any] = {}
        self.fingerprint: dict[str, Any] | None = None
        self.schedule: Callable[[int], float] | None = None
        self.session: Any = None
        self.session_key: tuple[Any, ...] = ()

    @property
    def network(self) -> Network:
        """The network that is trained."""
        return self.model.network

    def learning_rate(self) -> float:
        """Return the learning rate of the next step."""
        assert self.schedule is not None
        return self.schedule(self.progress.step) * self.learning_rate_factor

    def stop(self, reason: str) -> None:
        """End training after this step or epoch; ``reason`` goes into the history."""
        self.stop_reason = reason

    def arrays(self) -> tuple[np.ndarray, ...]:
        """Return every vector that training changes."""
        return self.model.theta, self.model.states, *vars(self.optimizer).values()

    def synchronise(self) -> None:
        """Bring ``model`` and ``optimizer`` up to date in the middle of an epoch."""
        if self.session is None:
            return
        self.session.collect()
        vectors, count = self.session.vectors, self.network.parameter_count
        self.model.theta[:] = vectors.theta[:count]
        for name, vector in vectors.optimizer.items():
            getattr(self.optimizer, name)[:] = vector[:count]
        if self.network.state_count:
            self.model.states[:] = vectors.states[: self.network.state_count]

    def publish(self) -> None:
        """Continue training from the current ``model`` and ``optimizer``."""
        if self.session is None:
            return
        vectors, count = self.session.vectors, self.network.parameter_count
        vectors.theta[:count] = self.model.theta
        for name, vector in vectors.optimizer.items():
            vector[:count] = getattr(self.optimizer, name)
        if self.network.state_count:
            vectors.states[: self.network.state_count] = self.model.states
        self.session.spread()

    def take(self, other: TrainingState) -> History:
        """Take over the parameters of another training; return its history."""
        self.model.theta[:], self.model.states[:] = other.model.theta, other.model.states
        self.history, self.progress = other.history, other.progress
        return self.history

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what holds addresses, or functions made here; ``fit`` makes both again."""
        self.synchronise()
        return {**vars(self), "session": None, "session_key": (), "schedule": None}
