"""The loss of a network along lines and planes through its parameters."""

from __future__ import annotations

from collections.abc import Iterable
from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from striate.data.dataset import Dataset
from striate.drawing.axes import new_axes
from striate.drawing.notebook import Readable
from striate.errors import UsageError
from striate.explain.batch_statistics import BatchStatistics
from striate.layers.arguments import integer, real
from striate.model import Model

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, eq=False, repr=False)
class LossLine(Readable):
    """The loss along one direction: ``losses[i]`` at ``theta + steps[i] * direction``.

    Parameters
    ----------
    steps : float64[S]
    losses : float64[S]
    direction : float64[parameter_count]
    """

    steps: np.ndarray
    losses: np.ndarray
    direction: np.ndarray

    def __str__(self) -> str:
        rows = [f"  {step:>8.3f} {loss:>12.6g}" for step, loss in zip(self.steps, self.losses, strict=True)]
        return "\n".join(["      step         loss", *rows])

    def _drawn(self) -> Axes:
        return draw_loss_line(self)


@dataclass(frozen=True, eq=False, repr=False)
class LossPlane(Readable):
    """The loss over two directions: ``losses[i, j]`` at ``theta + steps[i] * second + steps[j] * first``.

    Parameters
    ----------
    steps : float64[S]
    losses : float64[S, S]
    first, second : float64[parameter_count]
    """

    steps: np.ndarray
    losses: np.ndarray
    first: np.ndarray
    second: np.ndarray

    def __str__(self) -> str:
        size, (row, column) = len(self.steps), np.unravel_index(int(np.nanargmin(self.losses)), self.losses.shape)
        middle = self.losses[size // 2, size // 2]
        return (
            f"loss over {size} x {size} points: {middle:.6g} in the middle, "
            f"lowest {self.losses[row, column]:.6g} at {self.steps[row]:.3g} along the second direction and "
            f"{self.steps[column]:.3g} along the first, highest {np.nanmax(self.losses):.6g}"
        )

    def _drawn(self) -> Axes:
        return draw_loss_plane(self)


def loss_line(
    model: Model,
    dataset: Dataset,
    *,
    reach: float = 1.0,
    points: int = 51,
    seed: int = 0,
    towards: Model | None = None,
) -> LossLine:
    """Return the loss along a random direction, or from ``model`` (step 0) to ``towards`` (step 1).

    Parameters
    ----------
    model : Model
    dataset : Dataset
        Its whole loss is computed at every point; take a part of a large one.
    reach : float
        The steps go from ``-reach`` to ``reach``; with ``towards`` from ``-reach / 2`` to ``1 + reach / 2``.
    points : int
    seed : int
    towards : Model, optional
        Another model of the same network.

    Raises
    ------
    UsageError
        If the networks differ or a number makes no sense.

    References
    ----------
    Goodfellow, Vinyals and Saxe (2015), "Qualitatively characterizing neural network optimization problems".
    """
    reach, points = real(reach, "reach", above=0), integer(points, "points", minimum=2)
    if towards is None:
        direction, steps = random_direction(model, seed), np.linspace(-reach, reach, points)
    else:
        if towards.theta.shape != model.theta.shape:
            raise UsageError(
                f"towards: needs a model of the same network; got {towards.theta.size:,} parameters for "
                f"{model.theta.size:,}."
            )
        direction = towards.theta.astype(np.float64) - model.theta
        steps = np.linspace(-reach / 2, 1 + reach / 2, points)
    losses = _losses(model, dataset, [step * direction for step in steps])
    return LossLine(steps, losses, direction)


def loss_plane(model: Model, dataset: Dataset, *, reach: float = 1.0, points: int = 21, seed: int = 0) -> LossPlane:
    """Return the loss over two random directions, each filter of them as long as the model's own.

    Parameters
    ----------
    model : Model
    dataset : Dataset
        Its whole loss is computed at each of ``points`` x ``points`` places; take a part of a large one.
    reach : float
        The steps go from ``-reach`` to ``reach``; at 1 every filter has moved by its own length.
    points : int
    seed : int

    References
    ----------
    Li, Xu, Taylor, Studer and Goldstein (2018), "Visualizing the loss landscape of neural nets", section 4.
    """
    reach, points = real(reach, "reach", above=0), integer(points, "points", minimum=2)
    first, second = random_direction(model, seed), random_direction(model, seed + 1)
    steps = np.linspace(-reach, reach, points)
    moves = [b * second + a * first for b in steps for a in steps]
    return LossPlane(steps, _losses(model, dataset, moves).reshape(points, points), first, second)


def random_direction(model: Model, seed: int = 0) -> np.ndarray:
    """Return a random direction whose filters have the length of the model's filters, float64[parameter_count].

    A filter is all that makes one output channel or feature. Biases, and the weights of normalisations,
    have no filters; they do not move.

    Examples
    --------
    >>> from striate.models import lenet5
    >>> model = Model(lenet5(), np.ones(61706))
    >>> direction = model.network.views(random_direction(model))
    >>> float(np.linalg.norm(direction["conv1.weight"][3]).round(9)), float(direction["conv1.bias"].max())
    (5.0, 0.0)
    """
    rng = np.random.default_rng(seed)
    direction = np.zeros(model.network.parameter_count)
    for slot in model.network.parameters:
        if len(slot.spec.shape) < 2:
            continue
        own = slot.view(model.theta).astype(np.float64)
        drawn = rng.normal(size=own.shape)
        slot.view(direction)[...] = drawn * _lengths(own) / np.maximum(_lengths(drawn), 1e-300)
    return direction


def _lengths(weight: np.ndarray) -> np.ndarray:
    return np.asarray(np.sqrt((weight**2).sum(axis=tuple(range(1, weight.ndim)), keepdims=True)))


def losses_at(model: Model, dataset: Dataset, thetas: Iterable[np.ndarray]) -> np.ndarray:
    """Return the mean loss with each of ``thetas`` (float[parameter_count]) as parameters, float64[len(thetas)].

    The running statistics of ``model`` belong to its own parameters, and elsewhere make the loss far too large. So
    those of a batch of ``dataset`` are computed for each of ``thetas``.
    """
    moved, found = copy(model), []
    statistics = BatchStatistics(model, dataset) if model.network.state_count else None
    for theta in thetas:
        moved.theta = theta.astype(np.float32)
        if statistics is not None:
            moved.states = statistics.at(moved.theta)
        found.append(moved.evaluate(dataset).loss)
    return np.array(found)


def _losses(model: Model, dataset: Dataset, moves: Iterable[np.ndarray]) -> np.ndarray:
    """Return the mean loss at ``theta + move`` for every move, float64[len(moves)]."""
    start = model.theta.astype(np.float64)
    return losses_at(model, dataset, (start + move for move in moves))


def draw_loss_line(line: LossLine, axes: Axes | None = None) -> Axes:
    """Draw the loss along a line; the model stands at step 0."""
    axes = new_axes(axes, "loss", "step along the direction")
    axes.plot(line.steps, line.losses, color="#0b5394")
    axes.axvline(0.0, color="#999999", linewidth=0.8, linestyle=":")
    return axes


def draw_loss_plane(plane: LossPlane, axes: Axes | None = None) -> Axes:
    """Draw the loss over a plane as contours at equal ratios; the model stands in the middle."""
    axes = new_axes(axes, "step along the second direction", "step along the first direction", (6.0, 5.0))
    low, high = float(plane.losses.min()), float(plane.losses.max())
    levels = np.geomspace(max(low, 1e-6), max(high, low * 1.001 + 2e-6), 24)
    filled = axes.contourf(plane.steps, plane.steps, plane.losses, levels=levels, cmap="viridis")
    axes.contour(plane.steps, plane.steps, plane.losses, levels=levels, colors="white", linewidths=0.4)
    axes.plot([0.0], [0.0], "o", color="#d62728", markeredgecolor="white")
    axes.figure.colorbar(filled, ax=axes, label="loss")
    return axes
