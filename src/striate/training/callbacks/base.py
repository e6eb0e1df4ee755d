"""What a callback can do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from striate.training.history import EpochRecord, History
    from striate.training.trainer import Trainer


class Callback:
    """Called at the turning points of a training; every method does nothing by default.

    A callback reads ``trainer.progress``, ``trainer.model`` and ``trainer.history``; it may call
    ``trainer.stop(reason)`` and change ``trainer.learning_rate_factor``. What it must remember when a
    run is resumed goes through ``state`` and ``restore``.

    Attributes
    ----------
    name : str
        Under which its state is kept; two callbacks of one training need different names.
    last : bool
        Called after the others, so that it sees what they changed.
    """

    name: str = ""
    last: bool = False

    def check(self, trainer: Trainer) -> None:
        """Raise UsageError if the training lacks what the callback needs; nothing has been learnt yet."""

    def on_train_begin(self, trainer: Trainer) -> None:
        """Before the first step of a call of ``fit``."""

    def on_epoch_begin(self, trainer: Trainer) -> None:
        """Before the first step of an epoch."""

    def on_step_end(self, trainer: Trainer) -> None:
        """After every step."""

    def on_epoch_end(self, trainer: Trainer, record: EpochRecord) -> None:
        """After the validation of an epoch."""

    def on_train_end(self, trainer: Trainer, history: History) -> None:
        """After the last step, also when training was interrupted or stopped."""

    def state(self) -> dict[str, Any]:
        """Return what must survive: JSON types and float32 arrays."""
        return {}

    def restore(self, state: dict[str, Any]) -> None:
        """Take back what ``state`` returned."""
