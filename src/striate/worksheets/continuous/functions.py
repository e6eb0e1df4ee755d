"""Two functions of time, their convolution, and the same with samples."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from striate.checks import integer
from striate.drawing.notebook import Readable
from striate.errors import UsageError, unknown_name
from striate.layers.arguments import real
from striate.worksheets.expression import parse
from striate.worksheets.filtering import WindowSum

REACH, FINE = 3.0, 0.01  # the functions are 0 outside -REACH to REACH; step of the integrals
MOST_SAMPLES = 30  # of a function, whose matrix is written out

FUNCTIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "box": lambda t: np.where(np.abs(t) < 1, 1.0, np.where(np.abs(t) == 1, 0.5, 0.0)),
    "triangle": lambda t: np.maximum(0.0, 1.0 - np.abs(t)),
    "ramp": lambda t: np.where((t >= 0) & (t < 1), t, np.where(t == 1, 0.5, 0.0)),
    "exponential": lambda t: np.where(t > 0, np.exp(-np.maximum(t, 0.0)), np.where(t == 0, 0.5, 0.0)),
    "gaussian": lambda t: np.exp(-(t**2)),
}
"""Functions by name; at a jump they have the middle value, so that sums come closest to integrals."""


@dataclass(frozen=True, eq=False, repr=False)
class Convolved(Readable):
    """Two functions and their convolution, continuous and sampled.

    Parameters
    ----------
    names : (str, str)
        The functions.
    t, f, g : float64[T]
        Fine steps of time and the functions there.
    times, result : float64[2 T - 1]
        ``result(t) = integral of f(s) g(t - s) ds``.
    spacing : float
        Time between two samples.
    samples : (float64[N], float64[N])
        The functions at multiples of the spacing.
    sums : float64[2 N - 1]
        ``sums[n] = spacing * sum over k of f[k] g[n - k]``.
    """

    names: tuple[str, str]
    t: np.ndarray
    f: np.ndarray
    g: np.ndarray
    times: np.ndarray
    result: np.ndarray
    spacing: float
    samples: tuple[np.ndarray, np.ndarray]
    sums: np.ndarray

    @property
    def kernel(self) -> np.ndarray:
        """What the samples of f are convolved with: the samples of g times the spacing, float64[N]."""
        return self.samples[1] * self.spacing

    @property
    def sum_times(self) -> np.ndarray:
        """The times of the sums, float64[2 N - 1]."""
        count = len(self.sums) // 2
        return self.spacing * np.arange(-count, count + 1)

    @property
    def matrix(self) -> np.ndarray:
        """The Toeplitz matrix that makes the sums of the samples of f, float64[2 N - 1, N]."""
        count = len(self.kernel)
        found = np.zeros((2 * count - 1, count))
        for column in range(count):
            found[column : column + count, column] = self.kernel
        return found

    @property
    def error(self) -> float:
        """The largest difference of a sum from the integral."""
        return float(np.abs(np.interp(self.sum_times, self.times, self.result) - self.sums).max())

    def layer(self) -> np.ndarray:
        """Return what a Conv1d, whose kernel is g turned around, computes of the samples, float32[2 N - 1]."""
        from striate.layers import Conv1d
        from striate.model import Model
        from striate.network import Sequential

        count = len(self.kernel)
        network = Sequential([Conv1d(1, count, padding=count - 1, bias=False)], (1, count))
        model = Model(network, self.kernel[::-1].astype(np.float32))
        return np.asarray(model.outputs(self.samples[0][None, None].astype(np.float32))[0, 0])

    def step(self, position: int) -> WindowSum:
        """Return one sum with its terms that are not 0."""
        count = len(self.kernel)
        places = [k for k in range(count) if 0 <= position - k < count]
        f = np.array([self.samples[0][k] for k in places])
        g = np.array([self.kernel[position - k] for k in places])
        kept = (f != 0) & (g != 0)
        return WindowSum((position,), f[kept], g[kept], float(self.sums[position]))

    def __str__(self) -> str:
        whole = float(np.trapezoid(np.abs(self.result), self.times))
        area = float(np.trapezoid(self.result, self.times))
        area = 0.0 if abs(area) < 1e-12 * whole else area  # positive and negative parts that cancel
        return (
            f"({self.names[0]} * {self.names[1]})(t): largest {self.result.max():.4g} at t = "
            f"{self.times[int(self.result.argmax())]:.3g}, area {area:.4g}\n"
            f"sampled every {self.spacing:g}: {len(self.sums)} sums, at most {self.error:.2g} from the integral"
        )


def convolve_functions(f: str, g: str, spacing: float = 0.5) -> Convolved:
    """Return the convolution of two functions of t, which are 0 before -3 and after 3.

    Parameters
    ----------
    f, g : str
        A name of `FUNCTIONS`, or an expression such as "exp(-t**2)*sin(6*t)".
    spacing : float
        Time between two samples; 0.2 to 1.5.

    Raises
    ------
    UsageError
        For a function that is unknown, not finite or not one of t, or a spacing out of range.

    Examples
    --------
    >>> found = convolve_functions("box", "box")
    >>> float(found.result.max().round(2)), float(found.sums.max())
    (2.0, 1.75)
    """
    spacing = real(spacing, "spacing", above=0)
    count = int(REACH / spacing + 1e-9)
    if not 2 <= count <= MOST_SAMPLES // 2:
        raise UsageError(f"spacing: must be from 0.2 to 1.5; got {spacing:g}.")
    half = integer(round(REACH / FINE), "steps")
    t = FINE * np.arange(-half, half + 1)
    first, second = _values(f, t), _values(g, t)
    places = spacing * np.arange(-count, count + 1)
    samples = _values(f, places), _values(g, places)
    times = FINE * np.arange(-2 * half, 2 * half + 1)
    result, sums = np.convolve(first, second) * FINE, np.convolve(samples[0], samples[1]) * spacing
    return Convolved((f, g), t, first, second, times, result, spacing, samples, sums)


def _values(text: str, t: np.ndarray) -> np.ndarray:
    t = np.round(t, 9)
    if text.strip().isidentifier() and text.strip() != "t":
        if text.strip() not in FUNCTIONS:
            raise unknown_name("convolve: function", text.strip(), FUNCTIONS)
        return FUNCTIONS[text.strip()](t)
    graph = parse(text)
    if set(graph.inputs) != {"t"}:
        raise UsageError(f"convolve: needs functions of t; got one of {', '.join(graph.inputs) or 'nothing'}.")
    return np.broadcast_to(np.asarray(graph.evaluate({"t": t})[graph.output], np.float64), t.shape)
