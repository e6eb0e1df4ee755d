"""The parameters of S-cells and C-cells, and one S-cell taken apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from striate.errors import UsageError
from striate.layers import Scale
from striate.model import Model
from striate.model.part import part_of
from striate.network import Network

GAIN = 100.0  # b of all cells of 2003: excitation and inhibition are far above the 1 beside them


def set_s_layer(model: Model, name: str, a: np.ndarray, b: np.ndarray, spread: np.ndarray) -> None:
    """Write the connections of an S-layer.

    Parameters
    ----------
    a : float[planes, C, k, k]
        Excitatory connections.
    b : float[planes]
        Inhibitory connections.
    spread : float[k, k]
        c, the connections of the V-cells.
    """
    parameters = model.parameters
    parameters[f"{name}/excitation.weight"][...] = a
    parameters[f"{name}/excitation.bias"][...] = 1.0
    parameters[f"{name}/energy.weight"][...] = spread
    r = selectivity(model, name)
    parameters[f"{name}/inhibition.weight"][:, 0, 0, 0] = r / (1 + r) * b
    parameters[f"{name}/inhibition.bias"][...] = 1.0


def set_similarity(model: Model, name: str, templates: np.ndarray, spread: np.ndarray) -> None:
    """Write an S-layer whose cells compare what they see with templates: ``b = sqrt(sum of a^2 / c)``.

    Parameters
    ----------
    templates : float[planes, C * k * k]
        Patches times ``sqrt(c)``, of any length.
    """
    channels = templates.shape[1] // spread.size
    unit = templates / np.linalg.norm(templates, axis=1, keepdims=True)
    a = GAIN * unit.reshape(-1, channels, *spread.shape) * np.sqrt(spread)
    set_s_layer(model, name, a, np.full(len(a), GAIN), spread)


def is_s_layer(network: Network, name: str) -> bool:
    """Return whether a layer is the output of S-cells."""
    return f"{name}/excitation" in {step.name for step in network.steps}


def selectivity(model: Model, name: str) -> float:
    """Return r of an S-layer; raises UsageError for another layer."""
    layer = model.network.step(name).layer
    if not isinstance(layer, Scale) or not is_s_layer(model.network, name):
        raise UsageError(f"{name}: is not an S-layer of a Neocognitron. Choose one, such as s1 or s2.")
    return layer.factor


@dataclass(frozen=True)
class SCell:
    """Why one S-cell fires or stays silent.

    Parameters
    ----------
    layer : str
    place : (int, int, int)
        Plane, row and column.
    excitation, inhibition : float
        e and h, without the 1 that is added to both; h contains the factor r/(1 + r).
    r : float
        The selectivity.
    v : float
        The V-cell: how much there is to see at all.
    value : float
        ``r * max(0, (1 + e)/(1 + h) - 1)``.
    """

    layer: str
    place: tuple[int, ...]
    excitation: float
    inhibition: float
    r: float
    v: float
    value: float

    @property
    def similarity(self) -> float:
        """Excitation against inhibition as a share: above r/(1 + r) the cell fires."""
        threshold = self.r / (1 + self.r)
        return self.excitation / self.inhibition * threshold if self.inhibition else 0.0

    def __str__(self) -> str:
        plane, row, column = self.place
        threshold = self.r / (1 + self.r)
        verdict = "fires" if self.value > 0 else "is silent"
        return (
            f"{self.layer}, plane {plane}, row {row}, column {column} {verdict}: {self.value:.4g}\n"
            f"  excitation e = {self.excitation:.4g}, inhibition h = {self.inhibition:.4g}, r = {self.r:.4g}\n"
            f"  r * max(0, (1 + e)/(1 + h) - 1) = "
            f"{self.r:.4g} * max(0, {(1 + self.excitation) / (1 + self.inhibition):.4g} - 1) = {self.value:.4g}\n"
            f"  similarity {self.similarity:.3f}, threshold r/(1 + r) = {threshold:.3f}; V-cell {self.v:.4g}"
        )


def s_cell(model: Model, sample: np.ndarray, layer: str, place: Sequence[int] | None = None) -> SCell:
    """Return why one S-cell fires or stays silent.

    Parameters
    ----------
    model : Model
        A Neocognitron.
    sample : array of the model's input shape
    layer : str
        "s1", "s2", ...
    place : (plane, row, column), optional
        The strongest cell if left out.

    Raises
    ------
    UsageError
        If the layer is not an S-layer, or the place lies outside it.
    """
    r = selectivity(model, layer)
    batch = np.asarray(sample)[None]
    values = part_of(model, layer).outputs(batch)[0]
    if place is None:
        plane, row, column = np.unravel_index(int(values.argmax()), values.shape)
        place = (int(plane), int(row), int(column))
    place = tuple(place)
    if len(place) != 3 or any(not 0 <= at < n for at, n in zip(place, values.shape, strict=False)):
        raise UsageError(f"{layer}: places lie within {values.shape}, counted from 0; got {place}.")
    e = part_of(model, f"{layer}/excitation").outputs(batch)[0][place] - 1
    h = part_of(model, f"{layer}/inhibition").outputs(batch)[0][place] - 1
    v = part_of(model, f"{layer}/v").outputs(batch)[0][0, place[1], place[2]]
    return SCell(layer, place, float(e), float(h), r, float(v), float(values[place]))
