"""Find a learning rate: raise it step by step and find where the loss falls fastest."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from striate.data.dataset import Dataset
from striate.drawing.notebook import Readable
from striate.errors import DivergenceError, UsageError
from striate.layers.arguments import integer, real
from striate.training.callbacks.base import Callback

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from striate.training.state import TrainingState
    from striate.training.trainer import Trainer

FEW = 10  # steps whose smoothed loss is still noise
SMOOTHING = 0.9
WORSE = 4.0  # the search ends where the smoothed loss is so many times the best one


@dataclass(frozen=True, eq=False, repr=False)
class RateSearch(Readable):
    """The result of a search for a learning rate.

    Parameters
    ----------
    rates : float64[n]
        Increasing.
    losses : float64[n]
        The smoothed loss of the batch at each rate.
    suggestion : float
        The rate at which the loss fell fastest.
    """

    rates: np.ndarray
    losses: np.ndarray
    suggestion: float

    def __str__(self) -> str:
        lowest, highest = self.rates[0], self.rates[-1]
        return f"suggested rate {self.suggestion:.3g}, of {len(self.rates)} from {lowest:.3g} to {highest:.3g}"

    def plot(self, axes: Any = None) -> Any:
        """Draw loss against rate with matplotlib, the suggestion marked; return the axes."""
        from striate.training.plotting import plot_rates

        return plot_rates(self, axes)

    def _drawn(self) -> Axes:
        axes: Axes = self.plot()
        return axes


def find_learning_rate(
    trainer: Trainer, train: Dataset, lowest: float = 1e-6, highest: float = 10.0, steps: int = 100
) -> RateSearch:
    """Train for some steps with a rate that grows from ``lowest`` to ``highest``, then undo it all.

    Losses are smoothed with weights 0.9^k and corrected for their start; the search ends early where
    the loss is not finite, or four times the best. Afterwards ``trainer`` is as it was before.

    Raises
    ------
    UsageError
        If the rates do not increase, or the loss is not finite at the lowest one.

    References
    ----------
    Smith (2017), "Cyclical learning rates for training neural networks", section 3.3.
    """
    lowest = real(lowest, "learning-rate finder: lowest", above=0)
    highest = real(highest, "learning-rate finder: highest", above=0)
    steps = integer(steps, "learning-rate finder: steps", minimum=10)
    if highest <= lowest:
        raise UsageError(f"learning-rate finder: rates must increase; got {lowest:g} to {highest:g}.")
    size = trainer.settings.batch_size if isinstance(trainer.settings.batch_size, int) else len(train)
    watch = _Watch(steps)
    with untouched(trainer) as state:
        first, growth = state.progress.step, (highest / lowest) ** (1.0 / (steps - 1))
        state.settings = state.settings.changed(learning_rate=lambda step: lowest * growth ** (step - first))
        state.learning_rate_factor = 1.0
        with contextlib.suppress(DivergenceError):
            trainer.fit(train, epochs=-(-steps // -(-len(train) // size)), callbacks=watch)
    if len(watch.losses) < 5:
        raise UsageError(f"learning-rate finder: the loss is not finite at {lowest:g}. Start with a lower rate.")
    rates, losses = np.array(watch.rates), np.array(watch.losses)
    return RateSearch(rates, losses, suggest(rates, losses))


def suggest(rates: np.ndarray, losses: np.ndarray) -> float:
    """Return the middle of the half decade of rates over which the loss falls most, before its minimum.

    The slope between two steps is mostly noise, and steepest right before the loss explodes. The first means are of
    a few batches, so they do not count.
    """
    end = max(2, int(np.argmin(losses)) + 1)
    start = min(FEW, (end - 1) // 2)
    width = min(end - 1 - start, max(1, round(0.5 / float(np.log10(rates[1] / rates[0])))))
    first = start + int(np.argmax(losses[start : end - width] - losses[start + width : end]))
    return float(np.sqrt(rates[first] * rates[first + width]))


class _Watch(Callback):
    """Records the loss of every step and ends the search."""

    def __init__(self, steps: int) -> None:
        self.steps = steps
        self.rates: list[float] = []
        self.losses: list[float] = []
        self.mean = 0.0
        self._sums = (0.0, 0)

    def on_epoch_begin(self, state: TrainingState) -> None:
        """Reset the sums, as the progress does."""
        self._sums = (0.0, 0)

    def on_step_end(self, state: TrainingState) -> None:
        """Smooth the loss of the batch."""
        progress = state.progress
        loss = (progress.loss_sum - self._sums[0]) / (progress.samples - self._sums[1])
        self._sums = (progress.loss_sum, progress.samples)
        self.mean = SMOOTHING * self.mean + (1.0 - SMOOTHING) * loss
        self.rates.append(progress.learning_rate)
        self.losses.append(self.mean / (1.0 - SMOOTHING ** (len(self.losses) + 1)))
        if len(self.losses) == self.steps or self.losses[-1] > WORSE * min(self.losses):
            state.stop("the search is over")


@contextmanager
def untouched(trainer: Trainer) -> Iterator[TrainingState]:
    """Train within the block; afterwards the state is restored."""
    state = trainer.state
    state.synchronise()
    model = state.model
    kept = [array.copy() for array in state.arrays()]
    names = ("classes", "normalisation", "target_normalisation", "metadata")
    about = {name: getattr(model, name) for name in names}
    before = {**vars(state), "history": copy.deepcopy(state.history), "progress": copy.copy(state.progress)}
    state.restored = {}
    try:
        yield state
    finally:
        session = {"session": state.session, "session_key": state.session_key}
        vars(state).update(before, **session)
        for array, values in zip(state.arrays(), kept, strict=True):
            array[:] = values
        for name, value in about.items():
            setattr(model, name, value)
        state.publish()
