"""User functions as callbacks."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from striate.errors import UsageError
from striate.training.callbacks.base import Callback

if TYPE_CHECKING:
    from striate.training.history import EpochRecord
    from striate.training.state import TrainingState


class FunctionCallback(Callback):
    """Call functions of the user.

    Parameters
    ----------
    on_epoch_end : function of a record, optional
        Called after every epoch; training stops if it returns True.
    on_step_end : function of the progress, optional
        Called after every step.
    """

    def __init__(
        self,
        on_epoch_end: Callable[[EpochRecord], Any] | None = None,
        on_step_end: Callable[[Any], Any] | None = None,
    ) -> None:
        self._on_epoch_end = on_epoch_end
        self._on_step_end = on_step_end
        self.wants_steps = on_step_end is not None

    def on_step_end(self, state: TrainingState) -> None:
        """Pass the progress to the user's function."""
        if self._on_step_end is not None:
            self._on_step_end(state.progress)

    def on_epoch_end(self, state: TrainingState, record: EpochRecord) -> None:
        """Pass the record to the user's function."""
        if self._on_epoch_end is not None and self._on_epoch_end(record) is True:
            state.stop("a callback asked for it")


def as_callbacks(items: Callback | Callable[..., Any] | Iterable[Any]) -> list[Callback]:
    """Return callbacks with unique names; a plain function is called with every epoch's record.

    Raises
    ------
    UsageError
        If an item is neither a callback nor a function, or two have the same name.
    """
    listed = list(items) if isinstance(items, Iterable) and not isinstance(items, str) else [items]
    callbacks: list[Callback] = []
    for number, item in enumerate(listed):
        if isinstance(item, type) or not (isinstance(item, Callback) or callable(item)):
            raise UsageError(
                f"callbacks: each must be a Callback or a function of the epoch's record; got {item!r}."
            )
        callback = item if isinstance(item, Callback) else FunctionCallback(item)
        callback.name = callback.name or f"{type(callback).__name__}{number}"
        if any(other.name == callback.name for other in callbacks):
            raise UsageError(
                f"callbacks: each needs a unique name; got {callback.name!r} twice. Set the name of one."
            )
        callbacks.append(callback)
    return sorted(callbacks, key=lambda callback: callback.last)
