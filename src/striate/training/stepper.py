"""One step of a training: by the engine, or in parts if gradients are adjusted before the update."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from striate.engine.memory import sums_of_squares
from striate.losses import Loss
from striate.training.batches import Batch

PART_BITS = 40  # above the number of a step, the part of its batch: every part has random numbers of its own


Squares = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True, eq=False)
class Flat:
    """The flat vectors of a network while it learns.

    Parameters
    ----------
    theta, gradient : float32[parameter_count]
    states : float32[state_count]
    squares : function of the gradient
        The sums of squares of its pieces. Where ranks share the update, a rank's gradient is complete only in the
        part that it updates.
    """

    theta: np.ndarray
    gradient: np.ndarray
    states: np.ndarray
    squares: Squares = sums_of_squares


class Adjustment(Protocol):
    """Something that changes parameters or gradient around the optimizer's update."""

    def before_gradient(self, flat: Flat, step: int) -> None:
        """Act before the forward pass of step ``step``, counted from 1."""
        ...

    def before_update(self, flat: Flat, learning_rate: float) -> None:
        """Act before the optimizer reads gradient and parameters."""
        ...

    def after_update(self, flat: Flat) -> None:
        """Act after the optimizer's update."""
        ...


class Stepper:
    """Takes steps with one session of the engine.

    Parameters
    ----------
    session : TrainingSession
    seed : int
        With the number of a step it fixes the random numbers of the layers.
    adjustments : sequence of Adjustment
        Without any, and for batches of usual size, a step is one call of the engine.
    """

    def __init__(self, session: Any, seed: int, adjustments: Sequence[Adjustment] = ()) -> None:
        self.session, self.seed, self.adjustments = session, seed, tuple(adjustments)
        vectors, network = session.vectors, session.network
        count, states = network.parameter_count, vectors.states[: network.state_count]
        self.plain, self._count = session.loss.plain, 0
        self.flat = Flat(vectors.theta[:count], vectors.gradient[:count], states, session.squares)

    def step(self, batch: Batch, numbers: tuple[float, ...], number: int) -> tuple[float, float]:
        """Take step ``number``, counted from 1; return the sums of the samples' losses and right answers.

        Parameters
        ----------
        batch : Batch
        numbers : tuple of float
            What the optimizer's kernel reads, the learning rate first.
        number : int
        """
        self._count = len(batch)
        self.session.announce(numbers, number)
        if self.adjustments or self._count > self.session.batch_size:
            return self._step_in_parts(batch, numbers, number)
        return self._run(batch, self._shares(batch), numbers, number, update=True)

    def _shares(self, batch: Batch) -> np.ndarray | None:
        """Return the weight of each sample in the loss of its batch, float32[n]; None for 1/n."""
        if self.plain:
            return None if batch.weights is None else batch.weights / np.float32(len(batch))
        shares: np.ndarray = self.session.loss.sample_weights(batch.targets)
        return shares if batch.weights is None else shares * batch.weights

    def _run(
        self, b: Batch, shares: np.ndarray | None, numbers: tuple[float, ...], number: int, *, update: bool = False
    ) -> tuple[float, float]:
        """Compute on a batch, or on a part of one; ``number`` fixes the random numbers."""
        losses, correct = self.session.step(
            b.inputs, b.index, b.targets, numbers, shares, seed=self.seed, number=number, update=update
        )
        if self.plain:
            loss = losses.sum() if b.weights is None else (losses * b.weights).sum()
            return float(loss), float(correct.sum())
        return self._weighted(b, shares, losses, correct)

    def _weighted(
        self, b: Batch, shares: np.ndarray | None, losses: np.ndarray, correct: np.ndarray
    ) -> tuple[float, float]:
        """Return the sums as if every sample had the mean loss and accuracy of those that count."""
        loss: Loss = self.session.loss
        assert shares is not None
        total = float((losses * shares).sum()) * (1 if loss.reduction == "sum" else self._count)
        counted = max(float(loss.counted(b.targets).sum()), 1e-30)
        return total, float(correct.sum()) * len(b) / counted

    def _step_in_parts(self, batch: Batch, numbers: tuple[float, ...], number: int) -> tuple[float, float]:
        for adjustment in self.adjustments:
            adjustment.before_gradient(self.flat, number)
        loss, correct = self._gradient(batch, numbers, number)
        for adjustment in self.adjustments:
            adjustment.before_update(self.flat, numbers[0])
        self.session.update()
        for adjustment in self.adjustments:
            adjustment.after_update(self.flat)
        return loss, correct

    def _gradient(self, batch: Batch, numbers: tuple[float, ...], number: int) -> tuple[float, float]:
        """Sum the gradient over the parts of a large batch, in a fixed order."""
        size, gradient, count = self.session.batch_size, self.flat.gradient, len(batch)
        shares = self._shares(batch)
        if count <= size:
            return self._run(batch, shares, numbers, number)
        shares = np.full(count, 1.0 / count, np.float32) if shares is None else shares
        loss = correct = 0.0
        total = np.zeros_like(gradient)
        for place, start in enumerate(range(0, count, size)):
            part = batch.part(start, start + size)
            more = self._run(part, shares[start : start + size], numbers, number + (place << PART_BITS))
            loss, correct = loss + more[0], correct + more[1]
            total += gradient
        gradient[:] = total
        return loss, correct
