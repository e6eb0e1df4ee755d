"""One step of a training: the engine's, or in parts where something happens between gradient and update."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

import numpy as np

from striate.training.batches import Batches

LARGEST = 1024  # samples that the engine takes at once; larger batches are the sum of several


class Adjustment(Protocol):
    """Something that changes parameters or gradient around the optimizer's update."""

    def before_gradient(self, theta: np.ndarray, step: int) -> None:
        """Change ``theta`` (float32[P]) before the forward pass of step ``step``, counted from 1."""
        ...

    def before_update(self, theta: np.ndarray, gradient: np.ndarray, learning_rate: float) -> None:
        """Change ``theta`` or ``gradient`` (float32[P]) before the optimizer reads them."""
        ...

    def after_update(self, theta: np.ndarray) -> None:
        """Change ``theta`` (float32[P]) after the optimizer's update."""
        ...


class Stepper:
    """Takes steps with one session of the engine.

    Parameters
    ----------
    session : TrainingSession
    batches : Batches
    adjustments : sequence of Adjustment
        Without any, and for batches of usual size, a step is one call of the engine.
    """

    def __init__(self, session: Any, batches: Batches, adjustments: Sequence[Adjustment] = ()) -> None:
        self.session, self.batches, self.adjustments = session, batches, tuple(adjustments)
        self.count = session.vectors.count
        self._parts: _Parts | None = None

    def step(self, index: np.ndarray, numbers: tuple[float, ...], number: int) -> tuple[float, float]:
        """Take step ``number``, counted from 1; return the sums of the samples' losses and right answers.

        Parameters
        ----------
        index : int64[n]
            The samples of the batch.
        numbers : tuple of float
            What the optimizer's kernel reads, the learning rate first.
        """
        if self.adjustments or len(index) > self.session.batch_size:
            return self._step_in_parts(index, numbers, number)
        return self._run(index, numbers, len(index))

    def _run(self, index: np.ndarray, numbers: tuple[float, ...], count: int) -> tuple[float, float]:
        b = self.batches
        if b.weights is None:
            weights = None if count == len(index) else np.full(len(index), 1.0 / count, np.float32)
            losses, correct = self.session.step(b.inputs, index, b.targets[index], numbers, weights)
            return float(losses.sum()), float(correct.sum())
        weights = b.weights[index]
        losses, correct = self.session.step(b.inputs, index, b.targets[index], numbers, weights / np.float32(count))
        return float((losses * weights).sum()), float(correct.sum())

    def _step_in_parts(self, index: np.ndarray, numbers: tuple[float, ...], number: int) -> tuple[float, float]:
        vectors = self.session.vectors
        theta, gradient = vectors.theta[: self.count], vectors.gradient[: self.count]
        parts = self._parts or _Parts(self.session)
        self._parts = parts
        for adjustment in self.adjustments:
            adjustment.before_gradient(theta, number)
        with parts.gradient_only():
            loss, correct = self._gradient(index, numbers, gradient)
        for adjustment in self.adjustments:
            adjustment.before_update(theta, gradient, numbers[0])
        parts.update()
        for adjustment in self.adjustments:
            adjustment.after_update(theta)
        return loss, correct

    def _gradient(self, index: np.ndarray, numbers: tuple[float, ...], gradient: np.ndarray) -> tuple[float, float]:
        """Sum the gradient over the parts of a large batch, in a fixed order."""
        size = self.session.batch_size
        loss, correct = self._run(index[:size], numbers, len(index))
        if len(index) > size:
            total = gradient.copy()
            for start in range(size, len(index), size):
                more = self._run(index[start : start + size], numbers, len(index))
                loss, correct = loss + more[0], correct + more[1]
                total += gradient
            gradient[:] = total
        return loss, correct


class _Parts:
    """Runs the program of a session in two parts: up to the summed gradient, and the update."""

    def __init__(self, session: Any) -> None:
        self.team, self.phases = session.team, session.tables.phases
        self.first_row, self.end_row = (int(row) for row in self.phases[-1, :2])

    @contextmanager
    def gradient_only(self) -> Iterator[None]:
        """Let runs inside the block stop before the update."""
        self.team.rest()
        self.phases[-1, 1] = self.end_row - 1
        yield
        self.team.rest()
        self.phases[-1, 1] = self.end_row

    def update(self) -> None:
        """Run the last row of the last phase alone."""
        tasks = self.phases[:-1, 3].copy()
        self.phases[:-1, 3] = 0
        self.phases[-1, 0] = self.end_row - 1
        self.team.run()
        self.team.rest()
        self.phases[-1, 0] = self.first_row
        self.phases[:-1, 3] = tasks
