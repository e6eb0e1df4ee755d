"""The log of a run: one JSON object per line."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from striate.errors import DataError
from striate.storage import append, write_atomically
from striate.training.callbacks.base import Callback

if TYPE_CHECKING:
    from striate.training.history import EpochRecord, History
    from striate.training.state import TrainingState


class RunLog(Callback):
    """Appends a line for every epoch and every other event of a run.

    Every line has ``time`` and ``event``: "start", "epoch", "resume", "stop", "diverged" or "end".

    Parameters
    ----------
    path : path
    """

    name = "run_log"

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    def write(self, event: str, **fields: Any) -> None:
        """Append a line."""
        entry = {"time": datetime.now(UTC).isoformat(timespec="seconds"), "event": event, **fields}
        append(self.path, (json.dumps(entry, ensure_ascii=False) + "\n").encode(errors="replace"))

    def entries(self) -> list[dict[str, Any]]:
        """Return every complete line.

        Raises
        ------
        DataError
            If the file cannot be read.
        """
        try:
            text = self.path.read_text("utf-8", errors="replace")
        except FileNotFoundError:
            return []
        except OSError as error:
            raise DataError(f"{self.path}: cannot be read ({error.strerror or error}). Check the disk.") from error
        found = []
        for line in text.splitlines():
            try:
                found.append(json.loads(line))
            except ValueError:
                continue
        return [entry for entry in found if isinstance(entry, dict)]

    def rewind(self, epoch: int) -> None:
        """Drop lines that were cut off, and epochs after ``epoch``, which will be repeated."""
        kept = [entry for entry in self.entries() if not _is_later(entry, epoch)]
        text = "".join(json.dumps(entry, ensure_ascii=False) + "\n" for entry in kept)
        write_atomically(self.path, text.encode(errors="replace"))

    def on_epoch_end(self, state: TrainingState, record: EpochRecord) -> None:
        """Record the epoch."""
        self.write("epoch", **record.to_dict())

    def on_train_end(self, state: TrainingState, history: History) -> None:
        """Record why training stopped."""
        self.write("stop", reason=history.stop_reason or "all epochs done", steps=state.progress.step)


def _is_later(entry: dict[str, Any], epoch: int) -> bool:
    number = entry.get("epoch")
    return entry.get("event") == "epoch" and not (isinstance(number, int) and number <= epoch)
