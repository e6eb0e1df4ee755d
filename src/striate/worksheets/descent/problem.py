"""Losses of two parameters, written in the expression language of `striate.worksheets.expression`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from striate.errors import ShapeError, UsageError, unknown_name
from striate.numbers import as_numbers
from striate.worksheets.expression import Graph, differentiate, parse

Window = tuple[tuple[float, float], tuple[float, float]]


@dataclass(frozen=True, eq=False)
class Surface:
    """A loss on a grid.

    Parameters
    ----------
    first, second : float64[n]
        Values of the two parameters.
    loss : float64[n, n]
        ``loss[i, j]`` at (first[j], second[i]); NaN where it is not finite.
    """

    first: np.ndarray
    second: np.ndarray
    loss: np.ndarray

    @property
    def lowest(self) -> tuple[float, float]:
        """The grid point with the smallest loss."""
        row, column = np.unravel_index(int(np.nanargmin(self.loss)), self.loss.shape)
        return float(self.first[column]), float(self.second[row])


@dataclass(frozen=True, eq=False)
class Problem:
    """A loss of two parameters.

    Parameters
    ----------
    text : str
        The loss as an expression.
    parameters : (str, str)
        Names of the two parameters in it.
    data : mapping of str to float64[samples, ...]
        The other values; a batch takes the same rows of all of them. Empty if there are no samples.
    window : ((float, float), (float, float))
        Range of the two parameters that is drawn.
    start : (float, float)
    """

    text: str
    parameters: tuple[str, str]
    data: Mapping[str, np.ndarray] = field(default_factory=dict)
    window: Window = ((-3.0, 3.0), (-3.0, 3.0))
    start: tuple[float, float] = (-2.0, 2.0)

    @cached_property
    def graph(self) -> Graph:
        """The computation graph of the loss."""
        return parse(self.text)

    @property
    def samples(self) -> int:
        """Samples that batches are taken from, 0 if there are none."""
        return min((len(values) for values in self.data.values()), default=0)

    def loss(self, point: np.ndarray, rows: np.ndarray | None = None) -> float:
        """Return the loss at float64[2], over all samples or the given rows."""
        return float(self.graph.forward(self._values(point, rows))[self.graph.output].item())

    def gradient(self, point: np.ndarray, rows: np.ndarray | None = None) -> np.ndarray:
        """Return the gradient, float64[2], over all samples or the given rows."""
        slopes = differentiate(self.graph, self._values(point, rows)).gradients
        return np.array([slopes[name].item() for name in self.parameters])

    def surface(self, points: int = 61) -> Surface:
        """Return the loss on a grid of `points` by `points` over the window.

        Raises
        ------
        UsageError
            When it is finite nowhere, or for fewer than 2 points.
        """
        if points < 2:
            raise UsageError(f"surface: needs at least 2 points per axis; got {points}.")
        first, second = (np.linspace(low, high, points) for low, high in self.window)
        loss = np.full((points, points), np.nan)
        for i, j in np.ndindex(points, points):
            try:
                loss[i, j] = self.loss(np.array([first[j], second[i]]))
            except ShapeError:
                raise
            except UsageError:  # not finite here
                continue
        if np.isnan(loss).all():
            self.loss(np.array([first[0], second[0]]))  # says why
        return Surface(first, second, loss)

    def _values(self, point: np.ndarray, rows: np.ndarray | None) -> dict[str, np.ndarray]:
        chosen = self.data if rows is None else {name: values[rows] for name, values in self.data.items()}
        return {**chosen, self.parameters[0]: np.asarray(point[0]), self.parameters[1]: np.asarray(point[1])}


def _line() -> Problem:
    """Least squares: 40 points near the line t = 1.5x - 0.5."""
    random = np.random.Generator(np.random.PCG64(5))
    x = random.uniform(-1.0, 2.0, 40)
    t = 1.5 * x - 0.5 + random.normal(0.0, 0.4, 40)
    window = ((-1.0, 3.5), (-2.5, 1.5))
    return Problem("mean((w*x + b - t)**2)/2", ("w", "b"), {"x": x, "t": t}, window, (-0.5, 1.2))


def _logistic() -> Problem:
    """Logistic regression: 40 points of two classes on a line, with a small weight decay."""
    random = np.random.Generator(np.random.PCG64(8))
    x = np.concatenate([random.normal(-0.8, 1.0, 20), random.normal(1.2, 1.0, 20)])
    t = np.repeat([0.0, 1.0], 20)
    text = "z = w*x + b; mean(softplus(z) - t*z) + 0.01*(w**2 + b**2)"
    return Problem(text, ("w", "b"), {"x": x, "t": t}, ((-3.0, 5.0), (-4.0, 4.0)), (-2.5, 3.0))


PROBLEMS: dict[str, Callable[[], Problem]] = {
    # Gradient descent is enough for the bowl. It is slow in the ravine (condition number 100, across the axes), at
    # the saddle (left by a slope of 0.001) and on the plateau (slopes vanish far from the minimum).
    "bowl": lambda: Problem("(a**2 + 2*b**2)/2", ("a", "b"), start=(-2.5, 2.5)),
    "ravine": lambda: Problem(
        "((a + b)**2 + 100*(a - b)**2)/4", ("a", "b"), {}, ((-3.0, 3.0), (-3.0, 3.0)), (-2.7, -1.5)
    ),
    "saddle": lambda: Problem(
        "25*a**2 - b**2/2 + b**4/8", ("a", "b"), {}, ((-1.5, 1.5), (-3.0, 3.0)), (-1.2, 0.001)
    ),
    "plateau": lambda: Problem(
        "1 - exp(-(a**2 + b**2)/2)", ("a", "b"), {}, ((-5.0, 5.0), (-5.0, 5.0)), (-4.0, 2.0)
    ),
    "rosenbrock": lambda: Problem(
        "(1 - a)**2 + 100*(b - a**2)**2", ("a", "b"), {}, ((-2.0, 2.0), (-1.0, 3.0)), (-1.2, 1.0)
    ),
    "himmelblau": lambda: Problem(
        "(a**2 + b - 11)**2 + (a + b**2 - 7)**2", ("a", "b"), {}, ((-5.0, 5.0), (-5.0, 5.0)), (-0.5, -1.2)
    ),
    "line": _line,
    "logistic": _logistic,
}


def problem(
    text: str,
    parameters: tuple[str, str] | None = None,
    *,
    data: Mapping[str, Any] | None = None,
    window: Window | None = None,
    start: tuple[float, float] | None = None,
) -> Problem:
    """Return a problem by its name, or one's own from an expression.

    Parameters
    ----------
    text : str
        A name of `PROBLEMS`, or an expression such as "mean((w*x + b - t)**2)".
    parameters : (str, str), optional
        Which names of the expression are the parameters; all that `data` does not give if left out.
    data : mapping of str to array, optional
        Values of the other names, one row per sample.
    window, start : optional
        What is drawn, and where descent begins.

    Raises
    ------
    UsageError
        For an unknown name, an expression that cannot be read, or not two parameters.
    ShapeError
        For data of different lengths.

    Examples
    --------
    >>> problem("(u - 1)**2 + (v + 2)**2").parameters
    ('u', 'v')
    """
    name = text.strip()
    if name.isidentifier():
        if name not in PROBLEMS:
            raise unknown_name("problem", name, PROBLEMS)
        found = PROBLEMS[name]()
    else:
        arrays = {key: as_numbers("problem", key, value) for key, value in (data or {}).items()}
        found = Problem(text, _parameters(text, parameters, arrays), arrays)
    if window is not None:
        found = replace(found, window=_checked_window(window))
        (a, b), (c, d) = found.window
        found = replace(found, start=(a + 0.15 * (b - a), c + 0.85 * (d - c)))
    if start is not None:
        point = as_numbers("problem", "start", start)
        if point.shape != (2,):
            raise ShapeError(f"problem: start is two numbers; got shape {point.shape}.")
        found = replace(found, start=(float(point[0]), float(point[1])))
    return found


def _parameters(text: str, parameters: tuple[str, str] | None, data: Mapping[str, np.ndarray]) -> tuple[str, str]:
    inputs = parse(text).inputs
    lengths = {key: len(values) if values.ndim else 0 for key, values in data.items()}
    if len(set(lengths.values())) > 1 or 0 in lengths.values():
        raise ShapeError(
            f"problem: data need one row per sample, and equal lengths; got {lengths}. Shorten the longer."
        )
    names = tuple(parameters or (name for name in inputs if name not in data))
    if len(names) != 2:
        raise UsageError(
            f"problem: two parameters are needed; got {len(names)} ({', '.join(names) or 'none'}). "
            f"Give the values of the others as data."
        )
    for name in names:
        if name not in inputs:
            raise unknown_name("problem: parameter", name, inputs)
    return names[0], names[1]


def _checked_window(window: Window) -> Window:
    ranges = as_numbers("problem", "window", window)
    if ranges.shape != (2, 2) or (ranges[:, 0] >= ranges[:, 1]).any():
        raise UsageError(f"problem: window must be (from, to) for both parameters, with from < to; got {window}.")
    (a, b), (c, d) = ranges.tolist()
    return (a, b), (c, d)
