"""The epochs as a CSV table."""

from __future__ import annotations

import csv
import dataclasses
import io
from pathlib import Path
from typing import TYPE_CHECKING

from striate.storage import write_atomically
from striate.training.callbacks.base import Callback
from striate.training.history import EpochRecord

if TYPE_CHECKING:
    from striate.training.state import TrainingState


class CSVLog(Callback):
    """Write one line per epoch under a header; the file is complete at any moment.

    It holds every epoch of the history, so a run that was resumed has each epoch once.

    Parameters
    ----------
    path : path
    """

    name = "csv_log"

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    def on_epoch_end(self, state: TrainingState, record: EpochRecord) -> None:
        """Write the whole table again."""
        text = io.StringIO()
        fields = [field.name for field in dataclasses.fields(EpochRecord)]
        table = csv.DictWriter(text, fields, lineterminator="\n")
        table.writeheader()
        table.writerows(record.to_dict() for record in state.history.records)
        write_atomically(self.path, text.getvalue().encode())
