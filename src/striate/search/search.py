"""A search: trials, each an ordinary run, then the best ones again with other seeds."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from striate.drawing.html import number
from striate.errors import CapacityError, DivergenceError, ShapeError, UsageError
from striate.model import Model
from striate.network import Network
from striate.search.pruning import Watcher, objective
from striate.search.space import CNN_RANGES, NETWORK, RECIPE, Range, changed, ranges_for, recipe_values
from striate.search.study import Study, optuna
from striate.training.callbacks import Callback
from striate.training.initialisation import initialise
from striate.training.run import Run, RunConfig, RunFolder, resume, train
from striate.training.run.build import load_splits, network_or_model
from striate.training.run.log import RunLog
from striate.training.run.record import read_record
from striate.training.run.resolve import resolve, with_absolute_paths
from striate.training.run.start import starting_model

TIMED_RUNS = 20
TRIALS, FINAL = "trials", "final"


@dataclass(frozen=True, kw_only=True)
class SearchSettings:
    """The extent of a search.

    Parameters
    ----------
    trials : int
        Trials that count: those that do not fit the limits are not trained.
    hours : float, optional
        No trial begins later than this after the first.
    ranges : sequence of Range
        What is varied; by default the network, the rate and what else suits the data.
    max_parameters : int, optional
    max_milliseconds : float, optional
        Of a prediction for one sample, measured before the training.
    best, seeds : int
        So many trials are trained again, until each has so many seeds.
    """

    trials: int = 30
    hours: float | None = None
    ranges: Sequence[Range] = field(default=())
    max_parameters: int | None = None
    max_milliseconds: float | None = None
    best: int = 3
    seeds: int = 3


class Search:
    """A search for the settings that suit a data set.

    Parameters
    ----------
    folder : path
        Of the journal and of all runs; the same call in several processes shares the work.
    config : RunConfig
        What the trials have in common; what it leaves open is chosen by the data.
    settings : SearchSettings
    callbacks : function that returns callbacks, optional
        For each run.
    say : function of a text, optional
        Told what happens.

    Raises
    ------
    UsageError
        If Optuna is missing, a range has an unknown name, or the folder holds another search.
    """

    def __init__(
        self,
        folder: str | Path,
        config: RunConfig,
        settings: SearchSettings,
        callbacks: Callable[[], list[Any]] = list,
        say: Callable[[str], None] = lambda text: None,
    ) -> None:
        optuna()
        self.folder, self.settings, self.callbacks, self.say = Path(folder), settings, callbacks, say
        config = with_absolute_paths(config)
        start = starting_model(config.model)
        self.splits = load_splits(config, start)
        if self.splits.validation is None:
            raise UsageError("search: needs validation samples; got none. Use --validation 0.1.")
        self.config = resolve(config, self.splits.train, start)
        self.ranges = ranges_for(self.config, self.splits.train, settings.ranges)
        loss = self.config.training.loss
        self.maximise = loss is None or loss.task != "regression"
        tables = self.config.to_dict()
        tables["training"].pop("threads")
        mark = {**tables, "ranges": [found.describe() for found in self.ranges]}
        self.study = Study(self.folder, mark, self.config.training.seed, self.maximise)

    def run(self) -> bool:
        """Search until there are enough trials, or time is up; return whether everything has ended.

        Raises
        ------
        KeyboardInterrupt
            If the user stops it; the same search goes on from the checkpoint.
        """
        while self._step():
            pass
        while any(self._repeat(trial, seed) for trial, seed in self._repeats()):
            pass  # another process may have found better settings meanwhile
        ended = all(_has_ended(self.folder_of(trial, seed)) for trial, seed in self._repeats())
        return ended and all(trial.state.is_finished() for trial in self.study.trials())

    def folder_of(self, trial: Any, seed: int = 0) -> Path:
        """Return the folder of the run of a trial; ``seed`` is how much is added to its seed."""
        name = f"trial-{trial.number:04d}"
        return self.folder / FINAL / f"{name}-seed-{seed}" if seed else self.folder / TRIALS / name

    def scores(self, trial: Any) -> list[float]:
        """Return the validation metric of every run with the settings of a trial: the objective."""
        places = [self.folder_of(trial, seed) for seed in range(1, self.settings.seeds)]
        values = [_objective_of(place, self.maximise) for place in places]
        return [float(trial.value), *(value for value in values if value is not None)]

    def _repeats(self) -> list[tuple[Any, int]]:
        """Return the trials to train again as things stand, each with every further seed."""
        best = self.study.completed()[: self.settings.best]
        return [(trial, seed) for trial in best for seed in range(1, self.settings.seeds)]

    def _step(self) -> bool:
        first = recipe_values(self.config, self.ranges)
        with self.study.next_trial(self.settings.trials, first, self._over()) as trial:
            if trial is None:
                return False
            self._try(trial)
            return True

    def _over(self) -> bool:
        hours, trials = self.settings.hours, self.study.trials()
        begun = [trial.datetime_start for trial in trials if trial.datetime_start is not None]
        return hours is not None and bool(begun) and time.time() - min(begun).timestamp() > 3600 * hours

    def _try(self, trial: Any) -> None:
        states = optuna().trial.TrialState
        config = changed(self.config, self._values(trial))
        misfit = self._misfit(trial, config)
        if misfit is not None:
            trial.set_user_attr("misfit", misfit)
            self.study.study.tell(trial, state=states.PRUNED)
            return
        try:
            run = self._train(config, self.folder_of(trial), [Watcher(trial, self.maximise)])
        except DivergenceError:
            trial.set_user_attr("diverged", True)
            self.study.study.tell(trial, state=states.PRUNED)
            self.say(f"trial {trial.number}: diverged")
            return
        last = run.history.records[-1]
        trial.set_user_attr("val_loss", last.val_loss)
        value = objective(last, self.maximise)
        pruned = run.history.stop_reason == Watcher.REASON
        self.study.study.tell(trial, None if pruned else value, state=states.PRUNED if pruned else None)
        self.say(f"trial {trial.number}: {'stopped at ' * pruned}{value:.4f}, {_shown(trial.params)}")

    def _values(self, trial: Any) -> dict[str, Any]:
        """Return the values of a trial; those of the convolutional network only where it has one."""
        values: dict[str, Any] = {}
        for found in self.ranges:
            if values.get(NETWORK) != RECIPE or found.name not in CNN_RANGES:
                values[found.name] = found.suggest(trial)
        return values

    def _misfit(self, trial: Any, config: RunConfig) -> str | None:
        """Return why the network of a trial is not trained, or None; note its size and speed."""
        limits = self.settings
        try:
            network = network_or_model(config, self.splits.train, starting_model(config.model))
        except (ShapeError, CapacityError, UsageError) as error:
            return str(error)
        built = network if isinstance(network, Network) else network.network
        trial.set_user_attr("parameters", built.parameter_count)
        if limits.max_parameters is not None and built.parameter_count > limits.max_parameters:
            return f"{built.parameter_count:,} parameters"
        taken = milliseconds(built, self.config.training.threads)
        trial.set_user_attr("milliseconds", taken)
        if limits.max_milliseconds is not None and taken > limits.max_milliseconds:
            return f"{taken:.3g} milliseconds"
        return None

    def _repeat(self, trial: Any, seed: int) -> bool:
        """Train with another seed, unless it is done or another process does; return whether it was trained."""
        place = self.folder_of(trial, seed)
        with ExitStack() as stack:
            try:
                stack.enter_context(self.study.hold(place.name))
            except UsageError:  # another process trains it
                return False
            if _has_ended(place):
                return False
            self.say(f"{place.name}: training with another seed")
            config = changed(self.config, trial.params)
            config = config.changed(training=config.training.changed(seed=config.training.seed + seed))
            try:
                self._train(config, place, [], reload=True)
            except DivergenceError:
                self.say(f"{place.name}: diverged")
            return True

    def _train(self, config: RunConfig, place: Path, more: list[Callback], reload: bool = False) -> Run:
        splits = None if reload else self.splits
        shared: dict[str, Any] = {"callbacks": [*self.callbacks(), *more], "report": False, "splits": splits}
        begun = RunFolder(place).config.is_file() and not RunFolder(place).has_diverged()
        run = resume(place, **shared) if begun else train(config, place, **shared)
        if run.history.interrupted:
            raise KeyboardInterrupt
        return run


def milliseconds(network: Network, threads: int | None) -> float:
    """Return the shortest time of a prediction for one sample, in milliseconds."""
    theta, states = initialise(network, "glorot", 0)
    predict = Model(network, theta, states, threads=threads).predictor()
    sample = np.zeros((1, *network.input_shape), np.float32)
    times = []
    for _ in range(TIMED_RUNS):
        begun = time.perf_counter()
        predict(sample)
        times.append(time.perf_counter() - begun)
    return 1000 * min(times)


def _has_ended(place: Path) -> bool:
    return _state(place) in ("finished", "diverged")


def _state(place: Path) -> str | None:
    return read_record(place).state if RunFolder(place).config.is_file() else None


def _objective_of(place: Path, maximise: bool) -> float | None:
    """Return the objective of a finished run, from its log."""
    if _state(place) != "finished":
        return None
    epochs = [entry for entry in RunLog(RunFolder(place).log).entries() if entry.get("event") == "epoch"]
    return float(epochs[-1]["val_accuracy" if maximise else "val_loss"])


def _shown(values: dict[str, Any]) -> str:
    return ", ".join(f"{name} {number(value)}" for name, value in values.items())
