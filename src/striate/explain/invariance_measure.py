"""How scores and features change when the input is shifted, rotated or scaled."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from striate import reference
from striate.drawing.axes import new_axes
from striate.drawing.notebook import Readable
from striate.errors import UsageError
from striate.explain.samples import as_sample, class_number, normalised
from striate.explain.tracing import score_step
from striate.layers.arguments import choice
from striate.model import Model
from striate.receptive_field import AxisField, receptive_fields

if TYPE_CHECKING:
    from matplotlib.axes import Axes

AMOUNTS: dict[str, tuple[float, ...]] = {
    "shift": (-4, -3, -2, -1, 0, 1, 2, 3, 4),
    "rotation": (-45, -30, -15, -5, 0, 5, 15, 30, 45),
    "scale": (0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.25, 1.5),
}
FIRST, COLOURS = np.array([0.1, 0.25, 0.6]), np.array([0.8, 0.2, -0.5])  # of the input, and the way to the output
UNITS = {"shift": "cells to the right", "rotation": "degrees counter-clockwise", "scale": "times as large"}


@dataclass(frozen=True, eq=False, repr=False)
class Invariance(Readable):
    """How a model responds to a change of the input.

    Parameters
    ----------
    kind : {"shift", "rotation", "scale"}
    amounts : float64[A]
        In cells, degrees or times.
    target : int
        The class that the unchanged sample was given.
    scores : float64[A, K]
        The class scores (before a softmax) for each amount.
    probabilities : float64[A, K]
    changes : dict of float64[A]
        For each layer ``|f(T x) - f(x)| / |f(x)|``: 0 is invariant.
    equivariance : dict of float64[A]
        For each layer with maps ``|f(T x) - T f(x)| / |T f(x)|`` over the values whose source lies in the
        map: 0 is equivariant. NaN where nothing remains to compare.
    """

    kind: str
    amounts: np.ndarray
    target: int
    scores: np.ndarray
    probabilities: np.ndarray
    changes: Mapping[str, np.ndarray]
    equivariance: Mapping[str, np.ndarray]

    def __str__(self) -> str:
        rows = {f"probability of class {self.target}": self.probabilities[:, self.target]}
        rows |= {f"change of {name}": values for name, values in self.changes.items()}
        rows |= {f"equivariance error of {name}": values for name, values in self.equivariance.items()}
        width = max(map(len, rows))
        lines = [f"{self.kind}, {UNITS[self.kind]}", _row("", self.amounts, width)]
        return "\n".join([*lines, *(_row(name, values, width) for name, values in rows.items())])

    def _drawn(self) -> Axes:
        return draw_invariance(self)


def invariance(
    model: Model,
    sample: Any,
    kind: str = "shift",
    amounts: Sequence[float] | None = None,
    *,
    background: float | None = None,
) -> Invariance:
    """Return how the class scores and the features of each layer change when the input is changed.

    Parameters
    ----------
    model : Model
    sample : array or path
        One raw sample, see ``trace``.
    kind : {"shift", "rotation", "scale"}
        Shifted along the columns (or the length), rotated and scaled about the centre, with linear interpolation.
    amounts : sequence of float, optional
        Cells to the right, degrees counter-clockwise, or how many times as large.
    background : float, optional
        The raw value that comes in from beyond the edge; the median of the edge by default.

    Raises
    ------
    UsageError
        If the kind is not known, or the sample has no space to be changed in.

    References
    ----------
    Lenc and Vedaldi (2015), "Understanding image representations by measuring their equivariance and
    equivalence". Goodfellow et al. (2009), "Measuring invariances in deep networks".
    """
    kind = choice(kind, "kind", tuple(AMOUNTS))
    raw, shape = as_sample(model, sample), model.input_shape
    if len(shape) < (3 if kind == "rotation" else 2):
        raise UsageError(
            f"{kind}: needs a sample with {'rows and columns' if kind == 'rotation' else 'space'}; "
            f"{model.network.name} takes {' x '.join(map(str, shape))}. Choose another change."
        )
    changes = np.asarray(AMOUNTS[kind] if amounts is None else amounts, np.float64).ravel()
    if not len(changes) or not np.isfinite(changes).all() or (kind == "scale" and changes.min() <= 0):
        raise UsageError(f"amounts: must be finite numbers, for scale above 0; got {changes.tolist()}.")
    fill = _edge_median(raw) if background is None else float(background)
    moves = [_move(kind, amount, shape[1:]) for amount in changes]
    inputs = np.stack([raw, *(warp(raw, move, _cells(shape[1:]), fill)[0] for move in moves)])
    run = reference.forward(
        model.network, model.theta, normalised(model, inputs), states=model.states.astype(np.float64)
    )
    scores = run.values[score_step(model.network)].reshape(len(inputs), -1)
    fields = receptive_fields(model.network)
    values = {name: value for name, value in run.values.items() if np.ndim(value) > 1}
    return Invariance(
        kind,
        changes,
        class_number(model, None, scores[0]),
        scores[1:],
        model.interpret(run.output).values.reshape(len(inputs), -1)[1:],
        {name: _distances(value[1:], value[:1]) for name, value in values.items()},
        {
            name: _equivariance(value, moves, fields[name])
            for name, value in values.items()
            if value.ndim == len(shape) + 1 and all(axis.jump for axis in fields[name])
        },
    )


def _row(name: str, values: np.ndarray, width: int) -> str:
    return f"  {name:<{width}} " + " ".join(map(_cell, values.tolist()))


def _cell(value: float) -> str:
    return f"{'-' if math.isnan(value) else f'{0.0 if abs(value) < 1e-12 else value:.3g}':>9}"


@dataclass(frozen=True, eq=False)
class Move:
    """Where a changed picture takes its values from: ``u_source = matrix @ u + offset`` in input positions."""

    matrix: np.ndarray
    offset: np.ndarray


def _move(kind: str, amount: float, space: Sequence[int]) -> Move:
    rank = len(space)
    matrix, offset = np.eye(rank), np.zeros(rank)
    if kind == "shift":
        offset[-1] = -amount
        return Move(matrix, offset)
    if kind == "scale":
        matrix = matrix / amount
    else:
        turn = math.radians(amount)
        matrix[-2:, -2:] = [[math.cos(turn), math.sin(turn)], [-math.sin(turn), math.cos(turn)]]
    centre = (np.asarray(space) - 1) / 2
    return Move(matrix, centre - matrix @ centre)


def _cells(space: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    return np.zeros(len(space)), np.ones(len(space))


def warp(
    maps: np.ndarray, move: Move, cells: tuple[np.ndarray, np.ndarray], fill: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """Return maps [C, *space] changed by ``move``, and which values come from inside, bool[*space].

    ``cells`` says at which input position map position 0 stands, and how many lie between neighbours.
    """
    first, jump = cells
    space = maps.shape[1:]
    grid = np.stack(np.meshgrid(*map(np.arange, space), indexing="ij")).reshape(len(space), -1)
    at = first[:, None] + jump[:, None] * grid
    source = (move.matrix @ at + move.offset[:, None] - first[:, None]) / jump[:, None]
    source = np.where(np.abs(source - np.rint(source)) < 1e-9, np.rint(source), source)
    limit = np.asarray(space)[:, None] - 1
    inside = ((source >= 0) & (source <= limit)).all(axis=0).reshape(space)
    return np.where(inside, _between(maps, source).reshape(maps.shape), fill), inside


def _between(maps: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Return maps [C, *space] at places [axes, P] between positions, [C, P], by linear interpolation."""
    first = np.floor(places)
    out = np.zeros((len(maps), places.shape[1]))
    for corner in product((0, 1), repeat=len(places)):
        step = np.array(corner)[:, None]
        share = np.abs(1 - step - (places - first)).prod(axis=0)
        limits = np.array(maps.shape[1:])[:, None] - 1
        out += share * maps[:, *np.clip(first + step, 0, limits).astype(np.int64)]
    return out


