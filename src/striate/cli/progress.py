"""Training as it goes on: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from striate.cli.output import Output, duration, percent
from striate.training.callbacks.base import Callback
from striate.training.progress import Progress

if TYPE_CHECKING:
    from striate.training.history import EpochRecord, History
    from striate.training.state import TrainingState

BAR_SECONDS = 0.1  # between two changes of the bar
LINE_SECONDS = 30.0  # between two lines within an epoch


class ShowProgress(Callback):
    """Show loss, accuracy, images per second and the time left.

    Parameters
    ----------
    output : Output
        Where to; a bar is drawn if it is a terminal.
    """

    name = "show_progress"

    def __init__(self, output: Output) -> None:
        self.output = output
        self._bar: Any = None
        self._task: Any = None
        self._next = 0.0

    def on_train_begin(self, state: TrainingState) -> None:
        """Open the bar."""
        if self.output.console.is_terminal:
            self._bar = _bar(self.output)
            self._bar.start()
            self._task = self._bar.add_task("", total=None, text="", epoch="")
        self._wait()

    def on_step_end(self, state: TrainingState) -> None:
        """Move the bar, or write a line now and then."""
        if time.monotonic() < self._next:
            return
        p = state.progress
        if self._bar:
            total = p.epochs * p.batches
            done = min(total, p.epoch * p.batches + p.batch)
            self._bar.update(
                self._task, total=total, completed=done, epoch=f"epoch {p.epoch + 1}/{p.epochs}", text=_running(p)
            )
        else:
            self.output.line(f"  step {p.batch:,}/{p.batches:,} of epoch {p.epoch + 1}: {_running(p)}")
        self._wait()

    def on_epoch_end(self, state: TrainingState, record: EpochRecord) -> None:
        """Write one line."""
        self.output.line(epoch_line(record, state.progress.epochs))
        self._wait()

    def on_train_end(self, state: TrainingState, history: History) -> None:
        """Close the bar."""
        self.close()

    def close(self) -> None:
        """Give the terminal back, also after a failure."""
        if self._bar:
            self._bar.stop()
            self._bar = None

    def _wait(self) -> None:
        self._next = time.monotonic() + (BAR_SECONDS if self._bar else LINE_SECONDS)


def epoch_line(record: EpochRecord, epochs: int) -> str:
    """Return what happened in one epoch as a line."""
    digits = len(str(epochs))
    parts = [f"epoch {record.epoch:>{digits}}/{epochs}  loss {record.loss:.4f}"]
    if record.accuracy is not None:
        parts.append(f"accuracy {percent(record.accuracy)}")
    if record.val_loss is not None:
        parts.append(f"validation loss {record.val_loss:.4f}")
    if record.val_accuracy is not None:
        parts.append(f"accuracy {percent(record.val_accuracy)}")
    parts += [f"{record.images_per_second:,.0f} images/s", duration(record.seconds)]
    return "  ".join(parts)


def _running(progress: Progress) -> str:
    accuracy = f"accuracy {percent(progress.accuracy)}  " if progress.correct_sum else ""
    return (
        f"loss {progress.loss:.4f}  {accuracy}{progress.images_per_second:,.0f} images/s  "
        f"{duration(progress.seconds_left)} left"
    )


def _bar(output: Output) -> Any:
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as RichProgress

    columns = (TextColumn("{task.fields[epoch]}"), BarColumn(None), TextColumn("{task.fields[text]}"))
    return RichProgress(*columns, console=output.console, transient=True, expand=True)
