"""The epochs for TensorBoard."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from striate.errors import UsageError
from striate.training.callbacks.base import Callback

if TYPE_CHECKING:
    from striate.training.history import EpochRecord, History
    from striate.training.state import TrainingState

SCALARS = ("loss", "accuracy", "val_loss", "val_accuracy", "learning_rate", "samples_per_second")


class TensorBoardLog(Callback):
    """Write the metrics of every epoch as an event file that TensorBoard shows.

    Parameters
    ----------
    folder : path

    Raises
    ------
    UsageError
        If tensorboard is not installed.
    """

    name = "tensorboard_log"

    def __init__(self, folder: str | Path) -> None:
        try:
            from tensorboard.summary import Writer
        except ImportError:
            raise UsageError(
                "TensorBoard log: needs tensorboard, which is not installed. "
                "Run: pip install 'striate[tensorboard]'."
            ) from None
        self._open: Any = Writer
        self._writer: Any = None
        self.folder = Path(folder)

    def on_train_begin(self, state: TrainingState) -> None:
        """Open a new event file for this call of ``fit``."""
        self._writer = self._open(str(self.folder))

    def on_epoch_end(self, state: TrainingState, record: EpochRecord) -> None:
        """Write the metrics of the epoch."""
        for key in SCALARS:
            value = getattr(record, key)
            if value is not None:
                self._writer.add_scalar(key, value, record.epoch)
        self._writer.flush()

    def on_train_end(self, state: TrainingState, history: History) -> None:
        """Close the event file."""
        self._writer.close()
