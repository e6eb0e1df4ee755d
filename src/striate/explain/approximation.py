"""A function learnt by networks with one hidden layer: what more units gain, and when they overfit."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from striate.checks import integer
from striate.data.dataset import Dataset
from striate.drawing.notebook import Readable
from striate.errors import UsageError
from striate.layers import Linear, ReLU, Sigmoid, Tanh
from striate.layers.arguments import choice, real
from striate.model import Model
from striate.network import Sequential

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ACTIVATIONS = {"tanh": Tanh, "relu": ReLU, "sigmoid": Sigmoid}
STEEP = {"tanh": 2.0, "sigmoid": 4.0}
"""Initial steepness of a unit times the distance between two units, so that their steps just touch."""
GRID, RATE, BATCH = 401, 0.02, 16


@dataclass(frozen=True, eq=False)
class Fit:
    """One network during its training.

    Parameters
    ----------
    units : int
        Of the hidden layer.
    curves : float64[frames, G]
        What it computes on the grid as training goes on.
    pieces : float64[units, G]
        What each hidden unit adds to the sum in the end; together with a constant they are the last curve.
    train_error, new_error : float
        The mean squared error in the end: over the samples, and over as many new ones.
    """

    units: int
    curves: np.ndarray
    pieces: np.ndarray
    train_error: float
    new_error: float


@dataclass(frozen=True, eq=False, repr=False)
class Approximation(Readable):
    """Networks of several widths that learnt the same samples; ``print`` it for their errors.

    Parameters
    ----------
    text : str
        The function.
    x, y : float64[N]
        Samples, noise included.
    grid, truth : float64[G]
        The function without noise.
    frames : tuple of int
        After how many epochs each of the curves was kept; the last number is that of all epochs.
    fits : tuple of Fit
    """

    text: str
    x: np.ndarray
    y: np.ndarray
    grid: np.ndarray
    truth: np.ndarray
    frames: tuple[int, ...]
    fits: tuple[Fit, ...]

    @property
    def best(self) -> Fit:
        """The network with the smallest error on new samples."""
        return min(self.fits, key=lambda fit: fit.new_error)

    def __str__(self) -> str:
        lines = [
            f"{self.text}, {len(self.x)} samples, {self.frames[-1]} epochs",
            f"{'units':>6} {'error':>11} {'on new':>11}",
        ]
        for fit in self.fits:
            note = "  smallest on new samples" if fit is self.best else ""
            lines.append(f"{fit.units:>6} {fit.train_error:>11.4g} {fit.new_error:>11.4g}{note}")
        return "\n".join(lines)

    def _drawn(self) -> Axes:
        from striate.explain.draw_approximation import draw_approximation

        return draw_approximation(self)


def approximate(
    text: str,
    units: Sequence[int] = (1, 3, 10, 100),
    *,
    samples: int = 200,
    noise: float = 0.0,
    window: tuple[float, float] = (-3.0, 3.0),
    activation: str = "tanh",
    epochs: int = 400,
    frames: int = 40,
    seed: int = 0,
) -> Approximation:
    """Return what networks of one hidden layer learn of a function of ``x``.

    ``f(x) = sum over the units of v[n] * activation(w[n] * x + b[n]) + c``, trained by Adam on the squared error.
    At the start the units are steps (or ramps) at places spread evenly over the window.

    Parameters
    ----------
    text : str
        The function, such as "sin(3*x)"; see `striate.worksheets.expression`.
    units : sequence of int
        Widths of the hidden layer; one network for each.
    samples : int
        At random places; as many new ones measure the error on new samples.
    noise : float
        Standard deviation of the noise added to the samples.
    window : (float, float)
    activation : {"tanh", "relu", "sigmoid"}
    epochs, frames : int
        Passes over the samples, and curves kept on the way.
    seed : int
        Of samples, noise, first parameters and order.

    Raises
    ------
    UsageError
        If the function is not one of ``x``, or a number is out of range.

    References
    ----------
    Cybenko (1989), "Approximation by superpositions of a sigmoidal function".
    """
    choice(activation, "activation", tuple(ACTIVATIONS))
    low, high = (real(end, "window") for end in window)
    if low >= high:
        raise UsageError(f"window: must be (from, to) with from < to; got {tuple(window)}.")
    noise = real(noise, "noise", above=0, closed=True)
    function, random = _function(text), np.random.default_rng(seed)
    x, new = random.uniform(low, high, (2, integer(samples, "samples", 2)))
    y, expected = (function(places) + noise * random.normal(size=len(places)) for places in (x, new))
    grid = np.linspace(low, high, GRID)
    chunks = _chunks(integer(epochs, "epochs"), integer(frames, "frames"))
    fits = []
    for width in units:
        start = _start(integer(width, "units"), activation, (low, high), seed)
        fits.append(_fit(start, (x, y), (new, expected), grid, chunks, seed))
    return Approximation(text, x, y, grid, function(grid), tuple(np.cumsum(chunks).tolist()), tuple(fits))


def _function(text: str) -> Callable[[np.ndarray], np.ndarray]:
    from striate.worksheets.expression import parse

    graph = parse(text)
    if set(graph.inputs) != {"x"}:
        raise UsageError(f"approximate: needs a function of x; got one of {', '.join(graph.inputs) or 'nothing'}.")
    return lambda x: np.broadcast_to(np.asarray(graph.evaluate({"x": x})[graph.output], np.float64), x.shape)


def _chunks(epochs: int, frames: int) -> list[int]:
    """Return after how many further epochs a curve is kept: often at first, then less and less."""
    ends = np.unique(np.rint(epochs * np.linspace(0, 1, frames + 1) ** 2).astype(int))
    return [int(n) for n in np.diff(ends)]


def _start(units: int, activation: str, window: tuple[float, float], seed: int) -> Model:
    from striate.training.initialisation import initialise

    network = Sequential([Linear(units), ACTIVATIONS[activation](), Linear(1)], 1, "approximation")
    model = Model(network, *initialise(network, seed=seed))
    ends = (np.array(window) - np.mean(window)) / (np.ptp(window) / math.sqrt(12))  # in standard deviations
    places = np.linspace(ends[0], ends[1], units + 2)[1:-1]
    slope = STEEP[activation] * max(1.0, units / float(np.ptp(ends))) if activation in STEEP else 1.0
    model.parameters["linear1.weight"][:, 0] = slope
    model.parameters["linear1.bias"][...] = -slope * places
    return model


def _fit(
    start: Model,
    samples: tuple[np.ndarray, np.ndarray],
    new: tuple[np.ndarray, np.ndarray],
    grid: np.ndarray,
    chunks: Sequence[int],
    seed: int,
) -> Fit:
    from striate.training.trainer import Trainer

    x, y = (values[:, None].astype(np.float32) for values in samples)
    size = min(BATCH, len(x))
    trainer = Trainer(start, optimizer="adam", learning_rate=RATE, batch_size=size, seed=seed)
    data, curves = Dataset(x, y), []
    for epochs in chunks:
        trainer.fit(data, epochs=epochs, progress=False)
        curves.append(_values(trainer.model, grid))
    model = trainer.model
    errors = [float(((_values(model, places) - values) ** 2).mean()) for places, values in (samples, new)]
    return Fit(len(model.parameters["linear1.bias"]), np.array(curves), _pieces(model, grid), *errors)


def _values(model: Model, x: np.ndarray) -> np.ndarray:
    return np.asarray(model.predict(x[:, None].astype(np.float32)), np.float64).reshape(-1)


def _pieces(model: Model, grid: np.ndarray) -> np.ndarray:
    """Return what each hidden unit adds to the output, in the units of the function."""
    from striate.model.part import part_of

    hidden = part_of(model, model.network.steps[2].name).outputs(grid[:, None].astype(np.float32))
    scale = 1.0 if model.target_normalisation is None else float(np.ravel(model.target_normalisation.scale)[0])
    return np.asarray(hidden.T * model.parameters["linear2.weight"][0][:, None] * scale, np.float64)
