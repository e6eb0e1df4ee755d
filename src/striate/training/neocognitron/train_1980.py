"""Train the Neocognitron of 1980, without a teacher."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from striate.errors import DataError, UsageError
from striate.model import Model
from striate.model.part import part_of
from striate.models.neocognitron import neocognitron_1980
from striate.models.neocognitron.y1980 import ALPHA, SELECTIVITIES
from striate.training.neocognitron.cells import selectivity, set_s_layer
from striate.training.neocognitron.competition import patches
from striate.training.neocognitron.connections import disk

LEARNING_SPEEDS = (1.0, 16.0, 16.0)
PADDINGS = (2, 1, 0)
KERNEL = 5
SPREAD, BLUR = 4.0, 1.0  # sigma of c and d, in cells
FIRST = 1e-4  # of the connections before anything was learnt


def train_1980(
    pictures: np.ndarray,
    *,
    planes: int = 24,
    presentations: int = 20,
    learning_speeds: Sequence[float] = LEARNING_SPEEDS,
    selectivities: Sequence[float] = SELECTIVITIES,
    alpha: float = ALPHA,
    column: int = 7,
) -> Model:
    """Return a Neocognitron of 1980 that has seen pictures again and again, without being told what they are.

    Layer after layer, each picture is shown `presentations` times. In every S-column (the cells of all planes in
    a neighbourhood) the strongest cell is a candidate; each plane takes the strongest of its candidates as its
    seed cell, whose connections grow by ``q c[v] u_C`` and ``q v``, for the whole plane.

    Parameters
    ----------
    pictures : float[N, 1, 16, 16]
        From 0 to 1.
    planes : int
        The paper has 24.
    presentations : int
        The paper has 20.
    learning_speeds : (float, float, float)
        q of the three S-layers. Accounts of the paper differ (1, 16, 16 here; others have 1 for all).
    selectivities : (float, float, float)
        r of the three S-layers.
    alpha : float
        Where C-cells saturate.
    column : int
        Width of an S-column, in cells.

    Returns
    -------
    Model
        Its outputs are the C-cells of the last layer, one for each plane.

    Raises
    ------
    DataError
        If the pictures are of another shape.
    UsageError
        For numbers out of their range.

    References
    ----------
    Fukushima (1980), "Neocognitron", Biological Cybernetics 36, 193-202.
    """
    pictures = np.asarray(pictures, np.float32)
    if pictures.ndim != 4:
        raise DataError(f"train_1980: needs pictures [N, 1, 16, 16]; got {pictures.shape}. Reshape them.")
    if presentations < 1 or min(learning_speeds) <= 0 or column < 1:
        raise UsageError(
            f"train_1980: presentations, learning speeds and the column must be above 0; got {presentations}, "
            f"{tuple(learning_speeds)} and {column}."
        )
    network = neocognitron_1980(planes, pictures.shape[1:], selectivities=selectivities, alpha=alpha)
    model = Model(network, np.zeros(network.parameter_count, np.float32))
    _set_fixed(model, planes)
    before = pictures
    for number, q in enumerate(learning_speeds, start=1):
        layer = _Learning.start(before.shape[1], planes, selectivity(model, f"s{number}"), q)
        seen = [patches(maps, KERNEL, PADDINGS[number - 1]) for maps in before]
        for _ in range(presentations):
            for picture in seen:
                layer.see(picture, int(np.sqrt(len(picture))), column)
        set_s_layer(model, f"s{number}", layer.excitatory, layer.b, layer.spread)
        before = part_of(model, f"c{number}").outputs(pictures)
    return model


def _set_fixed(model: Model, planes: int) -> None:
    for number in (1, 2, 3):
        gathered = model.parameters[f"c{number}/gathered.weight"]
        gathered[...] = disk(gathered.shape[-1], BLUR)
        model.parameters[f"c{number}/mean.weight"][...] = 1 / planes


@dataclass
class _Learning:
    """One S-layer while it learns: connections a [planes, C * k * k], b [planes]."""

    a: np.ndarray
    b: np.ndarray
    spread: np.ndarray
    r: float
    q: float

    @classmethod
    def start(cls, channels: int, planes: int, r: float, q: float) -> _Learning:
        """Return weak connections, each plane with another preferred orientation, and no inhibition."""
        at = np.arange(KERNEL) - KERNEL // 2
        turns = np.pi * np.arange(planes) / planes
        distance = (
            at[None, None, :] * np.sin(turns)[:, None, None] - at[None, :, None] * np.cos(turns)[:, None, None]
        )
        lines = FIRST * np.exp(-(distance**2))
        a = np.repeat(lines[:, None], channels, axis=1).reshape(planes, -1)
        spread = disk(KERNEL, SPREAD) / channels
        return cls(a, np.zeros(planes), spread, r, q)

    @property
    def excitatory(self) -> np.ndarray:
        """a as float64[planes, C, k, k]."""
        return self.a.reshape(len(self.a), -1, KERNEL, KERNEL)

    def see(self, seen: np.ndarray, side: int, column: int) -> None:
        """Learn from one picture, float[places, C * k * k]."""
        weights = np.tile(self.spread.ravel(), seen.shape[1] // self.spread.size)
        v = np.sqrt(seen**2 @ weights)
        inhibition = 1 + self.r / (1 + self.r) * v[:, None] * self.b
        u = self.r * np.maximum(0, (1 + seen @ self.a.T) / inhibition - 1)
        for plane, place in _seeds(u, side, column).items():
            self.a[plane] += self.q * weights * seen[place]
            self.b[plane] += self.q * v[place]


def _seeds(u: np.ndarray, side: int, column: int) -> dict[int, int]:
    """Return the seed cell of each plane that has one: plane -> place."""
    rows, columns = np.divmod(np.arange(side * side), side)
    found: dict[int, int] = {}
    for centre in range(side * side):
        reach = (np.abs(rows - rows[centre]) <= column // 2) & (np.abs(columns - columns[centre]) <= column // 2)
        within = np.where(reach[:, None], u, 0.0)
        place, plane = (int(i) for i in np.unravel_index(int(within.argmax()), u.shape))
        if u[place, plane] > 0 and u[place, plane] > u[found.get(plane, place), plane] * (plane in found):
            found[plane] = place
    return found