def _edge_median(raw: np.ndarray) -> float:
    edges = [np.take(raw, end, axis=axis).ravel() for axis in range(1, raw.ndim) for end in (0, -1)]
    return float(np.median(np.concatenate(edges)))


def _distances(values: np.ndarray, origin: np.ndarray) -> np.ndarray:
    gaps = np.sqrt(((values - origin) ** 2).reshape(len(values), -1).sum(axis=1))
    return np.asarray(gaps / max(float(np.sqrt((origin**2).sum())), 1e-300))


def _equivariance(value: np.ndarray, moves: Sequence[Move], axes: Sequence[AxisField]) -> np.ndarray:
    first = np.array([float(axis.start) + (axis.size - 1) / 2 for axis in axes])
    jump = np.array([float(axis.jump) for axis in axes])
    errors = []
    for changed, move in zip(value[1:], moves, strict=True):
        expected, inside = warp(value[0], move, (first, jump))
        length = float(np.sqrt((expected[:, inside] ** 2).sum()))
        gap = float(np.sqrt(((changed - expected)[:, inside] ** 2).sum()))
        errors.append(gap / length if length > 0 else math.nan)
    return np.array(errors)


def draw_invariance(found: Invariance, axes: Axes | None = None, what: str = "changes") -> Axes:
    """Draw how much each layer changes (``what="changes"``), its equivariance error, or the probabilities.

    Raises
    ------
    UsageError
        For anything else.
    """
    what = choice(what, "what", ("changes", "equivariance", "probabilities"))
    titles = {"changes": "relative change", "equivariance": "equivariance error", "probabilities": "probability"}
    axes = new_axes(axes, titles[what], UNITS[found.kind], (7.2, 4.4))
    if what == "probabilities":
        for k in np.argsort(-found.probabilities.max(axis=0), kind="stable")[:5]:
            axes.plot(found.amounts, found.probabilities[:, k], marker=".", label=f"class {k}")
    else:
        lines = found.changes if what == "changes" else found.equivariance
        for number, (name, errors) in enumerate(lines.items()):
            shade = COLOURS * (number / max(1, len(lines) - 1))  # from the input to the output
            axes.plot(found.amounts, errors, marker=".", linewidth=1.2, label=name, color=tuple(FIRST + shade))
    axes.legend(fontsize=7, ncols=2)
    return axes
