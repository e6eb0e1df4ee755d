"""Cross-validation: a folder with a run for each fold."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from striate.data.options import Fold
from striate.errors import UsageError
from striate.training.run.config import RunConfig
from striate.training.run.folder import RunFolder
from striate.training.run.record import RunRecord, read_record

METRICS = ("accuracy", "r2", "loss")
Begin = Callable[[RunConfig, Path], object]
Continue = Callable[[Path], object]


@dataclass(frozen=True)
class CrossValidation:
    """The folds of a cross-validation that has ended.

    Parameters
    ----------
    folder : path
    records : tuple of RunRecord
        One for each fold, in order.
    """

    folder: Path
    records: tuple[RunRecord, ...]

    def summary(self) -> dict[str, tuple[float, float]]:
        """Return mean and sample standard deviation over the folds of each metric that all folds have."""
        found = {}
        for name in METRICS:
            values = [getattr(record, name) for record in self.records]
            if None not in values:
                found[name] = (statistics.fmean(values), statistics.stdev(values))
        return found


def cross_validate(
    config: RunConfig, folder: str | Path, folds: int, begin: Begin, go_on: Continue
) -> CrossValidation:
    """Train once for each fold; return the folds.

    What the configuration leaves open is chosen by the training samples of the first fold, for all folds. Folds
    that have ended are kept, and one that was stopped goes on, so the same call continues a cross-validation.

    Parameters
    ----------
    config : RunConfig
    folder : path
        Gets a folder ``fold-1``, ``fold-2`` and so on for each run.
    folds : int
    begin : function of (config, folder)
        Trains; for example `striate.training.run.train`.
    go_on : function of a folder
        Continues a run; for example `striate.training.run.resume`.

    Raises
    ------
    UsageError
        If there are fewer than 2 folds, or the folder holds a run, or a cross-validation with other folds.
    """
    folder = Path(folder)
    _check(config, folder, folds)
    places = [fold_folder(folder, number) for number in range(1, folds + 1)]
    for number, place in enumerate(places, 1):
        if not RunFolder(place).config.exists():
            chosen = config if number == 1 else RunConfig.load(RunFolder(places[0]).config)
            begin(with_fold(chosen, Fold(number, folds)), place)
        elif read_record(place).state != "finished":
            go_on(place)
    return CrossValidation(folder, tuple(map(read_record, places)))


def fold_folder(folder: Path, number: int) -> Path:
    """Return the folder of a fold, counted from 1."""
    return folder / f"fold-{number}"


def folds_in(folder: str | Path) -> int | None:
    """Return the number of folds of the cross-validation in a folder; None if it holds none."""
    first = RunFolder(fold_folder(Path(folder), 1))
    fold = RunConfig.load(first.config).data.options.fold if first.config.is_file() else None
    return None if fold is None else fold.count


def with_fold(config: RunConfig, fold: Fold) -> RunConfig:
    """Return the same run with this fold held out."""
    options = config.data.options.changed(fold=fold)
    return config.changed(data=config.data.changed(options=options))


def _check(config: RunConfig, folder: Path, folds: int) -> None:
    if folds < 2:
        raise UsageError(f"folds: must be at least 2; got {folds}. Use for example 5.")
    if config.data.options.fold is not None:
        raise UsageError("folds: a cross-validation trains on every fold; got --fold too. Leave one of them out.")
    RunFolder(folder).check_new()
    known = folds_in(folder)
    if known not in (None, folds):
        raise UsageError(
            f"{folder}: holds a cross-validation with {known} folds; got {folds}. Choose another folder."
        )
