"""Show the progress of training: a bar in a terminal or a notebook, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from striate.training.callbacks.base import Callback
from striate.training.progress import Progress
from striate.wording import duration, percent, speed

if TYPE_CHECKING:
    from rich.console import Console

    from striate.training.history import EpochRecord, History
    from striate.training.state import TrainingState

BAR_SECONDS = 0.1  # between two changes of the bar
LINE_SECONDS = 30.0  # between two lines within an epoch


class ProgressBar(Callback):
    """Show loss, accuracy, speed and the time left.

    Parameters
    ----------
    console : rich.console.Console, optional
        Where to, by default standard error.
    """

    name = "progress_bar"

    def __init__(self, console: Console | None = None) -> None:
        from rich.console import Console

        self.console = console or Console(stderr=True, highlight=False)
        self._bar: Any = None
        self._task: Any = None
        self._next = 0.0

    def on_train_begin(self, state: TrainingState) -> None:
        """Open the bar."""
        if self.console.is_terminal or (self.console.is_jupyter and find_spec("ipywidgets")):
            self._bar = _bar(self.console)
            self._bar.start()
            self._task = self._bar.add_task("", total=None, text="", epoch="")
        self._wait()

    def on_step_end(self, state: TrainingState) -> None:
        """Move the bar, or write a line from time to time."""
        if time.monotonic() < self._next:
            return
        p = state.progress
        if self._bar:
            total = p.epochs * p.batches
            done = min(total, p.epoch * p.batches + p.batch)
            self._bar.update(
                self._task,
                total=total,
                completed=done,
                epoch=f"epoch {p.epoch + 1}/{p.epochs}",
                text=_running(p, state.model.input_shape),
            )
        else:
            self._line(
                f"  step {p.batch:,}/{p.batches:,} of epoch {p.epoch + 1}: {_running(p, state.model.input_shape)}"
            )
        self._wait()

    def on_epoch_end(self, state: TrainingState, record: EpochRecord) -> None:
        """Write one line."""
        self._line(epoch_line(record, state.progress.epochs, state.model.input_shape))
        self._wait()

    def on_train_end(self, state: TrainingState, history: History) -> None:
        """Close the bar."""
        self.close()

    def close(self) -> None:
        """Restore the terminal, also after a failure."""
        if self._bar:
            self._bar.stop()
            self._bar = None

    def _line(self, text: str) -> None:
        self.console.print(text, markup=False, highlight=False, soft_wrap=True)

    def _wait(self) -> None:
        self._next = time.monotonic() + (BAR_SECONDS if self._bar else LINE_SECONDS)


def epoch_line(record: EpochRecord, epochs: int, shape: Sequence[int]) -> str:
    """Return the record of one epoch as a line."""
    digits = len(str(epochs))
    parts = [f"epoch {record.epoch:>{digits}}/{epochs}  loss {record.loss:.4f}"]
    if record.accuracy is not None:
        parts.append(f"accuracy {percent(record.accuracy)}")
    if record.val_loss is not None:
        parts.append(f"validation loss {record.val_loss:.4f}")
    if record.val_accuracy is not None:
        parts.append(f"accuracy {percent(record.val_accuracy)}")
    parts += [speed(record.samples_per_second, shape), duration(record.seconds)]
    return "  ".join(parts)


def _running(progress: Progress, shape: Sequence[int]) -> str:
    accuracy = f"accuracy {percent(progress.accuracy)}  " if progress.correct_sum else ""
    rate = speed(progress.samples_per_second, shape)
    return f"loss {progress.loss:.4f}  {accuracy}{rate}  {duration(progress.seconds_left)} left"


def _bar(console: Console) -> Any:
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as RichProgress

    columns = (TextColumn("{task.fields[epoch]}"), BarColumn(None), TextColumn("{task.fields[text]}"))
    return RichProgress(*columns, console=console, transient=True, expand=True)


def in_notebook() -> bool:
    """Return whether the code runs in a Jupyter notebook, where output belongs into its cell."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return type(shell).__name__ == "ZMQInteractiveShell"
