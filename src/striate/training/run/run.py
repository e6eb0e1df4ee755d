"""Train from a configuration into a folder, and continue after interruptions."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from striate.data.dataset import Dataset
from striate.data.splits import Splits
from striate.errors import DivergenceError, StriateError, UsageError
from striate.losses import NUMBERS
from striate.model import Evaluation, Model
from striate.training import ranks
from striate.training.callbacks import Callback
from striate.training.callbacks.checkpoint import checkpoints, restore_latest
from striate.training.history import History
from striate.training.metrics import regression_metrics
from striate.training.run.build import (
    load_splits,
    make_callbacks,
    make_trainer,
    network_or_model,
)
from striate.training.run.changes import check_data
from striate.training.run.config import RunConfig
from striate.training.run.folder import RunFolder
from striate.training.run.log import RunLog
from striate.training.run.resolve import resolve, with_absolute_paths
from striate.training.run.start import starting_model
from striate.training.trainer import Trainer

Callbacks = Callback | Iterable[Callback | Callable[..., Any]]


@dataclass(frozen=True, eq=False)
class Run:
    """The result of a run that has ended or was interrupted.

    Parameters
    ----------
    folder : RunFolder
    config : RunConfig
    splits : Splits
    trainer : Trainer
    evaluation : Evaluation or None
        On the test split, else on the validation split; None without either, and for an interrupted run.
    split : str or None
        Which split was evaluated.
    """

    folder: RunFolder
    config: RunConfig
    splits: Splits
    trainer: Trainer
    evaluation: Evaluation | None
    split: str | None

    @property
    def model(self) -> Model:
        """The trained model."""
        return self.trainer.model

    @property
    def history(self) -> History:
        """Every epoch, also those before the run was resumed."""
        return self.trainer.history


def train(
    config: RunConfig,
    folder: str | Path,
    callbacks: Callbacks = (),
    *,
    prepared: Callable[[Splits, Trainer], Any] | None = None,
    report: bool = True,
    splits: Splits | None = None,
) -> Run:
    """Train as ``config`` says, with defaults that suit the data; everything is written to ``folder``.

    Parameters
    ----------
    config : RunConfig
    folder : path
        New, or empty of runs.
    callbacks : Callback, function of an epoch's record, or several of them
        Beside those of the configuration.
    prepared : function of (splits, trainer), optional
        Called before the first step, for example to tell the user what will happen.
    report : bool
        Write ``report.html`` at the end.
    splits : Splits, optional
        The data of the configuration, where they are loaded already.

    Raises
    ------
    UsageError
        If the configuration cannot mean anything, or the folder holds a run already.
    DataError
        If the data cannot be had or read.
    DivergenceError
        If the loss becomes NaN or infinite; the last good checkpoint and the last good weights are kept.
    """
    place, config = RunFolder(folder), with_absolute_paths(config)
    place.check_new()
    _tell(config)
    start = starting_model(config.model)
    splits = splits or load_splits(config, start)
    config = resolve(config, splits.train, start)
    own = make_callbacks(config, place)
    trainer = _trainer(config, splits, own, start)
    with place.hold():
        log = place.begin(config, splits)
        log.write("start", parameters=trainer.network.parameter_count, samples=len(splits.train))
        if prepared is not None:
            prepared(splits, trainer)
        callbacks = [*own, log, *_listed(callbacks)]
        return _go_on(config, place, splits, trainer, callbacks, log, config.training.epochs, report)


def resume(
    folder: str | Path,
    callbacks: Callbacks = (),
    *,
    prepared: Callable[[Splits, Trainer], Any] | None = None,
    report: bool = True,
    epochs: int | None = None,
    splits: Splits | None = None,
) -> Run:
    """Continue the run of ``folder``; the result equals that of an uninterrupted run, bit for bit.

    A run that has ended already is only evaluated again. The other arguments are those of ``train``.

    Parameters
    ----------
    epochs : int, optional
        Train for so many epochs in total instead; the schedule is spread over them.

    Raises
    ------
    UsageError
        If the folder holds no run, another process trains in it, the data are not those it began with, or it
        has as many epochs already.
    ModelFileError
        If none of its checkpoints can be read.
    """
    place = RunFolder(folder)
    place.check_run()
    with place.hold():
        return _resume(place, callbacks, prepared, report, epochs, splits)


def _resume(
    place: RunFolder,
    callbacks: Callbacks,
    prepared: Callable[[Splits, Trainer], Any] | None,
    report: bool,
    epochs: int | None,
    splits: Splits | None,
) -> Run:
    config, log = place.reopen()
    _tell(config)
    start = starting_model(config.model)
    splits = splits or load_splits(config, start)
    config = resolve(config, splits.train, start)
    own = make_callbacks(config, place)
    trainer = _trainer(config, splits, own, start)
    found = restore_latest(trainer.state, place.checkpoints)
    check_data(place, splits, trainer.state.fingerprint)
    if epochs is not None:
        config = config.changed(training=config.training.changed(epochs=epochs))
        _extend(place, trainer, epochs)
        config.save(place.config)
    log.rewind(trainer.progress.epoch)
    log.write("resume", checkpoint=found and found.name, steps=trainer.progress.step)
    if prepared is not None:
        prepared(splits, trainer)
    more = None if found else config.training.epochs
    return _go_on(config, place, splits, trainer, [*own, log, *_listed(callbacks)], log, more, report)


def _tell(config: RunConfig) -> None:
    """Let the other ranks, if there are any, read the data meanwhile."""
    if ranks.current is not None:
        ranks.current.begin_run(config.to_dict())


def _extend(place: RunFolder, trainer: Trainer, epochs: int) -> None:
    """Set the total number of epochs of a training."""
    done = trainer.progress.epoch
    if epochs <= done:
        raise UsageError(f"{place.path}: the run already has {done} epochs; got --epochs {epochs}. Give more.")
    trainer.state.progress.epochs, trainer.state.stop_reason = epochs, None


def _trainer(config: RunConfig, splits: Splits, callbacks: list[Callback], start: Model | None) -> Trainer:
    trainer = make_trainer(config, network_or_model(config, splits.train, start))
    if splits.preparation:
        trainer.model.metadata["preparation"] = dict(splits.preparation)
    trainer.check(splits.train, splits.validation, callbacks)  # before a folder is made
    return trainer


def _listed(callbacks: Callbacks) -> list[Any]:
    return list(callbacks) if isinstance(callbacks, Iterable) else [callbacks]


def _go_on(
    config: RunConfig,
    place: RunFolder,
    splits: Splits,
    trainer: Trainer,
    callbacks: list[Any],
    log: RunLog,
    epochs: int | None,
    report: bool,
) -> Run:
    try:
        trainer.fit(splits.train, splits.validation, epochs, callbacks)
    except DivergenceError as error:
        log.write("diverged", reason=str(error))
        raise DivergenceError(f"{error}{_kept(place, trainer)}") from error
    if trainer.history.interrupted:
        return Run(place, config, splits, trainer, None, None)
    trainer.model.save(place.model)
    split, dataset = _best_split(splits)
    evaluation = None if dataset is None else trainer.model.evaluate(dataset)
    run = Run(place, config, splits, trainer, evaluation, split)
    metrics: dict[str, Any] = {}
    if evaluation is not None:
        metrics = {f"{split}_loss": evaluation.loss, f"{split}_accuracy": evaluation.accuracy}
        if evaluation.kind == NUMBERS:
            metrics[f"{split}_r2"] = regression_metrics(evaluation).r2
    log.write("end", model=place.model.name, **metrics)
    if report:
        from striate.report import write_report

        try:
            write_report(run, place.report)
        except KeyboardInterrupt:
            raise StriateError(
                f"{place.report}: interrupted while writing the report. The model is saved in {place.model}."
            ) from None
    return run


def _kept(place: RunFolder, trainer: Trainer) -> str:
    """Save the last good weights of a diverged run, if it has learnt any, and say where they are."""
    saved = checkpoints(place.checkpoints)
    kept = f" The last good checkpoint is {saved[-1]}." if saved else ""
    if trainer.progress.step == 0:
        return kept
    return f"{kept} The weights are saved in {trainer.model.save(place.model)}."


def _best_split(splits: Splits) -> tuple[str | None, Dataset | None]:
    if splits.test is not None:
        return "test", splits.test
    return ("validation", splits.validation) if splits.validation is not None else (None, None)
