"""The folder of a run and its files."""

from __future__ import annotations

import itertools
import json
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from striate.data.dataset import Dataset
from striate.data.splits import Splits
from striate.errors import UsageError
from striate.storage import write_atomically
from striate.storage.atomic import remove_leftovers
from striate.training.fingerprint import fingerprint
from striate.training.run.config import RunConfig
from striate.training.run.lock import locked
from striate.training.run.log import RunLog
from striate.wording import shell_command

ASIDE = "diverged-"
"""The prefix of folders that keep the files of a diverged run."""


class RunFolder:
    """Paths of a run.

    Attributes
    ----------
    config, log, splits, model, report : Path
        ``config.toml``, ``log.jsonl``, ``splits.json``, ``model.safetensors`` and ``report.html``.
    checkpoints : Path
        The folder of checkpoints.
    table, tensorboard : Path
        ``log.csv`` and the folder of TensorBoard's event files, where the configuration asks for them.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.config = self.path / "config.toml"
        self.log = self.path / "log.jsonl"
        self.splits = self.path / "splits.json"
        self.model = self.path / "model.safetensors"
        self.report = self.path / "report.html"
        self.checkpoints = self.path / "checkpoints"
        self.table = self.path / "log.csv"
        self.tensorboard = self.path / "tensorboard"

    def check_new(self) -> None:
        """Raise UsageError if the folder holds a run, or a model, already; one that diverged may be replaced."""
        if self.has_diverged():
            return
        if self.config.exists() or any(self.checkpoints.glob("*.safetensors")):
            raise UsageError(
                f"{self.path}: already holds a run. Continue it with: {shell_command('resume', self.path)}; "
                "or choose another folder."
            )
        if self.model.exists():
            raise UsageError(f"{self.path}: already holds a model, {self.model.name}. Choose another folder.")

    def begin(self, config: RunConfig, splits: Splits) -> RunLog:
        """Write the configuration of the run; raises UsageError if the folder already holds one.

        What a run that diverged left is moved into a folder ``diverged-1``, ``diverged-2`` and so on.
        """
        self.check_new()
        if self.has_diverged():
            self._set_aside()
        config.save(self.config)
        named = {"train": splits.train, "validation": splits.validation, "test": splits.test}
        content = {name: identity(split) for name, split in named.items() if split is not None}
        text = json.dumps({**content, "bad_files": [list(bad) for bad in splits.bad_files]}, ensure_ascii=False)
        write_atomically(self.splits, (text + "\n").encode())
        return RunLog(self.log)

    def has_diverged(self) -> bool:
        """Return whether the last event in this folder was a divergence."""
        entries = RunLog(self.log).entries()
        return bool(entries) and entries[-1].get("event") == "diverged"

    def _set_aside(self) -> None:
        numbers = itertools.count(1)
        place = next(p for p in (self.path / f"{ASIDE}{number}" for number in numbers) if not p.exists())
        place.mkdir()
        for item in list(self.path.iterdir()):
            if not item.name.startswith(ASIDE):
                item.rename(place / item.name)

    def hold(self) -> AbstractContextManager[None]:
        """Keep other processes from training in this folder, which is created if needed; see `locked`."""
        self.path.mkdir(parents=True, exist_ok=True)
        return locked(self.path)

    def check_run(self) -> None:
        """Raise UsageError unless the folder holds a run."""
        if not self.config.is_file():
            raise UsageError(
                f"{self.path}: must be the folder of a run; there is no {self.config.name} in it. Check the path."
            )

    def reopen(self) -> tuple[RunConfig, RunLog]:
        """Return the configuration of the run and its log; raises UsageError if the folder holds none."""
        self.check_run()
        for folder in (self.path, self.checkpoints):
            remove_leftovers(folder)
        return RunConfig.load(self.config), RunLog(self.log)

    def identities(self) -> dict[str, Any]:
        """Return what `identity` said of each split when the run began; nothing that cannot be read."""
        try:
            found = json.loads(self.splits.read_text("utf-8"))
        except (OSError, ValueError, RecursionError):
            return {}
        entries = found.items() if isinstance(found, dict) else ()
        return {name: entry for name, entry in entries if isinstance(entry, dict)}


def identity(dataset: Dataset) -> dict[str, object]:
    """Return what identifies a split of the data, as JSON types: checksums, and its files where it has any."""
    files = None if dataset.files is None else [str(file) for file in dataset.files]
    return {"samples": len(dataset), "classes": list(dataset.classes), "mark": fingerprint(dataset), "files": files}
