"""The paths of optimizers on a loss of two parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from striate.drawing.notebook import Readable
from striate.errors import UsageError, unknown_name
from striate.worksheets.descent.problem import Problem, Surface, problem

if TYPE_CHECKING:
    from matplotlib.axes import Axes

METHODS = ("gradient descent", "sgd", "mini-batch", "momentum", "nesterov", "rmsprop", "adam")
RATES = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
"""Learning rates from which each method gets its best one, unless a rate is given."""
_ON_BATCHES = ("sgd", "mini-batch")


@dataclass(frozen=True, eq=False)
class Path:
    """The path of one method.

    Parameters
    ----------
    method : str
    learning_rate : float
    points : float64[steps + 1, 2]
        The start and the point after every step; fewer if it diverged.
    losses : float64[steps + 1]
        Loss over all samples at these points.
    diverged : bool
        Whether it left the window by a hundred times its size; the path ends there.
    """

    method: str
    learning_rate: float
    points: np.ndarray
    losses: np.ndarray
    diverged: bool


@dataclass(frozen=True, eq=False, repr=False)
class Descent(Readable):
    """A problem, its surface, and the paths of the methods on it; ``print`` it for a table."""

    problem: Problem
    surface: Surface
    paths: tuple[Path, ...]

    @property
    def ranking(self) -> tuple[Path, ...]:
        """The paths, the one with the smallest last loss first."""
        return tuple(sorted(self.paths, key=_reached))

    def __str__(self) -> str:
        a, b = self.problem.parameters
        lowest = self.surface.lowest
        lines = [
            f"loss {self.problem.text}, lowest on the grid near {a} = {lowest[0]:.4g}, {b} = {lowest[1]:.4g}",
            f"  {'method':<17} {'rate':>9} {'steps':>6} {'loss':>11}  end",
        ]
        for path in self.ranking:
            end = f"{a} = {path.points[-1, 0]:.4g}, {b} = {path.points[-1, 1]:.4g}"
            note = " (diverged)" if path.diverged else ""
            lines.append(
                f"  {path.method:<17} {path.learning_rate:>9.3g} {len(path.points) - 1:>6} "
                f"{path.losses[-1]:>11.5g}  {end}{note}"
            )
        return "\n".join(lines)

    def _drawn(self) -> Axes:
        from striate.worksheets.descent.draw import draw_descent

        return draw_descent(self)


def descend(
    task: str | Problem,
    methods: Sequence[str] | None = None,
    *,
    steps: int = 100,
    learning_rate: float | Mapping[str, float] | None = None,
    batch_size: int = 8,
    seed: int = 0,
    grid: int = 61,
) -> Descent:
    """Return the surface of a loss and the paths of optimizers from its start.

    Parameters
    ----------
    task : str or Problem
        See `problem`.
    methods : sequence of str, optional
        Of "gradient descent", "sgd" (one sample per step), "mini-batch" (`batch_size` samples per step),
        "momentum", "nesterov", "rmsprop", "adam"; all that the problem allows if left out. Only a problem
        with samples allows "sgd" and "mini-batch".
    steps : int
    learning_rate : float or mapping of method to float, optional
        If left out, each method gets the one of `RATES` with which its last loss is the smallest.
    seed : int
        Of the order of samples.
    grid : int
        Points of the surface along each axis.

    Raises
    ------
    UsageError
        For a method that does not exist or does not fit the problem, or a number out of its range.

    Examples
    --------
    >>> found = descend("bowl", ["gradient descent"], steps=50, grid=5)
    >>> bool(found.paths[0].losses[-1] < 1e-9)
    True
    """
    chosen = problem(task) if isinstance(task, str) else task
    if steps < 1 or batch_size < 1:
        raise UsageError(f"descend: steps and batch_size must be at least 1; got {steps} and {batch_size}.")
    names = tuple(methods or (name for name in METHODS if chosen.samples or name not in _ON_BATCHES))
    for name in names:
        if name not in METHODS:
            raise unknown_name("descend: method", name, METHODS)
        if name in _ON_BATCHES and not chosen.samples:
            raise UsageError(
                f"descend: {name} needs a problem with samples; got one without. Use line or logistic, "
                f"or give data."
            )
    rates = _checked_rates(names, learning_rate)
    paths = tuple(
        min((_walk(chosen, name, rate, steps, batch_size, seed) for rate in rates.get(name, RATES)), key=_reached)
        for name in names
    )
    return Descent(chosen, chosen.surface(grid), paths)


def _reached(path: Path) -> float:
    """Return the last loss, infinite for a path that diverged."""
    return np.inf if path.diverged else float(path.losses[-1])


def _checked_rates(names: Sequence[str], given: float | Mapping[str, float] | None) -> dict[str, tuple[float, ...]]:
    """Return the rates to try for the methods whose rate was given."""
    rates = dict(given) if isinstance(given, Mapping) else dict.fromkeys(names, given) if given is not None else {}
    for name, rate in rates.items():
        if name not in METHODS:
            raise unknown_name("descend: method", name, METHODS)
        if not 0 < rate < np.inf:
            raise UsageError(f"descend: learning_rate must be above 0; got {rate} for {name}.")
    return {name: (rate,) for name, rate in rates.items()}


def _walk(task: Problem, method: str, rate: float, steps: int, batch_size: int, seed: int) -> Path:
    from striate.training.optimizers import optimizer
    from striate.training.optimizers.base import OptimizerState

    rule = optimizer("gradient_descent" if method in (METHODS[0], *_ON_BATCHES) else method)
    state = OptimizerState.zeros(rule, 2)
    point = np.array(task.start, dtype=np.float64)
    points, losses = [point], [task.loss(point)]
    centre, size = np.mean(task.window, axis=1), np.ptp(task.window, axis=1)
    batches = _batches(task.samples, {"sgd": 1, "mini-batch": batch_size}.get(method), steps, seed)
    for step, rows in enumerate(batches, start=1):
        try:
            with np.errstate(all="ignore"):
                point = rule.update(point, task.gradient(point, rows), state, step, rate)
            loss = task.loss(point)
        except UsageError:  # no finite loss or gradient any more
            return Path(method, rate, np.array(points), np.array(losses), diverged=True)
        points.append(point)
        losses.append(loss)
        if (np.abs(point - centre) > 100 * size).any():
            return Path(method, rate, np.array(points), np.array(losses), diverged=True)
    return Path(method, rate, np.array(points), np.array(losses), diverged=False)


def _batches(samples: int, size: int | None, steps: int, seed: int) -> list[np.ndarray | None]:
    """Return the rows of every step: all samples in a new order each epoch, or None for all at once."""
    if size is None:
        return [None] * steps
    random = np.random.Generator(np.random.PCG64(seed))
    batches: list[np.ndarray | None] = []
    while len(batches) < steps:
        order = random.permutation(samples)
        batches += [order[i : i + size] for i in range(0, samples, size)]
    return batches[:steps]
