"""The runs that are compared: each with its model, tested again on its held-out samples."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from striate.data.dataset import Dataset
from striate.data.splits import Splits
from striate.errors import DataError, UsageError
from striate.model import Evaluation, load
from striate.training.run.build import load_splits
from striate.training.run.config import RunConfig
from striate.training.run.folder import RunFolder, identity
from striate.training.run.log import RunLog
from striate.training.run.record import RunRecord, read_record
from striate.training.run.start import starting_model
from striate.training.uncertainty import sample_scores
from striate.wording import shell_command

SPLITS = ("test", "validation")


@dataclass(frozen=True, eq=False)
class Entry:
    """A run in a comparison.

    Parameters
    ----------
    name : str
        Its folder, without what all folders have in common.
    record : RunRecord
    epochs : list of dict
        What the log says of each epoch.
    evaluation : Evaluation or None
        None where the comparison does without; then ``data`` is None too.
    data : Dataset or None
        What the model was tested on.
    """

    name: str
    record: RunRecord
    epochs: list[dict[str, Any]]
    evaluation: Evaluation | None = None
    data: Dataset | None = None


def load_entries(folders: Sequence[str | Path], split: str | None = None, tested: bool = True) -> list[Entry]:
    """Return the runs of some folders.

    Parameters
    ----------
    folders : sequence of path
    split : {"test", "validation"}, optional
        What the models are tested on; by default the test split, where all runs have one.
    tested : bool
        Test them; otherwise only what their folders say is compared.

    Raises
    ------
    UsageError
        If fewer than two runs are given, a run has no model yet, or lacks the split.
    DataError
        If the data of a run cannot be read, or are not those it was trained on.
    """
    places = list(dict.fromkeys(Path(folder) for folder in folders))
    if len(places) < 2:
        raise UsageError(f"compare: needs at least two runs; got {len(places)}. Name their folders.")
    records = [read_record(place) for place in places]
    for record in records:
        _check(record)
    names, read = _names(places), _Reader()
    splits = [read.splits(record) if tested else None for record in records]
    chosen = split or _common_split([split for split in splits if split is not None])
    return [_entry(name, record, split, chosen) for name, record, split in zip(names, records, splits, strict=True)]


def aligned(entries: Sequence[Entry]) -> list[np.ndarray] | None:
    """Return for each run where the samples that all runs were tested on stand in its data, int64[M].

    Samples are the same if their files are; without files, if the data have the same targets in the same order.
    None if there are fewer than two, or the models predict different kinds of things.
    """
    tested = [entry for entry in entries if entry.evaluation is not None and entry.data is not None]
    kinds = {entry.evaluation.kind for entry in tested if entry.evaluation is not None}
    if len(tested) < len(entries) or len(kinds) > 1:
        return None
    keyed = [_by_key(entry) for entry in tested]
    if any(entry.data is not None and entry.data.files is None for entry in tested) and not _same_targets(tested):
        return None
    common = [key for key in keyed[0] if all(key in other for other in keyed[1:])]
    return [np.array([other[key] for key in common]) for other in keyed] if len(common) > 1 else None


def _check(record: RunRecord) -> None:
    if not RunFolder(record.folder).model.is_file():
        raise UsageError(
            f"{record.folder}: has no model yet; the run is {record.state}. "
            f"Finish it with: {shell_command('resume', record.folder)}."
        )


class _Reader:
    """Reads the data of runs, once where the next run has the same."""

    def __init__(self) -> None:
        self._last: tuple[Any, Splits] | None = None

    def splits(self, record: RunRecord) -> dict[str, Dataset]:
        place = RunFolder(record.folder)
        config = RunConfig.load(place.config)
        key = (config.data.to_dict(), config.training.seed, config.model.name, config.training.loss)
        if self._last is None or self._last[0] != key:
            self._last = (key, load_splits(config, starting_model(config.model)))
        splits = self._last[1]
        found = {name: getattr(splits, name) for name in SPLITS if getattr(splits, name) is not None}
        known = place.identities()
        for name, split in found.items():
            if name in known and known[name].get("mark") != identity(split)["mark"]:
                raise DataError(
                    f"{record.folder}: its {name} samples have changed since it was trained. Restore the data."
                )
        return found


def _common_split(splits: Sequence[dict[str, Dataset]]) -> str:
    found = next((name for name in SPLITS if all(name in split for split in splits)), None)
    if found is None:
        raise UsageError("compare: the runs have no held-out split in common. Train them with --validation 0.1.")
    return found


def _entry(name: str, record: RunRecord, splits: dict[str, Dataset] | None, split: str) -> Entry:
    log = RunLog(RunFolder(record.folder).log).entries()
    epochs = [entry for entry in log if entry.get("event") == "epoch"]
    if splits is None:
        return Entry(name, record, epochs)
    if split not in splits:
        raise UsageError(f"{record.folder}: has no {split} split; it has {' and '.join(splits) or 'none'}.")
    data = splits[split]
    return Entry(name, record, epochs, load(RunFolder(record.folder).model).evaluate(data), data)


def _names(places: Sequence[Path]) -> list[str]:
    whole = [place.resolve() for place in places]
    common = os.path.commonpath([place.parent for place in whole])
    return [str(place.relative_to(common)) for place in whole]


def _by_key(entry: Entry) -> dict[Any, int]:
    """Return where each tested sample stands, by its file or number."""
    assert entry.evaluation is not None
    assert entry.data is not None
    samples, files = sample_scores(entry.evaluation)[0].tolist(), entry.data.files
    return {(number if files is None else str(files[number])): number for number in samples}


def _same_targets(entries: Sequence[Entry]) -> bool:
    first = entries[0].data
    assert first is not None
    return all(entry.data is not None and np.array_equal(entry.data.targets, first.targets) for entry in entries)
