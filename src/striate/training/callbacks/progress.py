"""Report the progress of training, at limited intervals."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from striate.layers.arguments import real
from striate.training.callbacks.base import Callback
from striate.training.progress import Progress

if TYPE_CHECKING:
    from striate.training.history import History
    from striate.training.state import TrainingState


class ProgressHook(Callback):
    """Call a function with the progress while training runs, such as one that draws a bar.

    Parameters
    ----------
    show : function of a Progress
    seconds : float
        At most one call in this time, and one when training ends.
    """

    name = "progress"

    def __init__(self, show: Callable[[Progress], Any], seconds: float = 0.1) -> None:
        self.show = show
        self.pause = real(seconds, "progress: seconds", above=0, closed=True)
        self._next = 0.0

    def on_step_end(self, state: TrainingState) -> None:
        """Show the progress if it is due."""
        now = time.monotonic()
        if now >= self._next:
            self._next = now + self.pause
            self.show(state.progress)

    def on_train_end(self, state: TrainingState, history: History) -> None:
        """Show the final progress."""
        self.show(state.progress)
