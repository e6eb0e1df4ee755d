"""What has changed in the data of a run since it began."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from striate.data.splits import SPLITS, Splits
from striate.errors import UsageError
from striate.training.run.folder import RunFolder, identity


def check_data(place: RunFolder, splits: Splits, mark: object) -> None:
    """Raise UsageError if the training samples are not those of a checkpoint, and say what has changed.

    Parameters
    ----------
    place : RunFolder
    splits : Splits
    mark : object
        The fingerprint in the checkpoint; None if there is none.
    """
    found = {name: identity(getattr(splits, name)) for name in SPLITS if getattr(splits, name) is not None}
    if mark not in (None, found["train"]["mark"]):
        raise UsageError(
            f"{splits.train.name}: a run continues with the data it began with; "
            f"{_difference(place.identities(), found)}. Restore the data, or start a new run with striate train."
        )


def _difference(known: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    """Return what differs, of the files of all splits if there are any."""
    before, now = _files(known), _files(found)
    gone, new = sorted(before - now), sorted(now - before)
    if before and now and (gone or new):
        kinds = ((gone, "missing or unreadable"), (new, "new"))
        return " and ".join(_listed(files, what) for files, what in kinds if files)
    count, samples = known.get("train", {}).get("samples"), found["train"]["samples"]
    if isinstance(count, int) and count != samples:
        return f"it had {count:,} training samples and now has {samples:,}"
    return "some samples or targets have other values now"


def _files(identities: Mapping[str, Any]) -> set[str]:
    listed = [entry.get("files") for entry in identities.values()]
    return {str(file) for files in listed if isinstance(files, list) for file in files}


def _listed(files: list[str], what: str) -> str:
    others = f" and {len(files) - 1:,} other file{'s' * (len(files) > 2)}" if len(files) > 1 else ""
    return f"{'/'.join(Path(files[0]).parts[-2:])}{others} {'are' if others else 'is'} {what}"
