"""The base class of callbacks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from striate.training.history import EpochRecord, History
    from striate.training.job import Job
    from striate.training.state import TrainingState


class Callback:
    """Base class: its methods are called during training, and do nothing by default.

    A callback reads ``state.progress``, ``state.model`` and ``state.history``; it can call
    ``state.stop(reason)`` and change ``state.learning_rate_factor``. ``state()`` and ``restore`` save and
    restore what it must remember when a run is resumed.

    Attributes
    ----------
    name : str
        The name under which its state is kept; two callbacks of one training need different names.
    last : bool
        Whether it is called after the others, so that it sees what they changed.
    wants_steps : bool
        Whether ``on_step_end`` is called; by default, only if the class defines it.
    """

    name: str = ""
    last: bool = False
    wants_steps: bool = False

    def __init_subclass__(cls, **arguments: Any) -> None:
        """Set ``wants_steps`` for a class that defines ``on_step_end``, unless it sets it itself."""
        super().__init_subclass__(**arguments)
        if "on_step_end" in vars(cls) and "wants_steps" not in vars(cls):
            cls.wants_steps = True

    def check(self, job: Job) -> None:
        """Raise UsageError if the training lacks what the callback needs; called before the first step."""

    def on_train_begin(self, state: TrainingState) -> None:
        """Called before the first step of a call of ``fit``."""

    def on_epoch_begin(self, state: TrainingState) -> None:
        """Called before the first step of an epoch."""

    def on_step_end(self, state: TrainingState) -> None:
        """Called after every step."""

    def on_epoch_end(self, state: TrainingState, record: EpochRecord) -> None:
        """Called after the validation of an epoch."""

    def on_train_end(self, state: TrainingState, history: History) -> None:
        """Called after the last step, also when training was interrupted or stopped."""

    def state(self) -> dict[str, Any]:
        """Return the state to save with a checkpoint: JSON types and float32 arrays."""
        return {}

    def restore(self, state: dict[str, Any]) -> None:
        """Restore what ``state`` returned."""
