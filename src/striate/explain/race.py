"""Several trainings on one plane through the parameters of their network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from striate.data.dataset import Dataset
from striate.drawing.axes import new_axes, whole_ticks
from striate.drawing.notebook import Readable
from striate.errors import DivergenceError, UsageError
from striate.explain.loss_slices import losses_at
from striate.layers.arguments import integer
from striate.training.callbacks import Callback

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from striate.training.trainer import Trainer

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#1a1a1a", "#7b3fa0")
MARKS = "os^Dv<>P"
BEYOND = 0.15  # of the plane beyond the paths, on every side


@dataclass(frozen=True, eq=False)
class Runner:
    """One training.

    Parameters
    ----------
    name : str
    thetas : float32[epochs + 1, parameter_count]
        The parameters at the start and after every epoch.
    losses : float64[epochs + 1]
        The loss of the samples of the race at these parameters.
    diverged : bool
        Whether the loss became infinite; the path ends at the last epoch before.
    """

    name: str
    thetas: np.ndarray
    losses: np.ndarray
    diverged: bool


@dataclass(frozen=True, eq=False, repr=False)
class Race(Readable):
    """Trainings of one network, and the loss on the plane closest to their paths; ``print`` it for a ranking.

    Parameters
    ----------
    runners : tuple of Runner
    origin : float64[parameter_count]
        Where the axes of the plane meet.
    axes : float64[2, parameter_count]
        Unit vectors: the first two principal components of all paths.
    share : float
        How much of the squared distances of the paths from the origin lies in the plane.
    steps : (float64[S], float64[S])
        Places along the first and the second axis.
    losses : float64[S, S]
        ``losses[i, j]`` at ``origin + steps[0][j] * axes[0] + steps[1][i] * axes[1]``.
    """

    runners: tuple[Runner, ...]
    origin: np.ndarray
    axes: np.ndarray
    share: float
    steps: tuple[np.ndarray, np.ndarray]
    losses: np.ndarray

    @property
    def ranking(self) -> tuple[Runner, ...]:
        """The trainings, the smallest last loss first."""
        return tuple(sorted(self.runners, key=lambda one: np.inf if one.diverged else one.losses[-1]))

    def path(self, runner: Runner) -> np.ndarray:
        """Return the path of a training in the plane, float64[epochs + 1, 2]."""
        return np.asarray((runner.thetas.astype(np.float64) - self.origin) @ self.axes.T)

    def __str__(self) -> str:
        width = max(len(one.name) for one in self.runners)
        lines = [f"{'training':<{width}}  {'epochs':>6} {'first loss':>11} {'last loss':>11}"]
        for one in self.ranking:
            ends = f"{one.losses[0]:>11.5g} {one.losses[-1]:>11.5g}"
            note = " (diverged)" if one.diverged else ""
            lines.append(f"{one.name:<{width}}  {len(one.losses) - 1:>6} {ends}{note}")
        return "\n".join([*lines, f"the plane holds {100 * self.share:.0f} % of the paths' squared distances"])

    def _drawn(self) -> Axes:
        return draw_race(self)


class _Recorder(Callback):
    """Keeps the parameters after every epoch."""

    name = "race"

    def __init__(self) -> None:
        self.thetas: list[np.ndarray] = []

    def on_train_begin(self, state: Any) -> None:
        self.thetas.append(state.model.theta.copy())

    def on_epoch_end(self, state: Any, record: Any) -> None:
        self.thetas.append(state.model.theta.copy())


def race(
    trainers: Mapping[str, Trainer], train: Dataset, *, epochs: int = 20, samples: int = 500, points: int = 25
) -> Race:
    """Train several times and return the paths on the plane closest to them.

    Parameters
    ----------
    trainers : mapping of a name to Trainer
        Of the same network, with different optimizers, learning rates, initialisations or seeds. They are trained.
    train : Dataset
    epochs : int
    samples : int
        The loss is computed over this many of the first training samples.
    points : int
        Points of the plane along each axis.

    Raises
    ------
    UsageError
        For fewer than two trainers, different networks, or numbers out of range.

    References
    ----------
    Li, Xu, Taylor, Studer and Goldstein (2018), "Visualizing the loss landscape of neural nets", section 7.
    """
    epochs, points = integer(epochs, "epochs"), integer(points, "points", 2)
    if len(trainers) < 2 or len({repr(one.network) for one in trainers.values()}) > 1:
        raise UsageError(
            f"race: needs at least two trainings of the same network; got {', '.join(trainers) or '0'}."
        )
    some = train.take(np.arange(min(integer(samples, "samples"), len(train))))
    runners = tuple(_train(name, one, train, some, epochs) for name, one in trainers.items())
    together = np.concatenate([one.thetas for one in runners]).astype(np.float64)
    origin = together.mean(axis=0)
    _, lengths, directions = np.linalg.svd(together - origin, full_matrices=False)
    axes = directions[:2]
    share = float((lengths[:2] ** 2).sum() / max((lengths**2).sum(), 1e-300))
    places = (together - origin) @ axes.T
    steps = tuple(_range(places[:, axis], points) for axis in (0, 1))
    model = next(iter(trainers.values())).model
    losses = losses_at(model, some, (origin + x * axes[0] + y * axes[1] for y in steps[1] for x in steps[0]))
    return Race(runners, origin, axes, share, (steps[0], steps[1]), losses.reshape(points, points))


def _train(name: str, trainer: Trainer, train: Dataset, some: Dataset, epochs: int) -> Runner:
    recorder, diverged = _Recorder(), False
    try:
        trainer.fit(train, epochs=epochs, callbacks=[recorder], progress=False)
    except DivergenceError:
        diverged = True
    thetas = np.stack(recorder.thetas)
    return Runner(name, thetas, losses_at(trainer.model, some, thetas), diverged)


def _range(places: np.ndarray, points: int) -> np.ndarray:
    room = BEYOND * (float(np.ptp(places)) or 1.0)
    return np.linspace(places.min() - room, places.max() + room, points)


def draw_race(race: Race) -> Axes:
    """Draw the loss on the plane with the paths over it, and beside it the loss after every epoch."""
    figure: Any = new_axes(None, size=(11.0, 4.8)).figure
    figure.clear()
    plane, curves = figure.subplots(1, 2, width_ratios=(1.25, 1))
    shown = np.ma.masked_invalid(race.losses)
    levels = np.unique(np.geomspace(max(float(shown.min()), 1e-6), max(float(shown.max()), 2e-6), 22))
    filled = plane.contourf(*race.steps, shown.clip(levels[0], levels[-1]), levels=levels, cmap="Greys", norm="log")
    figure.colorbar(filled, ax=plane, label="loss in the plane", format=lambda loss, _: f"{float(f'{loss:.2g}'):g}")
    together = all(np.array_equal(one.thetas[0], race.runners[0].thetas[0]) for one in race.runners)
    size = np.hypot(*(np.ptp(steps) for steps in race.steps))
    for n, one in enumerate(race.runners):
        colour, mark = COLOURS[n % len(COLOURS)], MARKS[n % len(MARKS)]
        x, y = race.path(one).T
        line = {"color": colour, "linewidth": 1.6, "marker": mark, "markersize": 4, "markeredgecolor": "white"}
        name = one.name + " (diverged)" * one.diverged
        above = 4 - np.hypot(np.ptp(x), np.ptp(y)) / size  # a long path must not hide a short one
        plane.plot(x, y, **line, markeredgewidth=0.4, label=name, zorder=above)
        star = "white" if together else colour
        plane.plot(x[:1], y[:1], "*", color=star, markersize=13, markeredgecolor="#1a1a1a", zorder=5)
        curves.semilogy(np.maximum(one.losses, 1e-12), **line, markeredgewidth=0.4, label=name)
    plane.set(xlabel="first principal component", ylabel="second principal component")
    share = f"{100 * race.share:.0f} % of the squared distances lie in this plane"
    plane.set_title(
        f"paths from {'their common start (star)' if together else 'their starts (stars)'}; {share}", fontsize=9
    )
    curves.set(xlabel="epoch", ylabel="loss")
    whole_ticks(curves, "x")
    low, high = curves.get_ylim()
    if high < 10 * low:  # no two powers of ten to label
        curves.yaxis.set_major_formatter("{x:.3g}")
        curves.yaxis.set_minor_formatter("{x:.3g}")
    curves.grid(color="#e0e0e0", linewidth=0.6)
    curves.legend(fontsize=8)
    first: Axes = plane
    return first
