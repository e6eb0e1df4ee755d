"""A summary of a run's folder, read without its data or model."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from striate.errors import StriateError, UsageError
from striate.training.run.config import RunConfig
from striate.training.run.folder import ASIDE, RunFolder
from striate.training.run.lock import is_locked
from striate.training.run.log import RunLog

STATES = ("finished", "training", "stopped", "diverged", "unreadable")


@dataclass(frozen=True, kw_only=True)
class RunRecord:
    """One line of a list of runs; None where a run has no such value.

    Parameters
    ----------
    folder : path
    state : {"finished", "training", "stopped", "diverged", "unreadable"}
        A run that was stopped can be resumed; one is unreadable if its configuration is.
    data, model : str
    parameters : int
        Numbers that the network learns.
    accuracy, loss, r2 : float
        Of the test split, else of the validation split; the last of a regression.
    split : str
        Which of the two.
    epochs : int
        Epochs that are done.
    seconds : float
        Time that they took.
    seed : int
    started : str
        Date and time in UTC, ISO 8601.
    settings : mapping
        Every setting by its name in ``config.toml``, such as ``training.batch_size``.
    """

    folder: Path
    state: str
    data: str | None = None
    model: str | None = None
    parameters: int | None = None
    accuracy: float | None = None
    loss: float | None = None
    r2: float | None = None
    split: str | None = None
    epochs: int = 0
    seconds: float = 0.0
    seed: int | None = None
    started: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def as_dict(self) -> dict[str, Any]:
        """Return every field by name, as JSON types."""
        found = {name: value for name, value in vars(self).items() if name != "settings"}
        return {**found, "folder": str(self.folder)}


def read_record(folder: str | Path) -> RunRecord:
    """Return the record of a run.

    Raises
    ------
    UsageError
        If the folder holds no run.
    """
    place = RunFolder(folder)
    place.check_run()
    entries = RunLog(place.log).entries()
    try:
        config = RunConfig.load(place.config)
    except StriateError:
        return RunRecord(folder=place.path, state="unreadable")
    epochs = {entry["epoch"]: entry for entry in entries if entry.get("event") == "epoch" and "epoch" in entry}
    return RunRecord(
        folder=place.path,
        state=_state(place.path, entries),
        data=_short(config.data.name),
        model=_short(config.model.name),
        parameters=_first(entries, "start", "parameters"),
        **_result(entries),
        epochs=len(epochs),
        seconds=sum(float(entry.get("seconds") or 0.0) for entry in epochs.values()),
        seed=config.training.seed,
        started=entries[0].get("time") if entries else None,
        settings=flat(config.to_dict()),
    )


def find_runs(folders: Iterable[str | Path]) -> list[RunRecord]:
    """Return the records of all runs in some folders and below them, the latest first.

    Raises
    ------
    UsageError
        If one of the folders does not exist.
    """
    found = {path.resolve(): read_record(path) for folder in folders for path in _below(Path(folder))}
    return sorted(found.values(), key=lambda record: record.started or "", reverse=True)


def flat(tables: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return the values of nested tables by dotted names.

    Examples
    --------
    >>> flat({"data": {"name": "digits"}, "seed": 0})
    {'data.name': 'digits', 'seed': 0}
    """
    found: dict[str, Any] = {}
    for key, value in tables.items():
        found |= flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {f"{prefix}{key}": value}
    return found


def _below(folder: Path) -> Iterator[Path]:
    """Yield the folders of runs; runs are not nested."""
    if not folder.is_dir():
        raise UsageError(f"{folder}: no such folder. Train first, for example: striate train digits; or name one.")
    for place, inner, files in os.walk(folder):
        if "config.toml" in files:
            inner.clear()
            yield Path(place)
        inner[:] = sorted(name for name in inner if not name.startswith((".", ASIDE)))


def _state(folder: Path, entries: list[dict[str, Any]]) -> str:
    last = entries[-1].get("event") if entries else None
    if last == "end":
        return "finished"
    if last == "diverged":
        return "diverged"
    return "training" if is_locked(folder) else "stopped"


def _result(entries: list[dict[str, Any]]) -> dict[str, Any]:
    end: dict[str, Any] = next((entry for entry in reversed(entries) if entry.get("event") == "end"), {})
    split = next((name for name in ("test", "validation") if f"{name}_loss" in end), None)
    return {"split": split, **{name: end.get(f"{split}_{name}") for name in ("accuracy", "loss", "r2")}}


def _first(entries: list[dict[str, Any]], event: str, key: str) -> Any:
    return next((entry.get(key) for entry in entries if entry.get("event") == event), None)


def _short(name: str) -> str:
    """Return the last part of a path; a name as it is."""
    return Path(name).name or name
