"""Train a network: settings, a state, and calls of ``fit``."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from types import EllipsisType
from typing import Any

import numpy as np

from striate.data.dataset import Dataset
from striate.data.given import Data, datasets
from striate.engine.memory import check_room
from striate.errors import UsageError
from striate.layers.arguments import integer
from striate.model import Model
from striate.network import Network
from striate.settings import Place
from striate.settings.setting import build
from striate.settings.signature import takes
from striate.training import checkpoint, ranks
from striate.training.callbacks import Callback, ProgressBar, as_callbacks
from striate.training.callbacks.progress_bar import in_notebook
from striate.training.defaults import trainer_defaults
from striate.training.fingerprint import fingerprint
from striate.training.history import History
from striate.training.initialisation import initialise
from striate.training.job import plan_job
from striate.training.loop import run
from striate.training.progress import Progress
from striate.training.rates import parameter_rates
from striate.training.schedules import Schedule, run_schedule
from striate.training.settings.training import TrainingSettings
from striate.training.state import TrainingState
from striate.wording import counted

Callbacks = Callback | Iterable[Callback | Callable[..., Any]]


class Trainer:
    """Trains a network.

    Parameters
    ----------
    network : Network or Model
        A model continues from its parameters and keeps its normalisation.
    settings : TrainingSettings, optional
        How it learns.
    **changes
        The fields of `TrainingSettings` by name, on top of ``settings``: optimizer, learning_rate, schedule,
        batch_size, loss, seed and others; those that are None do not change ``settings``. Fields that are still
        None get the values of ``trainer_defaults``. The learning rate can also be a function of the number of steps
        already taken, which then replaces the schedule.

    Attributes
    ----------
    settings : TrainingSettings
        With nothing left open.
    state : TrainingState
        Where training stands; checkpoints hold it, and callbacks receive it.

    Raises
    ------
    UsageError
        If a setting is unknown or has an invalid value.
    """

    @takes(TrainingSettings)
    def __init__(self, network: Network | Model, settings: TrainingSettings | None = None, **changes: Any) -> None:
        given = {} if settings is None else settings.values()
        given |= {name: value for name, value in changes.items() if value is not None}
        chosen: TrainingSettings = build(TrainingSettings, given, Place())
        chosen = chosen.filled(trainer_defaults())
        assert chosen.optimizer is not None
        if chosen.learning_rate is None:
            chosen = chosen.changed(learning_rate=chosen.optimizer.learning_rate)
        assert chosen.schedule is not None
        assert chosen.learning_rate is not None
        run_schedule(chosen.learning_rate, chosen.schedule, 1, 1)  # refuses a rate that the schedule cannot have
        if isinstance(network, Model):
            chosen = chosen.changed(standardise_targets=False)  # it keeps the units it has learnt
        model = network if isinstance(network, Model) else _new_model(network, str(chosen.initial), chosen.seed)
        if model.network.is_quantised:
            raise UsageError(
                f"{model.network.name}: a quantised network cannot be trained. Train the float32 model it came "
                "from, and quantise that again."
            )
        model.threads, model.winograd = chosen.threads, chosen.winograd
        factors = parameter_rates(model.network, chosen.rates, chosen.freeze)
        self.state = TrainingState(chosen, model, factors)

    def __repr__(self) -> str:
        optimizer = type(self.settings.optimizer).__name__
        return f"<Trainer of {self.network.name} with {optimizer}: {counted(self.progress.epoch, 'epoch')} trained>"

    @property
    def settings(self) -> TrainingSettings:
        """How the network learns."""
        return self.state.settings

    @property
    def network(self) -> Network:
        """The network that is trained."""
        return self.state.network

    @property
    def model(self) -> Model:
        """The network with its parameters; up to date after every epoch."""
        return self.state.model

    @property
    def history(self) -> History:
        """All epochs so far."""
        return self.state.history

    @property
    def progress(self) -> Progress:
        """How far training has come."""
        return self.state.progress

    def fit(
        self,
        train: Data | np.ndarray,
        targets: np.ndarray | Data | None = None,
        epochs: int | EllipsisType | None = ...,
        callbacks: Callbacks = (),
        *,
        validation: Data | None = None,
        sample_weights: np.ndarray | None = None,
        weighted_validation: bool | None = None,
        progress: bool | None = None,
    ) -> History:
        """Train for further epochs; return the history of all epochs so far.

        Samples are reshuffled in every epoch; the order depends only on the seed and the epoch. The
        normalisation is computed from ``train`` unless the model has one. Ctrl-C stops at the end of the
        step; the history is then marked as interrupted, and ``fit(..., epochs=None)`` continues.

        Parameters
        ----------
        train : Dataset or array of samples [N, *shape]
        targets : array [N] or [N, T], optional
            Targets of the samples if ``train`` is an array: class numbers, class names, floating point numbers, or
            several labels of each sample, each 0 or 1.
            If ``train`` is a Dataset, the validation data can be passed here.
        epochs : int or None
            By default the number in the settings. None continues an interrupted or restored call to its planned
            end.
        callbacks : Callback, function of an epoch's record, or several of them
        validation : Dataset or pair of arrays, optional
        sample_weights : float[N], optional
            How much each sample of ``train`` counts, in the loss and in the normalisation.
        weighted_validation : bool, optional
            Whether class weights apply to validation metrics too; by default as in the settings.
        progress : bool, optional
            Show a progress bar and a line for every epoch; by default in a notebook only.

        Raises
        ------
        ShapeError
            If the data do not fit the network.
        DivergenceError
            If the loss becomes NaN or infinite; the model keeps its last good parameters.
        """
        state = self.state
        weighted = self.settings.weighted_validation if weighted_validation is None else weighted_validation
        data, held_out = datasets(train, targets, validation, self.network.input_shape)
        if ranks.current is not None and not ranks.current.leads:
            return state.take(ranks.current.follow(data, held_out))
        job = plan_job(state, data, held_out, sample_weights, weighted)
        shown = in_notebook() if progress is None else progress
        found = [*as_callbacks(callbacks), *([ProgressBar()] if shown else [])]
        for callback in found:
            callback.check(job)
        wanted = self.settings.epochs if epochs is ... else epochs
        self._check_data(data, anew=wanted is not None)
        if wanted is not None:
            state.progress.plan(integer(wanted, "epochs"))
        if wanted is not None or state.history.interrupted:
            state.stop_reason = None
        state.schedule = self._schedule(len(data))
        job.begin(state)
        self._restore_callbacks(found)
        run(state, job, found)
        return state.history

    def check(
        self,
        train: Data | np.ndarray,
        targets: np.ndarray | Data | None = None,
        callbacks: Callbacks = (),
        *,
        validation: Data | None = None,
        sample_weights: np.ndarray | None = None,
        weighted_validation: bool | None = None,
    ) -> None:
        """Raise what ``fit`` would raise for this data before its first step; nothing is changed."""
        weighted = self.settings.weighted_validation if weighted_validation is None else weighted_validation
        data, held_out = datasets(train, targets, validation, self.network.input_shape)
        job = plan_job(self.state, data, held_out, sample_weights, weighted)
        for callback in as_callbacks(callbacks):
            callback.check(job)

    def stop(self, reason: str) -> None:
        """End training after this step or epoch; ``reason`` goes into the history."""
        self.state.stop(reason)

    def save_checkpoint(self, path: str | Path) -> Path:
        """Save the state of training, from which it continues bit for bit; return the path.

        Raises
        ------
        ModelFileError
            If the file cannot be written; what was there before stays as it was.
        """
        return checkpoint.save(self.state, path)

    def restore(self, path: str | Path) -> None:
        """Restore the state in a checkpoint; then ``fit(..., epochs=None)`` continues.

        Raises
        ------
        ModelFileError
            If the file is not a usable checkpoint.
        UsageError
            If it belongs to a training with other settings.
        """
        checkpoint.restore(self.state, path)

    def _schedule(self, samples: int) -> Schedule:
        """Return the learning rate over the epochs of this call of ``fit``."""
        progress, settings = self.progress, self.settings
        size = settings.batch_size if isinstance(settings.batch_size, int) else samples
        epochs = max(1, progress.epochs - progress.first_epoch)
        assert settings.learning_rate is not None
        assert settings.schedule is not None
        return run_schedule(
            settings.learning_rate, settings.schedule, -(-samples // size), epochs, progress.first_step
        )

    def _check_data(self, train: Dataset, anew: bool) -> None:
        """Remember the data; raises UsageError if a training would continue with other data."""
        mark = fingerprint(train)
        if not anew and self.state.fingerprint not in (None, mark):
            raise UsageError(
                f"{train.name}: training must continue with the data it began with; these samples or targets "
                "differ. Give the same data, or a number of epochs to train on new ones."
            )
        self.state.fingerprint = mark

    def _restore_callbacks(self, callbacks: list[Callback]) -> None:
        self.state.callbacks = callbacks
        for callback in callbacks:
            if callback.name in self.state.restored:
                callback.restore(self.state.restored.pop(callback.name))


def _new_model(network: Any, initial: str, seed: int) -> Model:
    if not isinstance(network, Network):
        kind = type(network)
        whose = "" if kind.__module__ == "builtins" else f" of {kind.__module__.partition('.')[0]}"
        raise UsageError(
            f"Trainer: needs a Network or a Model; got {kind.__name__}{whose}. "
            "Build one with striate.Sequential(layers, input_shape)."
        )
    check_room(network, 1, 4 * network.parameter_count)
    theta, states = initialise(network, initial, seed)
    return Model(network, theta, states)
